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

/** Saved tracks, newest first, down to what is stored already. The position is the offset, and how many there were. */
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
  const { offset, totalBefore } = positionOf(request);
  const asked = Math.min(request.limit, MOST_PER_PAGE);
  const page = await http.request({
    path: 'me/tracks',
    operation: 'saved-tracks',
    query: { limit: asked, offset },
    schema: offsetPage,
  });
  const { items: records, next } = page;
  const total = page.total ?? undefined;
  const told = total === undefined ? {} : { total };
  // Whatever was removed since the last page may have moved what follows up, past the offset: step back as far.
  const removed = Math.max(0, (totalBefore ?? 0) - (total ?? 0));
  const isMoved = total !== undefined && removed > 0 && offset > 0;
  if (!isMoved && (!next || records.length === 0 || reachesBackTo(request.since, records)))
    return { records, hasMore: false, ...told };
  // By the limit as answered: the service may have cut what was asked for.
  const following = isMoved ? Math.max(0, offset - removed) : offset + (page.limit ?? asked);
  return { records, hasMore: true, cursor: [following, total].filter((each) => each !== undefined).join('.'), ...told };
}

function positionOf({ cursor = '0' }: PageRequest): { readonly offset: number; readonly totalBefore?: number } {
  const [, offset, totalBefore] = /^(\d{1,9})(?:\.(\d{1,9}))?$/.exec(cursor) ?? [];
  if (offset === undefined) throw cursorInvalid('spotify');
  return { offset: Number(offset), ...(totalBefore !== undefined && { totalBefore: Number(totalBefore) }) };
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
