import {
  type FetchedPage,
  incremental,
  type PageRequest,
  type ProviderContext,
  type RatingsCapability,
} from '@mca/core/provider-kit';
import { normaliseRating } from './normalise.ts';
import { askPage } from './paging.ts';
import { meet, meetNothing, presentOf, readPlace, writePlace } from './present.ts';
import { rating } from './schemas.ts';

/**
 * Ratings of films, shows, seasons and episodes. The list has neither bounds nor a documented order, so every walk reads
 * all of it: that finds ratings that changed, and those that slipped past while the list moved, and tells which are gone.
 */
export const ratings: RatingsCapability = incremental({
  sources: { ratings: { name: 'Ratings', precision: 'minute', rank: 1 } },
  // What is stored counts as whole only when a walk is through.
  order: 'newest-first',
  backfill: false,
  intervalMs: 24 * 3_600_000,
  entry: rating,
  fetch,
  normalise: normaliseRating,
});

async function fetch(context: ProviderContext, { cursor, limit }: PageRequest): Promise<FetchedPage> {
  const { page, met } = cursor === undefined ? { page: 1, met: await meetNothing(context) } : readPlace(cursor);
  const records = await askPage(context, { path: 'sync/ratings', operation: 'ratings', page, limit });
  if (records.length === 0) return { records, hasMore: false, ...(await presentOf(context, 'ratings', met)) };
  return { records, hasMore: true, cursor: writePlace(page + 1, meet(met, records)) };
}
