import { incremental, type RatingsCapability } from '@mca/core/provider-kit';
import { normaliseRating } from './normalise.ts';
import { listed } from './schemas.ts';
import { nextPage } from './walk.ts';

/** Ratings of films, shows and anime, from 1 to 10. Simkl has none of seasons and episodes. */
export const ratings: RatingsCapability = incremental({
  sources: { ratings: { name: 'Ratings', precision: 'second', rank: 1 } },
  order: 'newest-first',
  backfill: false,
  keepsCursor: true,
  intervalMs: 60 * 60_000,
  entry: listed,
  fetch: (context, request) =>
    nextPage(context, request, {
      source: 'ratings',
      path: (type) => `sync/ratings/${type}`,
      operation: 'ratings',
      wasPost: true,
      stampOf: ({ rated_at: ratedAt }) => ratedAt,
      recordsOf: (kind, entries) => entries.map((entry) => ({ kind, entry: withoutSeasons(entry) })),
    }),
  normalise: normaliseRating,
});

/** Ratings are of whole things, whatever else stands in their lists. */
function withoutSeasons(entry: unknown): unknown {
  return typeof entry === 'object' && entry !== null ? { ...entry, seasons: undefined } : entry;
}
