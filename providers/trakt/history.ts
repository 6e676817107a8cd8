import {
  type FetchedPage,
  type HistoryCapability,
  incremental,
  type PageRequest,
  type ProviderContext,
} from '@mca/core/provider-kit';
import { normalisePlay } from './normalise.ts';
import { askPage } from './paging.ts';
import { play } from './schemas.ts';
import { begin, behind, finish, OVERLAP_MS, type Place, readPlace } from './walk.ts';

/** How plays are read. */
export interface HistoryOptions {
  /** Leave out plays of an unknown date. */
  readonly skipUndated: boolean;
}

/**
 * Plays of films and episodes, newest first.
 *
 * Pages that are counted shift when plays are added or taken away, so a walk goes by time: each page is the first one of
 * what was watched up to the oldest play known. Only where more plays than a page holds have one and the same minute (a
 * whole show, marked as watched) are they counted through. What is newest comes first anyway, so old history needs no
 * walk of its own. Before a walk Trakt is asked whether anything changed at all.
 */
export function history({ skipUndated }: HistoryOptions): HistoryCapability {
  return incremental({
    sources: { history: { name: 'Watched history', precision: 'minute', rank: 1 } },
    order: 'newest-first',
    backfill: false,
    keepsCursor: true,
    overlapMs: OVERLAP_MS,
    // What lies deeper is found by walks of its own.
    deepOverlapMs: OVERLAP_MS,
    intervalMs: 60 * 60_000,
    entry: play,
    fetch,
    normalise: (entry) => normalisePlay(entry, skipUndated),
  });
}

async function fetch(context: ProviderContext, request: PageRequest): Promise<FetchedPage> {
  const place: Place = request.cursor === undefined ? {} : readPlace(request.cursor);
  const { kept, walk } = place.walk ? place : await begin(context, request, place.kept);
  if (!walk) return pageOf([], { kept });
  const records = await askPage(context, {
    path: 'sync/history',
    operation: 'history',
    page: walk.page,
    limit: request.limit,
    bounds: { start_at: isoOf(walk.from), end_at: isoOf(walk.upTo) },
  });
  return pageOf(records, records.length > 0 ? { kept, walk: behind(walk, records, kept) } : finish(walk, kept));
}

function pageOf(records: readonly unknown[], place: Place): FetchedPage {
  return { records, hasMore: place.walk !== undefined, cursor: JSON.stringify(place) };
}

function isoOf(instant: number | undefined): string | undefined {
  return instant === undefined ? undefined : new Date(instant).toISOString();
}
