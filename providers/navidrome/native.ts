import { type HttpClient, type HttpRequest, McaError, type ProviderContext } from '@mca/core/provider-kit';
import type { Entry } from './normalise.ts';
import type { NativePosition } from './position.ts';
import { nativeSongs, records, scrobble, session } from './schemas.ts';

const ROWS_PER_PAGE = 200;
/** Ids in one address: with more it grows beyond what servers take. */
const SONGS_PER_REQUEST = 50;

/** Sessions of Navidrome's own API, for as long as a client is in use: log-ins are limited to five in 20 seconds. */
const sessions = new WeakMap<HttpClient, Promise<string>>();

/**
 * A page of Navidrome's own list of scrobbles, newest first, each with its song.
 *
 * @param position - where to go on; `undefined` starts a walk
 * @returns `undefined` when a walk cannot start, because the server has no such list: before version 0.63.3, or not Navidrome
 * @throws McaError `upstream`, to be tried again, when the list is not to be had in the middle of a walk, or its songs are not
 */
export async function scrobbles(
  context: ProviderContext,
  position: NativePosition | undefined,
  since: number | undefined,
): Promise<{ readonly entries: readonly Entry[]; readonly next: NativePosition | undefined } | undefined> {
  // A server whose clock is ahead has plays of the future.
  const { to, seen } = position ?? { to: Math.floor(context.now() / 1_000) + 86_400, seen: 0 };
  const query = new URLSearchParams({
    _sort: 'submission_time',
    _order: 'DESC',
    _start: String(seen),
    _end: String(seen + ROWS_PER_PAGE),
    to: String(to),
    ...(since !== undefined && { from: String(Math.floor(since / 1_000)) }),
  });
  let rows: readonly unknown[];
  try {
    rows = await ask(context, { path: `api/scrobble?${query}`, operation: 'scrobbles', schema: records });
  } catch (error) {
    if (!isElsewhere(error)) throw error;
    if (!position) return undefined;
    // It was there a page ago. Another source now would end the walk, and nobody would ask for the older rows again.
    throw notAnswered('list of scrobbles', error);
  }
  const songs = await songsOf(context, rows);
  const entries = rows.map((raw): Entry => {
    const row = scrobble.safeParse(raw).data;
    return { of: 'scrobbles', account: context.account.id, raw, song: (row && songs.get(row.mediaFileId)) ?? null };
  });
  return { entries, next: rows.length < ROWS_PER_PAGE ? undefined : following({ to, seen }, rows) };
}

/** By time and not by row number: what is scrobbled meanwhile comes on top and moves all the others. */
function following({ to, seen }: NativePosition, rows: readonly unknown[]): NativePosition {
  const times = rows.flatMap((raw) => scrobble.safeParse(raw).data?.submissionTime ?? []);
  const oldest = times.at(-1) ?? to;
  const ofOldest = times.filter((time) => time === oldest).length;
  return oldest === to ? { to, seen: seen + rows.length } : { to: oldest, seen: ofOldest };
}

/** The songs that the server still has. One that is not among them is gone. */
async function songsOf(context: ProviderContext, rows: readonly unknown[]): Promise<ReadonlyMap<string, unknown>> {
  const ids = [...new Set(rows.flatMap((raw) => scrobble.safeParse(raw).data?.mediaFileId ?? []))];
  const songs = new Map<string, unknown>();
  for (let from = 0; from < ids.length; from += SONGS_PER_REQUEST) {
    const wanted = ids.slice(from, from + SONGS_PER_REQUEST);
    for (const row of await songsById(context, wanted)) songs.set(row.id, row);
  }
  return songs;
}

async function songsById(
  context: ProviderContext,
  ids: readonly string[],
): Promise<readonly { readonly id: string }[]> {
  const query = new URLSearchParams([
    ...ids.map((id) => ['id', id]),
    ['_start', '0'],
    ['_end', String(SONGS_PER_REQUEST)],
  ]);
  let rows: readonly { readonly id: string }[];
  try {
    rows = await ask(context, { path: `api/song?${query}`, operation: 'songs', schema: nativeSongs });
  } catch (error) {
    throw isElsewhere(error) ? notAnswered('list of songs', error) : error;
  }
  // Songs nobody asked for: it does not look for ids, and says nothing about what is gone.
  if (rows.some(({ id }) => !ids.includes(id))) throw notAnswered('list of songs');
  return rows;
}

/** Asks Navidrome's own API. Logs in again once when the session is over. */
async function ask<Output>(
  context: ProviderContext,
  request: Pick<HttpRequest<Output>, 'path' | 'operation' | 'schema'>,
): Promise<Output> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const token = await sessionOf(context);
      return await context.http.request({ ...request, headers: { 'x-nd-authorization': `Bearer ${token}` } });
    } catch (error) {
      if (!McaError.isInstance(error) || error.reason !== 'session_over' || attempt > 1) throw error;
      sessions.delete(context.http);
    }
  }
}

function sessionOf({ http }: ProviderContext): Promise<string> {
  const known = sessions.get(http);
  if (known) return known;
  const logIn = http
    .request({ method: 'POST', path: 'auth/login', operation: 'log-in', json: {}, idempotent: true, schema: session })
    .then(({ token }) => token);
  sessions.set(http, logIn);
  // A log-in that failed is tried again; whoever waits for it hears of the failure.
  logIn.catch(() => sessions.delete(http));
  return logIn;
}

/** The answer of something that does not have this API: another server, an older one, a proxy in front of it. */
function isElsewhere(error: unknown): boolean {
  const reasons = ['no_subsonic_server', 'not_json', 'unexpected_answer', 'method_missing'];
  return McaError.isInstance(error) && reasons.includes(error.reason ?? '');
}

function notAnswered(what: string, cause?: unknown): McaError {
  return new McaError({
    code: 'upstream',
    reason: 'list_unavailable',
    provider: 'navidrome',
    message: `Navidrome did not answer with its ${what}.`,
    hint: 'Nothing is missed: the next sync goes on at the same place. If it stays so, look for a proxy in front of /api.',
    retryable: true,
    cause,
  });
}
