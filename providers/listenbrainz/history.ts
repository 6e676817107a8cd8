import {
  cursorInvalid,
  type FetchedPage,
  type HistoryCapability,
  incremental,
  type PageRequest,
  type ProviderContext,
} from '@mca/core/provider-kit';
import { normalise } from './normalise.ts';
import { FIRST_LISTEN_MS, listen, listensPage, stamp } from './schemas.ts';

/** Asking from here on begins with the very first listen. */
const FIRST_TS = FIRST_LISTEN_MS / 1_000 - 1;
const MOST_PER_PAGE = 1_000;
/** What is new since yesterday is seldom more; a large page costs the server as much when it is nearly empty. */
const MOST_WHEN_FOLLOWING = 200;

/**
 * Listens, oldest first. With `min_ts` the server picks the oldest listens after it, and prints them newest first; that
 * is what makes a walk forward possible. `min_ts` is exclusive, so each page begins a second early: two listens of
 * one second never fall between two pages.
 */
export const history: HistoryCapability = incremental({
  sources: { listens: { name: 'Listens', precision: 'second', rank: 1 } },
  order: 'oldest-first',
  backfill: true,
  intervalMs: 15 * 60_000,
  entry: listen,
  fetch,
  normalise,
});

async function fetch({ http, account }: ProviderContext, request: PageRequest): Promise<FetchedPage> {
  const minTs = startOf(request);
  const count = Math.min(request.limit, request.since === undefined ? MOST_PER_PAGE : MOST_WHEN_FOLLOWING);
  const { payload } = await http.request({
    path: `user/${encodeURIComponent(account.id)}/listens`,
    operation: 'listens',
    query: { min_ts: minTs, count },
    schema: listensPage,
  });
  const records = payload.listens.toReversed();
  const newest = Math.max(minTs, ...records.map(secondsOf));
  const isPastEnd = request.until !== undefined && newest * 1_000 >= request.until;
  const isLast = records.length < count && newest >= (payload.latest_listen_ts ?? 0);
  // Begin with the newest second again, unless it alone filled the page.
  const isStanding = newest - 1 <= minTs;
  if (isPastEnd || isLast || (isStanding && records.length < count)) return { records, hasMore: false };
  const crowded = isStanding ? { gap: { from: newest * 1_000, to: newest * 1_000 + 1_000 } } : {};
  return { records, hasMore: true, cursor: String(isStanding ? newest : newest - 1), ...crowded };
}

function startOf({ cursor, since }: PageRequest): number {
  if (cursor !== undefined) {
    if (!/^\d{1,12}$/.test(cursor)) throw cursorInvalid('listenbrainz');
    return Number(cursor);
  }
  return since === undefined ? FIRST_TS : Math.max(FIRST_TS, Math.floor(since / 1_000) - 1);
}

/** Bad records are rejected later, one by one; here they must not stop the walk. */
function secondsOf(record: unknown): number {
  const { data } = stamp.safeParse(record);
  return data?.listened_at ?? 0;
}
