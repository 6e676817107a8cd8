import {
  type FetchedPage,
  type HistoryCapability,
  incremental,
  type PageRequest,
  type ProviderContext,
  parseUtc,
  type RecordResult,
  reject,
} from '@mca/core/provider-kit';
import { itemOf } from './item.ts';
import { type Play, play, playsPage } from './schemas.ts';

const MOST_PER_PAGE = 100;

/**
 * The plays of an account, page by page. One request and the meaning of one record are yours; loops, commits, counting,
 * waiting and parking of bad records are the core's.
 */
export const history: HistoryCapability = incremental({
  sources: { account: { name: 'Plays of the account', precision: 'second', rank: 1 } },
  // Oldest first, if the service can: then what is stored is always whole up to some instant.
  order: 'oldest-first',
  // It can be asked for plays before an instant (`until`), so old history comes apart from what is new.
  backfill: true,
  // How late it may still tell of a play, and how often it is worth asking.
  overlapMs: 6 * 3_600_000,
  intervalMs: 30 * 60_000,
  entry: play,
  fetch,
  normalise,
});

async function fetch({ http }: ProviderContext, request: PageRequest): Promise<FetchedPage> {
  const { cursor, since, until } = request;
  const { plays, next } = await http.request({
    path: 'plays',
    // Named in events and errors, which never show addresses.
    operation: 'plays',
    query: {
      limit: Math.min(request.limit, MOST_PER_PAGE),
      // The bounds go with the page token here. `after` is exclusive: a second early, so that nothing of it is missed.
      ...(cursor === undefined ? { after: secondsOf(since, -1), before: secondsOf(until, 1) } : { page: cursor }),
    },
    schema: playsPage,
  });
  return { records: plays, hasMore: next !== null, ...(next !== null && { cursor: next }) };
}

function secondsOf(instant: number | undefined, shift: number): number | undefined {
  return instant === undefined ? undefined : Math.max(0, Math.floor(instant / 1_000) + shift);
}

/** A record that passed its schema becomes an item, or says why not with `skip` or `reject`. */
function normalise({ started_at: startedAt, artist, track: title, seconds, length }: Play): RecordResult {
  const at = parseUtc(startedAt);
  // Say what is wrong, never what was there: it is somebody's private history.
  if (at === undefined) return reject('invalid_date', 'it is no date and time in UTC', 'started_at');
  return itemOf({
    at,
    artist: artist ?? '',
    title,
    seconds: seconds ?? undefined,
    length: length ?? undefined,
    source: 'account',
  });
}
