import type { ItemPage } from '../contracts/capabilities/history.ts';
import type { IncrementalName } from '../contracts/capabilities/index.ts';
import type { Cursor } from '../contracts/cursor.ts';
import { McaError } from '../contracts/errors.ts';
import type { SyncProgressEvent } from '../contracts/events.ts';
import type { MediaItem } from '../contracts/media-item.ts';
import type { ParkedRecord, UpdatePolicy } from '../contracts/storage/index.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { encodeCursor } from '../runtime/cursor.ts';
import { nextPage, type PageSource, type Trail } from './next-page.ts';
import { parkedRecord } from './parked-record.ts';
import { followRemovals } from './removed-upstream.ts';
import type { HeldLease } from './sync-lease.ts';
import { advance, FUTURE_TOLERANCE_MS, nextWalk, type Position } from './sync-position.ts';
import type { SyncLedger } from './sync-report.ts';
import { tellItems } from './tell-items.ts';

/** What all steps of one sync share. */
export interface SyncJob extends PageSource {
  readonly registry: AnyRegistry;
  readonly name: IncrementalName;
  readonly lease: HeldLease;
  readonly ledger: SyncLedger;
  readonly policy: UpdatePolicy;
  /** What happens to items that the service no longer has. */
  readonly removedUpstream: 'report' | 'delete';
  readonly signal: AbortSignal;
  /** Told after each page. */
  readonly onPage: (page: Pick<SyncProgressEvent, 'total' | 'walk'>) => void;
}

/** One of the two walks of a sync: what is new, or what is old. */
export interface Track {
  /** Key of its cursor in the store. */
  readonly key: string;
  position: Position | undefined;
  /** Newest instant it wants; `undefined` means up to now. */
  readonly until?: number | undefined;
  readonly trail: Trail;
}

/**
 * Walks until the service has no more, or `mayGoOn` says stop. Every page is one transaction.
 *
 * @returns whether more is left
 */
export async function walk(job: SyncJob, track: Track, mayGoOn: () => boolean): Promise<{ readonly hasMore: boolean }> {
  for (;;) {
    throwIfStopped(job);
    const { position, page } = await nextPage(job, startWalk(job, track), track.trail);
    throwIfStopped(job);
    await followRemovals(job, page.present ?? [], () => throwIfStopped(job));
    await commit(job, track, position, page);
    if (!page.hasMore) return { hasMore: false };
    if (!mayGoOn()) return { hasMore: true };
  }
}

function startWalk({ registry, capability }: SyncJob, { position = { opaque: '' }, until }: Track): Position {
  if (position.walk) return position;
  const now = registry.env.clock.now();
  return { ...position, walk: until === undefined ? nextWalk(position, capability, now) : { startedAt: now, until } };
}

async function commit(job: SyncJob, track: Track, position: Position, page: ItemPage): Promise<void> {
  const { registry, connection, name, capability, ledger, lease, policy } = job;
  const now = registry.env.clock.now();
  const wanted = page.items.filter(
    ({ consumedAt }) => consumedAt.getTime() >= (position.floor ?? Number.NEGATIVE_INFINITY),
  );
  const beforeStart = page.items.length - wanted.length;
  const next = advance(
    position,
    { ...page, items: wanted },
    { platform: connection.provider, order: capability.order, keepsCursor: capability.keepsCursor, now },
  );
  const stored = await registry.storage.commitPage({
    lease: lease.current,
    connectionId: connection.id,
    items: wanted,
    policy,
    cursor: { capability: track.key, value: cursorOf(job, track, next, now) },
    parked: page.rejected.map((record): ParkedRecord => parkedRecord(name, record)),
  });
  track.position = next;
  ledger.add({
    ...page,
    skipped: beforeStart === 0 ? page.skipped : { ...page.skipped, before_start: beforeStart },
    futureDated: countFuture(wanted, now),
    stored,
    gap: page.gap,
  });
  if (page.gap) {
    const { id: connectionId, userId, provider } = connection;
    const [from, to] = [new Date(page.gap.from), new Date(page.gap.to)];
    registry.emit({ type: 'coverage_gap', provider, connectionId, userId, capability: name, from, to });
  }
  await tellItems(registry, connection.userId, stored);
  job.onPage({ total: page.total, walk: track.until === undefined ? 'recent' : 'backfill' });
}

/** The cursor that says `position`. */
export function cursorOf(
  { connection }: Pick<SyncJob, 'connection'>,
  { key }: Pick<Track, 'key'>,
  position: Position,
  issuedAt: number,
): Cursor {
  return encodeCursor({ provider: connection.provider, capability: key, issuedAt, ...position });
}

function countFuture(items: readonly MediaItem[], now: number): number {
  return items.filter(({ consumedAt }) => consumedAt.getTime() > now + FUTURE_TOLERANCE_MS).length;
}

function throwIfStopped({ signal, connection }: SyncJob): void {
  if (!signal.aborted) return;
  const { reason } = signal;
  if (McaError.isInstance(reason)) throw reason;
  throw new McaError({
    code: 'cancelled',
    provider: connection.provider,
    message: 'The sync was cancelled; whole pages are stored.',
    cause: reason,
  });
}
