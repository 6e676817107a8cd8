import type { Coverage } from '../contracts/import-record.ts';
import type { MediaItem } from '../contracts/media-item.ts';

/**
 * Collects which stretches of time the items of an import tell of, per platform, source and account.
 *
 * A stretch ends where nothing was told for a week. So one row with a broken clock, a file with a few rows years apart
 * or a file that broke off never claims the time in between, and an import may claim what it committed so far.
 */
export interface CoverageTracker {
  /** The tracker with these items as well; the old one stays as it is. */
  with(items: readonly MediaItem[]): CoverageTracker;
  stretches(): readonly Coverage[];
}

interface Stretch {
  from: number;
  to: number;
}

/** Merged stretches by platform, source and account. Bounded by the weeks of a life, not by items. */
type Known = ReadonlyMap<string, readonly Stretch[]>;

const DAY_MS = 86_400_000;
const LONGEST_SILENCE_MS = 7 * DAY_MS;
/** More stretches than this per source are joined at their smallest gaps. */
const STRETCHES_KEPT = 500;
/** So many of the newest stretches are taken as told by reads. */
export const CERTAIN_STRETCHES = 50;

export function trackCoverage(known: Known = new Map()): CoverageTracker {
  return {
    with(items) {
      const next = new Map(known);
      for (const [key, byDay] of daysOf(items)) {
        // Silences are judged the same in whatever order stretches are joined, so the days need not be kept.
        const all = [...(known.get(key) ?? []), ...byDay.values()];
        next.set(key, joined(all, LONGEST_SILENCE_MS, Number.POSITIVE_INFINITY));
      }
      return trackCoverage(next);
    },
    stretches: () =>
      [...known].flatMap(([key, all]) => {
        const [platform, source, account] = JSON.parse(key) as [string, string, string | null];
        return joined(all, LONGEST_SILENCE_MS).map(({ from, to }) => ({
          platform,
          source,
          ...(account === null ? {} : { account }),
          from: new Date(from),
          to: new Date(to),
        }));
      }),
  };
}

/** First and last event of each day, by platform, source and account. */
function daysOf(items: readonly MediaItem[]): ReadonlyMap<string, ReadonlyMap<number, Stretch>> {
  const days = new Map<string, Map<number, Stretch>>();
  // Accounts alternate, platform and source hardly ever: making a key for every item would cost more than all the rest.
  const lastOf = new Map<string | undefined, { readonly item: MediaItem; readonly byDay: Map<number, Stretch> }>();
  for (const item of items) {
    if (item.action !== 'consumed') continue;
    let last = lastOf.get(item.account);
    if (last?.item.source !== item.source || last.item.platform !== item.platform) {
      const key = JSON.stringify([item.platform, item.source, item.account]);
      const byDay = days.get(key) ?? new Map<number, Stretch>();
      days.set(key, byDay);
      last = { item, byDay };
      lastOf.set(item.account, last);
    }
    noteMoment(last.byDay, item.consumedAt.getTime());
  }
  return days;
}

function noteMoment(byDay: Map<number, Stretch>, time: number): void {
  const day = Math.floor(time / DAY_MS);
  const known = byDay.get(day);
  if (!known) byDay.set(day, { from: time, to: time });
  else if (time < known.from) byDay.set(day, { from: time, to: known.to });
  else if (time > known.to) byDay.set(day, { from: known.from, to: time });
}

/** Joins stretches that overlap or are at most `silenceMs` apart, and the nearest ones when there are too many. */
export function joined(
  stretches: readonly Readonly<Stretch>[],
  silenceMs: number,
  keep: number = STRETCHES_KEPT,
): readonly Stretch[] {
  const merged: Stretch[] = [];
  for (const stretch of stretches.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last && stretch.from - last.to <= silenceMs) last.to = Math.max(last.to, stretch.to);
    else merged.push({ ...stretch });
  }
  return merged.length <= keep ? merged : joinNearest(merged, keep);
}

/**
 * Of stretches in order, as many as may stay: the shortest silences go, of equal ones the oldest. Those between the
 * newest stretches stay: reads take these as told, and ask row by row about the older ones.
 */
function joinNearest(stretches: readonly Stretch[], keep: number): readonly Stretch[] {
  const silences = stretches.slice(1).map(({ from }, index) => ({ index, ms: from - (stretches[index]?.to ?? 0) }));
  const older = silences.slice(0, -Math.min(CERTAIN_STRETCHES, keep - 1));
  const going = older.toSorted((a, b) => a.ms - b.ms).slice(0, stretches.length - keep);
  const isGoing = new Set(going.map(({ index }) => index + 1));
  const left: Stretch[] = [];
  for (const [index, stretch] of stretches.entries()) {
    const last = left.at(-1);
    if (last && isGoing.has(index)) last.to = stretch.to;
    else left.push({ ...stretch });
  }
  return left;
}

/** What is left of stretches when one is cut out of them. */
export function withoutStretch(
  stretches: readonly Readonly<Stretch>[],
  hole: Readonly<Stretch> | undefined,
): readonly Readonly<Stretch>[] {
  if (!hole) return stretches;
  return stretches.flatMap(({ from, to }) => {
    if (to <= hole.from || from >= hole.to) return [{ from, to }];
    const before = from < hole.from ? [{ from, to: hole.from }] : [];
    const after = to > hole.to ? [{ from: hole.to, to }] : [];
    return [...before, ...after];
  });
}

/**
 * What is left of coverage when stretches in which nothing was told are cut out, their ends kept. Each source's stretches,
 * and the gaps, are in order and do not overlap.
 */
export function withoutStretches(
  coverage: readonly Coverage[],
  gaps: readonly Readonly<Stretch>[],
): readonly Coverage[] {
  if (gaps.length === 0) return coverage;
  return coverage.flatMap((stretch) => {
    const end = stretch.to.getTime();
    const left: Coverage[] = [];
    let from: number | undefined = stretch.from.getTime();
    for (const gap of gapsWithin(gaps, from, end)) {
      if (from !== undefined && from <= gap.from)
        left.push({ ...stretch, from: new Date(from), to: new Date(gap.from) });
      from = gap.to <= end ? gap.to : undefined;
    }
    if (from !== undefined) left.push({ ...stretch, from: new Date(from) });
    return left;
  });
}

/** The gaps that touch more than the ends of an interval. */
function gapsWithin(gaps: readonly Readonly<Stretch>[], from: number, to: number): readonly Readonly<Stretch>[] {
  let first = 0;
  let beyond = gaps.length;
  while (first < beyond) {
    const middle = (first + beyond) >> 1;
    if ((gaps[middle]?.to ?? 0) <= from) first = middle + 1;
    else beyond = middle;
  }
  let last = first;
  while (last < gaps.length && (gaps[last]?.from ?? 0) < to) last += 1;
  return gaps.slice(first, last);
}
