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
const STRETCHES_KEPT = 50;

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
  if (merged.length <= keep) return merged;
  const gaps = merged.slice(1).map((stretch, index) => stretch.from - (merged[index]?.to ?? 0));
  const smallestKept = gaps.toSorted((a, b) => b - a)[keep - 2] ?? Number.POSITIVE_INFINITY;
  return joined(merged, smallestKept - 1, keep);
}

/** What is left of coverage when a stretch in which nothing was told is cut out, its ends kept. */
export function withoutStretch(coverage: readonly Coverage[], gap: Readonly<Stretch>): readonly Coverage[] {
  return coverage.flatMap((stretch) => {
    const { from, to } = stretch;
    if (to.getTime() <= gap.from || from.getTime() >= gap.to) return [stretch];
    const before = from.getTime() <= gap.from ? [{ ...stretch, to: new Date(gap.from) }] : [];
    const after = to.getTime() >= gap.to ? [{ ...stretch, from: new Date(gap.to) }] : [];
    return [...before, ...after];
  });
}
