import { type HttpClient, McaError, type ProviderContext } from '@mca/core/provider-kit';
import type { Entry } from './normalise.ts';
import { nativeSong, records, scrobble, session } from './schemas.ts';

const ROWS_PER_PAGE = 200;
/** Ids in one address: with more it grows beyond what servers take. */
const SONGS_PER_REQUEST = 50;

/** Sessions of Navidrome's own API, for as long as a client is in use: log-ins are limited to five in 20 seconds. */
const sessions = new WeakMap<HttpClient, Promise<string>>();

/** Where a walk through the list of scrobbles stands. */
export interface NativePosition {
  /** Rows at or before this second are wanted, seconds; the walk goes from the newest back. */
  readonly to: number;
  /** Rows of exactly this second that were seen already. */
  readonly seen: number;
}

/**
 * A page of Navidrome's own list of scrobbles, newest first, each with its song.
 *
 * @returns `undefined` when the server has no such list: before version 0.63.3, or not Navidrome
 */
export async function scrobbles(
  context: ProviderContext,
  { to, seen, since }: NativePosition & { readonly since: number | undefined },
): Promise<{ readonly entries: readonly Entry[]; readonly next: NativePosition | undefined } | undefined> {
  const query = new URLSearchParams({
    _sort: 'submission_time',
    _order: 'DESC',
    _start: String(seen),
    _end: String(seen + ROWS_PER_PAGE),
    to: String(to),
    ...(since !== undefined && { from: String(Math.floor(since / 1_000)) }),
  });
  const rows = await ask(context, `api/scrobble?${query}`, 'scrobbles');
  if (!rows) return undefined;
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

async function songsOf(context: ProviderContext, rows: readonly unknown[]): Promise<ReadonlyMap<string, unknown>> {
  const ids = [...new Set(rows.flatMap((raw) => scrobble.safeParse(raw).data?.mediaFileId ?? []))];
  const songs = new Map<string, unknown>();
  for (let from = 0; from < ids.length; from += SONGS_PER_REQUEST) {
    const query = new URLSearchParams([
      ...ids.slice(from, from + SONGS_PER_REQUEST).map((id) => ['id', id]),
      ['_start', '0'],
      ['_end', String(SONGS_PER_REQUEST)],
    ]);
    for (const raw of (await ask(context, `api/song?${query}`, 'songs')) ?? []) {
      const known = nativeSong.safeParse(raw).data;
      if (known) songs.set(known.id, raw);
    }
  }
  return songs;
}

/** A list of Navidrome's own API, or `undefined` where it is not to be had. Logs in again once when the session is over. */
async function ask(context: ProviderContext, path: string, operation: string): Promise<readonly unknown[] | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const token = await sessionOf(context);
      const headers = { 'x-nd-authorization': `Bearer ${token}` };
      return await context.http.request({ path, operation, headers, schema: records });
    } catch (error) {
      if (!McaError.isInstance(error)) throw error;
      if (error.reason === 'session_over' && attempt === 1) {
        sessions.delete(context.http);
        continue;
      }
      if (isElsewhere(error)) return undefined;
      throw error;
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
function isElsewhere({ reason }: McaError): boolean {
  return ['no_subsonic_server', 'not_json', 'unexpected_answer', 'method_missing'].includes(reason ?? '');
}
