import type { IncrementalCapability } from '../contracts/capabilities/history.ts';
import type { Cursor, CursorEnvelope, CursorWalk } from '../contracts/cursor.ts';
import type { MediaItem } from '../contracts/media-item.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { decodeCursor } from '../runtime/cursor.ts';
import { type CoverageTracker, joined, trackCoverage, withoutStretch, withoutStretches } from './coverage.ts';

/** Where a track of a capability stands: the envelope without what is the same for all of them. */
export type Position = Omit<CursorEnvelope, 'v' | 'provider' | 'capability' | 'issuedAt'>;

/** Events dated further ahead than this are stored, and never believed. */
export const FUTURE_TOLERANCE_MS: number = 300_000;
const DEFAULT_OVERLAP_MS = 86_400_000;
const DEFAULT_DEEP_OVERLAP_MS = 1_209_600_000;
const DEEP_EVERY_MS = 604_800_000;

/** What of a capability decides how its walks go. */
export type WalkRules = Pick<IncrementalCapability, 'order' | 'overlapMs' | 'deepOverlapMs' | 'keepsCursor'>;

/**
 * The position to go on from: of the newest cursor that can be read, and how many before it cannot. Without any, the
 * position is `undefined` and the caller says where to begin.
 */
export async function readPosition(
  registry: AnyRegistry,
  connection: { readonly id: string; readonly provider: string },
  track: string,
  rules: WalkRules,
): Promise<{ readonly position: Position | undefined; readonly damaged: number }> {
  const cursors = await registry.storage.readCursors(connection.id, track);
  const expected = { provider: connection.provider, capability: track };
  for (const [damaged, cursor] of cursors.entries()) {
    const position = tryDecode(cursor, expected);
    // The page token of an older cursor is behind what is stored, its bounds are not.
    if (position) return { position: damaged === 0 ? position : restarted(position, rules), damaged };
  }
  return { position: undefined, damaged: cursors.length };
}

function tryDecode(cursor: Cursor, expected: { provider: string; capability: string }): Position | undefined {
  try {
    const {
      v: _v,
      provider: _provider,
      capability: _capability,
      issuedAt: _issuedAt,
      ...position
    } = decodeCursor(cursor, expected);
    return position;
  } catch {
    // Damaged, foreign or from a newer release: the caller counts it and looks further back.
    return undefined;
  }
}

/**
 * The position whose page token is lost: the walk begins again, where that can be told behind what it has met already.
 */
export function restarted(
  position: Position,
  { order, keepsCursor, overlapMs = DEFAULT_OVERLAP_MS }: WalkRules,
): Position {
  const { walk } = position;
  if (!walk) return { ...position, opaque: '' };
  // What such a provider knew lay in the token alone.
  if (keepsCursor) return { ...position, walk: { startedAt: walk.startedAt, isDeep: true }, opaque: '' };
  const met = order === 'oldest-first' && walk.seen !== undefined ? walk.seen - overlapMs : undefined;
  const since = newestOf([walk.since, met]);
  return { ...position, walk: { ...walk, ...(since === undefined ? {} : { since }) }, opaque: '' };
}

/** What of a stored page matters for the position. */
interface WalkPage {
  readonly items: readonly MediaItem[];
  readonly cursor: string;
  readonly hasMore: boolean;
  readonly gap?: { readonly from: number; readonly to: number } | undefined;
}

/** What a position becomes when a page of its walk is stored. */
export function advance(
  position: Position,
  page: WalkPage,
  {
    platform,
    order,
    keepsCursor = false,
    now,
  }: Pick<IncrementalCapability, 'order' | 'keepsCursor'> & { readonly platform: string; readonly now: number },
): Position {
  const walk = position.walk ?? { startedAt: now };
  // Future dates never move the mark: everything that really happens afterwards would be missed.
  const times = page.items
    .map(({ consumedAt }) => consumedAt.getTime())
    .filter((time) => time <= now + FUTURE_TOLERANCE_MS);
  const seen = newestOf([walk.seen, ...times]);
  const isSafe = order === 'oldest-first' || !page.hasMore;
  const highWater = isSafe
    ? newestOf([position.highWater, seen === undefined ? undefined : Math.min(seen, now)])
    : position.highWater;
  const { coverage: _told, gaps: _untold, ...before } = position;
  const next: Position = {
    ...before,
    ...(highWater === undefined ? {} : { highWater }),
    ...toldSoFar(position, page, platform),
    opaque: page.hasMore || keepsCursor ? page.cursor : '',
  };
  if (page.hasMore) return { ...next, walk: { ...walk, ...(seen === undefined ? {} : { seen }) } };
  const { walk: _ended, ...open } = next;
  // Only this says so: a position whose walk was lost has none either, and is far from done.
  const rest = walk.until === undefined ? open : { ...open, isDone: true };
  return walk.isDeep ? { ...rest, deepAt: walk.startedAt } : rest;
}

/** Bounds of the next walk. */
export function nextWalk(
  position: Position | undefined,
  { overlapMs = DEFAULT_OVERLAP_MS, deepOverlapMs = DEFAULT_DEEP_OVERLAP_MS, keepsCursor = false }: WalkRules,
  now: number,
): CursorWalk {
  const highWater = position?.highWater;
  if (highWater === undefined || (keepsCursor && position?.opaque === '')) return { startedAt: now, isDeep: true };
  const isDeep = now - (position?.deepAt ?? 0) >= DEEP_EVERY_MS;
  const backMs = isDeep ? Math.max(overlapMs, deepOverlapMs) : overlapMs;
  const since = Math.min(highWater, now) - backMs;
  return { startedAt: now, ...(Number.isFinite(since) ? { since } : {}), ...(isDeep ? { isDeep } : {}) };
}

/** Reads leave out what a told stretch covers, so gaps are not forgotten: when there are too many, the nearest two become one. */
const GAPS_KEPT = 500;

/** What the service has told of so far, and what it has not. */
function toldSoFar(position: Position, page: WalkPage, platform: string): Pick<Position, 'coverage' | 'gaps'> {
  // What a page holds is told from its first item to its last: gaps of before end there.
  const known = withoutStretch(
    (position.gaps ?? []).map(([from, to]) => ({ from, to })),
    spanOf(page.items),
  );
  const gaps = page.gap ? joined([...known, page.gap], 0, GAPS_KEPT) : known;
  // Each time anew: joining stretches over short silences would close the gaps again.
  const stretches = withoutStretches(trackerOf(position, platform).with(page.items).stretches(), gaps);
  const coverage = stretches.map(
    ({ source, account, from, to }) => [source, account ?? null, from.getTime(), to.getTime()] as const,
  );
  return {
    ...(coverage.length === 0 ? {} : { coverage }),
    ...(gaps.length === 0 ? {} : { gaps: gaps.map(({ from, to }) => [from, to] as const) }),
  };
}

function trackerOf({ coverage = [] }: Position, platform: string): CoverageTracker {
  const known = Map.groupBy(coverage, ([source, account]) => JSON.stringify([platform, source, account]));
  const stretches = [...known].map(([key, all]) => [key, all.map(([, , from, to]) => ({ from, to }))] as const);
  return trackCoverage(new Map(stretches));
}

/** First and last event of a page. */
function spanOf(items: readonly MediaItem[]): { readonly from: number; readonly to: number } | undefined {
  const times = items.filter(({ action }) => action === 'consumed').map(({ consumedAt }) => consumedAt.getTime());
  return times.length === 0 ? undefined : { from: Math.min(...times), to: Math.max(...times) };
}

/** The latest of the times that are known. */
export function newestOf(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}
