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
/** So many plays of the last days a position remembers; of more it does not tell new ones from known ones. */
const MOST_RECENT = 1_000;
/** The last instant a `Date` can hold. */
const LAST_MS = 8.64e15;

/** When plays of films and of episodes last changed, as Trakt wrote it: compared, never reckoned with. */
interface Stamps {
  readonly movies?: string | undefined;
  readonly episodes?: string | undefined;
}

/** Plays at or after an instant. */
interface Recent {
  readonly from: number;
  readonly ids: readonly string[];
}

/** What a walk leaves to the next one. */
interface Kept {
  readonly stamps: Stamps;
  /** When a walk that read everything began, epoch milliseconds. */
  readonly fullAt: number;
  /** When one is to begin; absent while nothing has changed since the last. */
  readonly fullDueAt?: number | undefined;
  /** Absent when there were too many. */
  readonly recent?: Recent | undefined;
}

/** A walk on its way. */
interface Walk {
  readonly startedAt: number;
  readonly stamps: Stamps;
  /** Reads from here on, epoch milliseconds; `undefined` reads everything. */
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
const stamps: z.ZodType<Stamps> = z.strictObject({ movies: z.string().optional(), episodes: z.string().optional() });
const ids = z.array(z.string().regex(/^\d{1,19}$/)).max(MOST_RECENT);
const recent: z.ZodType<Recent> = z.strictObject({ from: instant, ids });
const place: z.ZodType<Place> = z.strictObject({
  kept: z
    .strictObject({ stamps, fullAt: instant, fullDueAt: instant.optional(), recent: recent.optional() })
    .optional(),
  walk: z
    .strictObject({
      startedAt: instant,
      stamps,
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

/** The walk that is to begin; `undefined` when nothing has changed since the one before. */
export async function begin(
  context: ProviderContext,
  { since, until }: PageRequest,
  kept: Kept | undefined,
): Promise<Walk | undefined> {
  const now = await stampsNow(context);
  const startedAt = context.now();
  const isDue = kept?.fullDueAt !== undefined && startedAt >= kept.fullDueAt;
  if (kept && isSame(kept.stamps, now) && !isDue) return undefined;
  const isWhole = since === undefined || isDue;
  // A minute early: the service keeps minutes, and does not say whether the bounds belong to what they bound.
  const from = isWhole ? undefined : Math.min(since, kept?.recent?.from ?? since) - MINUTE_MS;
  return {
    startedAt,
    stamps: now,
    from,
    upTo: until === undefined ? undefined : until + MINUTE_MS,
    page: 1,
    unmet: kept?.recent?.ids ?? [],
    hasNews: false,
  };
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

/** Where Trakt leaves one out, nobody knows. */
function isSame(a: Stamps, b: Stamps): boolean {
  return a.movies !== undefined && a.episodes !== undefined && a.movies === b.movies && a.episodes === b.episodes;
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
    // One too many says that there were more.
    met: { from, ids: [...all].slice(0, MOST_RECENT) },
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
  const { startedAt, stamps: to, from, met } = walk;
  const isWhole = from === undefined;
  // Where no walk has read everything, the user wants only what is new, or a position was lost: no hurry either way.
  const fullAt = isWhole ? startedAt : (kept?.fullAt ?? startedAt);
  const isTold = isWhole || kept?.recent === undefined || walk.hasNews || walk.unmet.length > 0;
  if (!isTold && startedAt >= fullAt + FULL_EVERY_MS) return { kept, walk: { ...walk, from: undefined, page: 1 } };
  const dueAt = Math.min(kept?.fullDueAt ?? LAST_MS, fullAt + (isTold ? FULL_AFTER_MS : FULL_EVERY_MS));
  return {
    kept: {
      stamps: to,
      fullAt,
      ...(!isWhole && { fullDueAt: dueAt }),
      ...(met && met.ids.length < MOST_RECENT && { recent: met }),
    },
  };
}
