import {
  cursorInvalid,
  type FetchedPage,
  type HistoryCapability,
  incremental,
  type PageRequest,
  type ProviderContext,
  parseUtc,
} from '@mca/core/provider-kit';
import { normalisePlay } from './normalise.ts';
import { askPage, pageOf } from './paging.ts';
import { play, stamp } from './schemas.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** The last instant a `Date` can hold. */
const LAST_MS = 8.64e15;

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
 * walk of its own.
 */
export function history({ skipUndated }: HistoryOptions): HistoryCapability {
  return incremental({
    sources: { history: { name: 'Watched history', precision: 'minute', rank: 1 } },
    order: 'newest-first',
    backfill: false,
    // People mark what they saw days ago; a week of plays is a page.
    overlapMs: 7 * DAY_MS,
    deepOverlapMs: 365 * DAY_MS,
    intervalMs: 60 * MINUTE_MS,
    entry: play,
    fetch,
    normalise: (entry) => normalisePlay(entry, skipUndated),
  });
}

/** Where a walk is: page so-and-so of what was watched up to an instant. */
interface Place {
  /** Epoch milliseconds; `undefined` has no end. */
  readonly upTo: number | undefined;
  readonly page: number;
}

async function fetch(context: ProviderContext, request: PageRequest): Promise<FetchedPage> {
  const place = placeOf(request);
  const { since, limit } = request;
  const records = await askPage(context, {
    path: 'sync/history',
    operation: 'history',
    page: place.page,
    limit,
    // A minute early: the service keeps minutes, and does not say whether the bounds belong to what they bound.
    bounds: { start_at: isoOf(since === undefined ? undefined : since - MINUTE_MS), end_at: isoOf(place.upTo) },
  });
  if (records.length === 0) return { records, hasMore: false };
  const { upTo, page } = placeAfter(place, records);
  return { records, hasMore: true, cursor: `${upTo ?? ''}:${page}` };
}

/** Behind the oldest play of the page; on the next page where all of it is of one minute. */
function placeAfter({ upTo, page }: Place, records: readonly unknown[]): Place {
  const oldest = Math.min(...records.map(watchedAt));
  // The minute of the oldest play again: it may go on behind the end of the page.
  const next = oldest + MINUTE_MS;
  return next < (upTo ?? Number.POSITIVE_INFINITY) ? { upTo: next, page: 1 } : { upTo, page: page + 1 };
}

/** Bad records are rejected later, one by one; here they only must not pass for old ones. */
function watchedAt(record: unknown): number {
  const { data } = stamp.safeParse(record);
  return (data && parseUtc(data.watched_at)) ?? Number.POSITIVE_INFINITY;
}

function placeOf({ cursor, until }: PageRequest): Place {
  if (cursor === undefined) return { upTo: until === undefined ? undefined : until + MINUTE_MS, page: 1 };
  const [, upTo, page = ''] = /^(-?\d{1,16})?:(\d+)$/.exec(cursor) ?? [];
  if (upTo === undefined) return { upTo, page: pageOf(page) };
  if (Math.abs(Number(upTo)) > LAST_MS) throw cursorInvalid('trakt');
  return { upTo: Number(upTo), page: pageOf(page) };
}

function isoOf(instant: number | undefined): string | undefined {
  return instant === undefined ? undefined : new Date(instant).toISOString();
}
