import type { HttpRequest, ProviderContext } from '@mca/core/provider-kit';
import type { Entry } from './normalise.ts';
import { albumList, albumWithSongs, nowPlayingList } from './schemas.ts';

const ALBUMS_PER_PAGE = 20;

/** Calls a method of the Subsonic API. */
export function call<Output>(
  { http }: ProviderContext,
  method: string,
  schema: HttpRequest<Output>['schema'],
  query: HttpRequest<Output>['query'] = {},
): Promise<Output> {
  return http.request({ path: `rest/${method}`, operation: method, query, schema });
}

/** Songs of the albums that were played last, and whether there are albums further down that may be wanted. */
export async function lastPlayed(
  context: ProviderContext,
  request: { readonly offset: number; readonly since: number | undefined },
): Promise<{ readonly entries: readonly Entry[]; readonly next: number | undefined; readonly tellsTimes: boolean }> {
  const { offset, since } = request;
  const query = { type: 'recent', size: ALBUMS_PER_PAGE, offset };
  const answer = await call(context, 'getAlbumList2', albumList, query);
  const albums = answer['subsonic-response'].albumList2?.album ?? [];
  const wanted = albums.filter(
    ({ played }) => since === undefined || played === undefined || Date.parse(played) >= since,
  );
  const entries: Entry[] = [];
  let tellsTimes = albums.some(({ played }) => played !== undefined);
  for (const { id } of wanted) {
    const { album } = (await call(context, 'getAlbum', albumWithSongs, { id }))['subsonic-response'];
    for (const raw of album?.song ?? []) {
      tellsTimes ||= typeof raw === 'object' && raw !== null && 'played' in raw;
      entries.push({ of: 'last-played', account: context.account.id, raw, since: since ?? null });
    }
  }
  // The list is in order of the last play: below one that is not wanted there is none.
  const isLast = albums.length < ALBUMS_PER_PAGE || wanted.length < albums.length || !tellsTimes;
  return { entries, next: isLast ? undefined : offset + albums.length, tellsTimes };
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
