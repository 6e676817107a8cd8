import {
  type FetchedPage,
  incremental,
  type PageRequest,
  type ProviderContext,
  type RatingsCapability,
} from '@mca/core/provider-kit';
import { normaliseRating } from './normalise.ts';
import { askPage, pageOf } from './paging.ts';
import { rating } from './schemas.ts';

/**
 * Ratings of films, shows, seasons and episodes. The list has neither bounds nor a documented order, so every walk reads
 * all of it: that finds ratings that changed, and those that slipped past while the list moved.
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

async function fetch(context: ProviderContext, { cursor = '1', limit }: PageRequest): Promise<FetchedPage> {
  const page = pageOf(cursor);
  const records = await askPage(context, { path: 'sync/ratings', operation: 'ratings', page, limit });
  return { records, hasMore: records.length > 0, cursor: String(page + 1) };
}
