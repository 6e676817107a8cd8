import { type HttpClient, type HttpRequest, McaError, type ProviderContext } from '@mca/core/provider-kit';
import { endlessList } from './errors.ts';
import type { Entry } from './normalise.ts';
import type { NativePosition } from './position.ts';
import { nativeSongs, records, rowId, scrobble, session } from './schemas.ts';

const ROWS_PER_PAGE = 200;
/** Ids in one address: with more it grows beyond what servers take. */
const SONGS_PER_REQUEST = 50;

/** Sessions of Navidrome's own API, for as long as a client is in use: log-ins are limited to five in 20 seconds. */
const sessions = new WeakMap<HttpClient, Promise<string>>();

/** A page of scrobbles. */
export interface ScrobblePage {
  readonly entries: readonly Entry[];
  /** Where to go on; `undefined` at the end. */
  readonly next: NativePosition | undefined;
  /** Highest row id when the walk was begun. */
  readonly top: number;
  /** The list has no rows at this place. */
  readonly isEmpty: boolean;
}

/**
 * A page of Navidrome's own list of scrobbles, each with its song: the row that was added last comes first, whatever time
 * it tells. Players that were offline submit what was heard weeks ago.
 *
 * @param position - where to go on; `undefined` starts a walk
 * @param known - a walk ends at this row: it is of a walk before
 * @returns `undefined` when a walk cannot start, because the server has no such list: before version 0.63.3, or not Navidrome
 * @throws McaError `upstream`, to be tried again, when the list is not to be had in the middle of a walk, or its songs are not
 */
export async function scrobbles(
  context: ProviderContext,
  position: NativePosition | undefined,
  known: number,
): Promise<ScrobblePage | undefined> {
  const read = await rowsAfter(context, position);
  if (!read) return undefined;
  const { rows, start } = read;
  const ids = rows.flatMap((row) => idOf(row) ?? []);
  const top = position?.top ?? Math.max(0, ...ids);
  // Nothing as high as what is known: the newest rows were removed, or it is another list, which counts anew.
  const bound = position ? position.known : top < known ? 0 : known;
  const fresh = bound === 0 ? rows : rows.filter((row) => (idOf(row) ?? Number.POSITIVE_INFINITY) > bound);
  const songs = await songsOf(context, fresh);
  const entries = fresh.map((raw): Entry => {
    const row = scrobble.safeParse(raw).data;
    return { of: 'scrobbles', account: context.account.id, raw, song: (row && songs.get(row.mediaFileId)) ?? null };
  });
  const isThrough = rows.length < ROWS_PER_PAGE || fresh.length < rows.length;
  const lowest = Math.min(position?.lowest ?? top, ...ids);
  const isEmpty = rows.length === 0;
  return {
    entries,
    top,
    isEmpty,
    next: isThrough ? undefined : { seen: start + rows.length, lowest, top, known: bound },
  };
}

/**
 * Rows that follow. There is no asking for those below an id, so they are counted: what is scrobbled meanwhile moves
 * some to this page again, and what is removed moves some away, to the page before. So a page begins with the last row
 * of that one, or a page earlier until it begins with one that was seen.
 */
async function rowsAfter(
  context: ProviderContext,
  position: NativePosition | undefined,
): Promise<{ readonly rows: readonly unknown[]; readonly start: number } | undefined> {
  for (let start = Math.max(0, (position?.seen ?? 0) - 1); ; start = Math.max(0, start - ROWS_PER_PAGE)) {
    let rows: readonly unknown[];
    try {
      rows = await rowsAt(context, start);
    } catch (error) {
      if (!isElsewhere(error)) throw error;
      if (!position) return undefined;
      // It was there a page ago. Another source now would end the walk, and nobody would ask for the older rows again.
      throw notAnswered('list of scrobbles', error);
    }
    if (!position || start === 0) return { rows, start };
    const isBelow = rows.length === 0 || (idOf(rows[0]) ?? position.lowest) < position.lowest;
    if (isBelow) continue;
    const hasMoved =
      rows.length < ROWS_PER_PAGE || rows.some((row) => (idOf(row) ?? position.lowest) < position.lowest);
    // Many new rows on top, or a server that always gives its top.
    if (!hasMoved && JSON.stringify(rows) === JSON.stringify(await rowsAt(context, 0))) throw endlessList('scrobbles');
    return { rows, start };
  }
}

function rowsAt(context: ProviderContext, start: number): Promise<readonly unknown[]> {
  const query = { _sort: 'id', _order: 'DESC', _start: String(start), _end: String(start + ROWS_PER_PAGE) };
  const path = `api/scrobble?${new URLSearchParams(query)}`;
  return ask(context, { path, operation: 'scrobbles', schema: records });
}

function idOf(row: unknown): number | undefined {
  return rowId.safeParse(row).data?.id;
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
