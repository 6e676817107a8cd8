import type { Coverage } from '../contracts/import-record.ts';
import type { MediaItem } from '../contracts/media-item.ts';

/** Collects which stretch of time each file covers, per platform and source. */
export interface CoverageTracker {
  add(file: string, items: readonly MediaItem[]): void;
  /** A file that broke off covers nothing for sure. */
  drop(file: string): void;
  /** Stretches so far, overlapping ones merged. */
  all(): readonly Coverage[];
}

/** More stretches than this per source are joined at their smallest gaps; an export in thousands of parts is rare. */
const STRETCHES_KEPT = 200;

interface Stretch {
  from: number;
  to: number;
}

export function trackCoverage(): CoverageTracker {
  const byFile = new Map<string, Map<string, Stretch>>();
  return {
    add(file, items) {
      const stretches = byFile.get(file) ?? new Map<string, Stretch>();
      byFile.set(file, stretches);
      let source = '';
      let stretch: Stretch | undefined;
      for (const item of items) {
        if (item.action !== 'consumed') continue;
        // Neighbours nearly always share their source: no look-up for them.
        if (stretch === undefined || item.source !== source) {
          source = item.source;
          const key = JSON.stringify([item.platform, source]);
          stretch = stretches.get(key) ?? { from: Infinity, to: -Infinity };
          stretches.set(key, stretch);
        }
        const time = item.consumedAt.getTime();
        if (time < stretch.from) stretch.from = time;
        if (time > stretch.to) stretch.to = time;
      }
    },
    drop(file) {
      byFile.delete(file);
    },
    all() {
      const bySource = new Map<string, Stretch[]>();
      for (const stretches of byFile.values()) {
        for (const [key, stretch] of stretches) bySource.set(key, [...(bySource.get(key) ?? []), stretch]);
      }
      return [...bySource].flatMap(([key, stretches]) => {
        const [platform, source] = JSON.parse(key) as [string, string];
        return joined(stretches).map(({ from, to }) => ({ platform, source, from: new Date(from), to: new Date(to) }));
      });
    },
  };
}

/** Merges overlapping stretches, and the nearest ones when there are too many. */
export function joined(stretches: readonly Stretch[], keep: number = STRETCHES_KEPT): readonly Stretch[] {
  const merged: Stretch[] = [];
  for (const stretch of stretches.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last && stretch.from <= last.to) last.to = Math.max(last.to, stretch.to);
    else merged.push({ ...stretch });
  }
  while (merged.length > keep) {
    let nearest = 1;
    for (let index = 2; index < merged.length; index += 1)
      if (gap(merged, index) < gap(merged, nearest)) nearest = index;
    const [gone] = merged.splice(nearest, 1);
    const before = merged[nearest - 1];
    if (before && gone) before.to = gone.to;
  }
  return merged;
}

function gap(stretches: readonly Stretch[], index: number): number {
  return (stretches[index]?.from ?? 0) - (stretches[index - 1]?.to ?? 0);
}
