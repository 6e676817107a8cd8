import { cursorInvalid, type PageRequest, type ProviderContext, parseUtc } from '@mca/core/provider-kit';
import { z } from 'zod';
import { activities, playStamp } from './schemas.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** What happened in so much time before the newest play is read again each time: people mark what they saw days ago. */
export const OVERLAP_MS: number = 7 * DAY_MS;
/** When something changed, everything is read once more within so long, whatever has come since. */
const FULL_AFTER_MS = 7 * DAY_MS;
/** Sooner, when nothing that was read tells what changed; but no more often than this. */
const FULL_EVERY_MS = DAY_MS;
/** For so long after a change the list may lag behind the stamp. */
const SETTLES_MS = 10 * MINUTE_MS;
/** So many plays of the last days a position remembers; of more it does not tell new ones from known ones. */
const MOST_RECENT = 500;
/** The last instant a `Date` can hold. */
const LAST_MS = 8.64e15;

/**
 * When plays of films and of episodes last changed, as Trakt wrote it: compared, never reckoned with. `null` is an account
 * without such plays; where one is missing, nobody knows.
 */
interface Stamps {
  readonly movies?: string | null | undefined;
  readonly episodes?: string | null | undefined;
}

/** Plays at or after an instant. */
interface Recent {
  readonly from: number;
  readonly ids: readonly string[];
}

/** What a walk leaves to the next one. Times are epoch milliseconds. */
interface Kept {
  readonly stamps: Stamps;
  /** When a walk first met these stamps. */
  readonly changedAt: number;
  /** A later walk has looked again, long enough after it. */
  readonly isSettled: boolean;
  /** From when on the user wants plays; absent for all. */
  readonly beginning?: number | undefined;
  /** When a walk that read everything began. */
  readonly fullAt: number;
  /** When one is to begin. */
  readonly fullDueAt?: number | undefined;
  /** Absent when there were too many. */
  readonly recent?: Recent | undefined;
}

/** A walk on its way. */
interface Walk {
  readonly startedAt: number;
  readonly stamps: Stamps;
  /** The stamps are not those of the walk before. */
  readonly isChanged: boolean;
  /** Reads everything. */
  readonly isWhole: boolean;
  readonly beginning?: number | undefined;
  /** Reads from here on; `undefined` has no beginning. */
  readonly from?: number | undefined;
  /** Is at page so-and-so of what was watched up to this; `undefined` has no end. */
  readonly upTo?: number | undefined;
  readonly page: number;
  /** Of the plays it met, those of the last days. */
  readonly met?: Recent | undefined;
  /** Plays that the walk before had met, and this one has not. */
  readonly unmet: readonly string[];
  /** It met a play of the last days that the one before had not. */
  readonly hasNews: boolean;
}

/** Where a capability stands: what is kept from the walk before, and the one that is on its way. */
export interface Place {
  readonly kept?: Kept | undefined;
  readonly walk?: Walk | undefined;
}

const instant = z.int().min(-LAST_MS).max(LAST_MS);
const stamp = z.string().nullish();
const stamps: z.ZodType<Stamps> = z.strictObject({ movies: stamp, episodes: stamp });
// One more than are kept says that there were more.
const ids = z.array(z.string().regex(/^\d{1,19}$/)).max(MOST_RECENT + 1);
const recent: z.ZodType<Recent> = z.strictObject({ from: instant, ids });
const place: z.ZodType<Place> = z.strictObject({
  kept: z
    .strictObject({
      stamps,
      changedAt: instant,
      isSettled: z.boolean(),
      beginning: instant.optional(),
      fullAt: instant,
      fullDueAt: instant.optional(),
      recent: recent.optional(),
    })
    .optional(),
  walk: z
    .strictObject({
      startedAt: instant,
      stamps,
      isChanged: z.boolean(),
      isWhole: z.boolean(),
      beginning: instant.optional(),
      from: instant.optional(),
      upTo: instant.optional(),
      page: z.int().min(1).max(999_999),
      met: recent.optional(),
      unmet: ids,
      hasNews: z.boolean(),
    })
    .optional(),
});

/** @throws McaError `invalid_data` `cursor_invalid` */
export function readPlace(cursor: string): Place {
  try {
    return place.parse(JSON.parse(cursor));
  } catch {
    throw cursorInvalid('trakt');
  }
}

/** With the walk that is to begin; without one when nothing has changed since the one before. */
export async function begin(
  context: ProviderContext,
  { since, until }: PageRequest,
  before: Kept | undefined,
): Promise<Place> {
  const now = await stampsNow(context);
  const startedAt = context.now();
  const kept = before && inTime(before, startedAt);
  const isChanged = !kept || !isSame(kept.stamps, now);
  const isDue = kept?.fullDueAt !== undefined && startedAt >= kept.fullDueAt;
  if (kept?.isSettled && !isChanged && !isDue) return { kept };
  const isWhole = !kept || isDue || since === undefined;
  const beginning = kept ? kept.beginning : since;
  const from = isWhole
    ? beginning
    : Math.max(beginning ?? Number.NEGATIVE_INFINITY, Math.min(since, kept.recent?.from ?? since));
  const walk: Walk = {
    startedAt,
    stamps: now,
    isChanged,
    isWhole,
    beginning,
    from: minuteBefore(from),
    upTo: until === undefined ? undefined : until + MINUTE_MS,
    page: 1,
    unmet: kept?.recent?.ids ?? [],
    hasNews: false,
  };
  return { kept, walk };
}

/** A clock that was ahead must not put anything off. */
function inTime(kept: Kept, now: number): Kept {
  const { changedAt, fullAt, fullDueAt } = kept;
  return {
    ...kept,
    changedAt: Math.min(changedAt, now),
    fullAt: Math.min(fullAt, now),
    ...(fullDueAt !== undefined && { fullDueAt: Math.min(fullDueAt, now + FULL_AFTER_MS) }),
  };
}

/** The service keeps minutes, and does not say whether bounds belong to what they bound. */
function minuteBefore(instant: number | undefined): number | undefined {
  return instant === undefined ? undefined : instant - MINUTE_MS;
}

async function stampsNow({ http }: ProviderContext): Promise<Stamps> {
  const { movies, episodes } = await http.request({
    path: 'sync/last_activities',
    operation: 'last-activities',
    query: {},
    schema: activities,
  });
  return { movies: movies?.watched_at, episodes: episodes?.watched_at };
}

function isSame(a: Stamps, b: Stamps): boolean {
  return isKnown(a) && a.movies === b.movies && a.episodes === b.episodes;
}

function isKnown({ movies, episodes }: Stamps): boolean {
  return movies !== undefined && episodes !== undefined;
}

/** The walk behind a page of it. */
export function behind(walk: Walk, records: readonly unknown[], kept: Kept | undefined): Walk {
  const plays = records.map(stampOf);
  return { ...walk, ...placeAfter(walk, plays), ...meet(walk, plays, kept?.recent) };
}

/** Behind the oldest play of the page; on the next page where all of it is of one minute. */
function placeAfter({ upTo, page }: Walk, plays: readonly Stamp[]): Pick<Walk, 'upTo' | 'page'> {
  const oldest = Math.min(...plays.map(({ at }) => at));
  // The minute of the oldest play again: it may go on behind the end of the page.
  const next = oldest + MINUTE_MS;
  return next < (upTo ?? Number.POSITIVE_INFINITY) ? { upTo: next, page: 1 } : { upTo, page: page + 1 };
}

function meet(
  { startedAt, met, unmet, hasNews }: Walk,
  plays: readonly Stamp[],
  known: Recent | undefined,
): Pick<Walk, 'met' | 'unmet' | 'hasNews'> {
  const { from, ids: before } = met ?? { from: newestOf(plays, startedAt) - OVERLAP_MS, ids: [] };
  const here = new Set(plays.map(({ id }) => id));
  const all = new Set(before);
  for (const { id, at } of plays) if (id !== undefined && at >= from) all.add(id);
  const old = new Set(known?.ids);
  const isNew = ({ id, at }: Stamp): boolean => id !== undefined && at >= (known?.from ?? at) && !old.has(id);
  return {
    met: { from, ids: [...all].slice(0, MOST_RECENT + 1) },
    unmet: unmet.filter((id) => !here.has(id)),
    hasNews: hasNews || plays.some(isNew),
  };
}

/** Dates ahead of the clock say nothing of what is new. */
function newestOf(plays: readonly Stamp[], now: number): number {
  const times = plays.map(({ at }) => at).filter((at) => at <= now);
  return times.length === 0 ? now : Math.max(...times);
}

interface Stamp {
  readonly id: string | undefined;
  readonly at: number;
}

/** Bad records are rejected later, one by one; here they only must not pass for old ones. */
function stampOf(record: unknown): Stamp {
  const { id, watched_at: at = '' } = playStamp.safeParse(record).data ?? {};
  return { id, at: parseUtc(at) ?? Number.POSITIVE_INFINITY };
}

/**
 * What comes of a walk that has met the last play of its stretch. Trakt lists plays by when they were watched, not by
 * when they were marked: where something changed, and neither a new play nor a missing one tells what, it lies further
 * back, and the walk goes on to the beginning.
 */
export function finish(walk: Walk, kept: Kept | undefined): Place {
  const { startedAt, stamps: to, isChanged, isWhole, beginning, met } = walk;
  const isTold = isWhole || !isChanged || !isKnown(to) || !kept?.recent || walk.hasNews || walk.unmet.length > 0;
  const fullAt = isWhole ? startedAt : (kept?.fullAt ?? startedAt);
  if (!isTold && startedAt >= fullAt + FULL_EVERY_MS)
    return { kept, walk: { ...walk, isWhole: true, from: minuteBefore(beginning), page: 1 } };
  const changedAt = isChanged ? startedAt : (kept?.changedAt ?? startedAt);
  return {
    kept: {
      stamps: to,
      changedAt,
      isSettled: !isChanged && startedAt - changedAt >= SETTLES_MS,
      beginning,
      fullAt,
      fullDueAt: dueAt(walk, kept, fullAt + (isTold ? FULL_AFTER_MS : FULL_EVERY_MS)),
      ...(met && met.ids.length <= MOST_RECENT && { recent: met }),
    },
  };
}

/** After a change everything is read once more, also when it was read just now: the list may have lagged behind. */
function dueAt({ isChanged, isWhole }: Walk, kept: Kept | undefined, afterChange: number): number | undefined {
  const before = isWhole ? undefined : kept?.fullDueAt;
  return isChanged ? Math.min(before ?? afterChange, afterChange) : before;
}
