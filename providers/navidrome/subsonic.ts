import type { HttpRequest, ProviderContext } from '@mca/core/provider-kit';
import type { Entry } from './normalise.ts';
import { nowPlayingList } from './schemas.ts';

/** Calls a method of the Subsonic API. */
export function call<Output>(
  { http }: ProviderContext,
  method: string,
  schema: HttpRequest<Output>['schema'],
  query: HttpRequest<Output>['query'] = {},
): Promise<Output> {
  return http.request({ path: `rest/${method}`, operation: method, query, schema });
}

/** What the user hears at this moment: all that a server without times of plays can tell. */
export async function playingNow(context: ProviderContext, highWater: number | undefined): Promise<readonly Entry[]> {
  const { account, now } = context;
  const answer = await call(context, 'getNowPlaying', nowPlayingList);
  const entries = answer['subsonic-response'].nowPlaying?.entry ?? [];
  const username = account.fields.username ?? '';
  return entries.map((raw) => ({
    of: 'now-playing',
    account: account.id,
    raw,
    username,
    now: now(),
    highWater: highWater ?? null,
  }));
}
