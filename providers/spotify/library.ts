import {
  cursorInvalid,
  type FetchedPage,
  incremental,
  type LibraryCapability,
  type PageRequest,
  type ProviderContext,
  parseUtc,
} from '@mca/core/provider-kit';
import { SCOPES } from './auth.ts';
import { offsetPage, savedStamp, savedTrack } from './live-schemas.ts';
import { normaliseSaved } from './normalise.ts';

const MOST_PER_PAGE = 50;

/** Saved tracks, newest first, down to what is stored already. The position is the offset. */
export const library: LibraryCapability = incremental({
  sources: { 'saved-tracks': { name: 'Saved tracks', precision: 'second', rank: 1 } },
  order: 'newest-first',
  backfill: false,
  intervalMs: 6 * 3_600_000,
  scopes: SCOPES.library,
  entry: savedTrack,
  fetch,
  normalise: normaliseSaved,
});

async function fetch({ http }: ProviderContext, request: PageRequest): Promise<FetchedPage> {
  const offset = offsetOf(request);
  const asked = Math.min(request.limit, MOST_PER_PAGE);
  const page = await http.request({
    path: 'me/tracks',
    operation: 'saved-tracks',
    query: { limit: asked, offset },
    schema: offsetPage,
  });
  const { items: records, next, total } = page;
  const told = total === undefined || total === null ? {} : { total };
  const isLast = !next || records.length === 0;
  if (isLast || reachesBackTo(request.since, records)) return { records, hasMore: false, ...told };
  // By the limit as answered: the service may have cut what was asked for.
  return { records, hasMore: true, cursor: String(offset + (page.limit ?? asked)), ...told };
}

function offsetOf({ cursor = '0' }: PageRequest): number {
  if (!/^\d{1,9}$/.test(cursor)) throw cursorInvalid('spotify');
  return Number(cursor);
}

/** Everything further down the list was saved before `since`. Bad records say nothing about that. */
function reachesBackTo(since: number | undefined, records: readonly unknown[]): boolean {
  if (since === undefined) return false;
  const times = records.map((record) => {
    const { data } = savedStamp.safeParse(record);
    return (data && parseUtc(data.added_at)) ?? Number.POSITIVE_INFINITY;
  });
  return Math.min(...times) <= since;
}
