import type { Cursor, CursorEnvelope, CursorWalk } from '../contracts/cursor.ts';
import type { MediaItem } from '../contracts/media-item.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { decodeCursor } from '../runtime/cursor.ts';
import { type CoverageTracker, trackCoverage, withoutStretch } from './coverage.ts';

/** Where a track of a capability stands: the envelope without what is the same for all of them. */
export type Position = Omit<CursorEnvelope, 'v' | 'provider' | 'capability' | 'issuedAt'>;

/** Events dated further ahead than this are stored, and never believed. */
export const FUTURE_TOLERANCE_MS: number = 5 * 60_000;
const DAY_MS = 86_400_000;
export const DEFAULT_OVERLAP_MS: number = DAY_MS;
export const DEFAULT_DEEP_OVERLAP_MS: number = 14 * DAY_MS;
export const DEEP_EVERY_MS: number = 7 * DAY_MS;

/**
 * The position to go on from. A cursor that cannot be read is passed over for the one before it, and then for what the
 * store itself knows: the position falls back, it never starts from nothing where something is stored.
 */
export async function readPosition(
  registry: AnyRegistry,
  connection: { readonly id: string; readonly userId: string; readonly provider: string },
  track: string,
): Promise<{ readonly position: Position | undefined; readonly damaged: number }> {
  const cursors = await registry.storage.readCursors(connection.id, track);
  const expected = { provider: connection.provider, capability: track };
  for (const [index, cursor] of cursors.entries()) {
    const position = tryDecode(cursor, expected);
    if (!position) continue;
    // The walk of an older cursor is behind what is stored: only its high-water mark still says where to go on.
    return { position: index === 0 ? position : betweenWalks(position), damaged: index };
  }
  if (cursors.length === 0) return { position: undefined, damaged: 0 };
  const [newest] = await registry.storage.queryItems({
    userId: connection.userId,
    connectionId: connection.id,
    to: new Date(registry.env.clock.now() + FUTURE_TOLERANCE_MS),
    order: 'newest',
    limit: 1,
  });
  return { position: { highWater: newest?.consumedAt.getTime(), opaque: '' }, damaged: cursors.length };
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

/** The position with its walk forgotten. */
export function betweenWalks(position: Position): Position {
  const { walk: _walk, ...rest } = position;
  return { ...rest, opaque: '' };
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
    now,
  }: { readonly platform: string; readonly order: 'oldest-first' | 'newest-first'; readonly now: number },
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
  const next: Position = {
    ...position,
    ...(highWater === undefined ? {} : { highWater }),
    ...toldSoFar(position, page, platform),
    opaque: page.hasMore ? page.cursor : '',
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
  capability: { readonly overlapMs?: number | undefined; readonly deepOverlapMs?: number | undefined },
  now: number,
): CursorWalk {
  const highWater = position?.highWater;
  if (highWater === undefined) return { startedAt: now, isDeep: true };
  const isDeep = now - (position?.deepAt ?? 0) >= DEEP_EVERY_MS;
  const overlapMs = capability.overlapMs ?? DEFAULT_OVERLAP_MS;
  const deepMs = Math.max(overlapMs, capability.deepOverlapMs ?? DEFAULT_DEEP_OVERLAP_MS);
  const since = Math.min(highWater, now) - (isDeep ? deepMs : overlapMs);
  return { startedAt: now, ...(Number.isFinite(since) ? { since } : {}), ...(isDeep ? { isDeep } : {}) };
}

const GAPS_KEPT = 50;

/** What the service has told of so far, and what it has not. */
function toldSoFar(position: Position, page: WalkPage, platform: string): Pick<Position, 'coverage' | 'gaps'> {
  const gaps = [...(position.gaps ?? []), ...(page.gap ? [[page.gap.from, page.gap.to] as const] : [])].slice(
    -GAPS_KEPT,
  );
  let stretches = trackerOf(position, platform).with(page.items).stretches();
  // Each time anew: joining stretches over short silences would close the gap again.
  for (const [from, to] of gaps) stretches = withoutStretch(stretches, { from, to });
  const coverage = stretches.map(
    ({ source, account, from, to }) => [source, account ?? null, from.getTime(), to.getTime()] as const,
  );
  return { ...(coverage.length === 0 ? {} : { coverage }), ...(gaps.length === 0 ? {} : { gaps }) };
}

function trackerOf({ coverage = [] }: Position, platform: string): CoverageTracker {
  const known = Map.groupBy(coverage, ([source, account]) => JSON.stringify([platform, source, account]));
  const stretches = [...known].map(([key, all]) => [key, all.map(([, , from, to]) => ({ from, to }))] as const);
  return trackCoverage(new Map(stretches));
}

function newestOf(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}
