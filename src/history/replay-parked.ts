import type { CapabilityMap, IncrementalName } from '../contracts/capabilities/index.ts';
import { McaError } from '../contracts/errors.ts';
import type { MediaItem } from '../contracts/media-item.ts';
import type { StoredParkedRecord } from '../contracts/storage/index.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { faultOf } from './check-item.ts';
import { type OwnConnection, ownConnection } from './manage-connections.ts';
import { holdLease } from './sync-lease.ts';
import { readPosition } from './sync-position.ts';
import { tellItems } from './tell-items.ts';

/** What a replay did. */
export interface ReplayReport {
  /** Records that were understood now; their items are stored. */
  readonly replayed: number;
  /** Items that came of them and were not stored before. */
  readonly inserted: number;
  /** Records that still cannot be understood, and stay parked. */
  readonly remaining: number;
}

/**
 * Records of a sync that could not be normalised, oldest first, each with its reason and the record as the
 * provider handed it over, at most 16 KiB of it.
 *
 * @throws McaError `not_found` when the user has no such connection
 */
export async function listParked(
  registry: AnyRegistry,
  request: OwnConnection,
): Promise<readonly StoredParkedRecord[]> {
  await ownConnection(registry, request);
  return registry.storage.listParked(request.connectionId);
}

/**
 * Tries parked records again, after the provider was mended. Each record goes with the page that stores its items.
 *
 * @throws McaError `not_found` when the user has no such connection; `storage` `busy` while a sync of it is running
 */
export async function replayParked(registry: AnyRegistry, request: OwnConnection): Promise<ReplayReport> {
  const connection = await ownConnection(registry, request);
  const { provider } = connection;
  const parked = await registry.storage.listParked(request.connectionId);
  const capabilities: Partial<CapabilityMap> = registry.list().find(({ id }) => id === provider)?.capabilities ?? {};
  let report: ReplayReport = { replayed: 0, inserted: 0, remaining: parked.length };
  for (const [name, records] of Map.groupBy(parked, ({ capability }) => capability)) {
    const capability = capabilities[name as IncrementalName];
    if (!capability) continue;
    const { position } = await readPosition(registry, connection, name, capability);
    const floor = position?.floor ?? Number.NEGATIVE_INFINITY;
    const good: { readonly id: number; readonly items: readonly MediaItem[] }[] = [];
    for (const { id, raw } of records) {
      const value = parseRaw(raw);
      if (value === undefined) continue;
      const { items, rejected } = capability.replay(value);
      const isSound = items.every((item) => faultOf(item, { provider, sources: capability.sources }) === undefined);
      // What happened before the start that the user chose is not wanted from here either.
      const wanted = items.filter(({ consumedAt }) => consumedAt.getTime() >= floor);
      if (rejected.length === 0 && isSound) good.push({ id, items: wanted });
    }
    if (good.length === 0) continue;
    const inserted = await store(registry, request, name, good);
    report = {
      replayed: report.replayed + good.length,
      inserted: report.inserted + inserted,
      remaining: report.remaining - good.length,
    };
  }
  return report;
}

async function store(
  registry: AnyRegistry,
  { userId, connectionId }: OwnConnection,
  name: string,
  good: readonly { readonly id: number; readonly items: readonly MediaItem[] }[],
): Promise<number> {
  const lease = await holdLease(registry, `sync:${connectionId}:${name}`);
  if (!lease) {
    throw new McaError({
      code: 'storage',
      reason: 'busy',
      retryable: true,
      message: 'A sync of this connection is running.',
      hint: 'Try again when it has ended.',
    });
  }
  try {
    const result = await registry.storage.commitPage({
      lease: lease.current,
      connectionId,
      items: good.flatMap(({ items }) => items),
      policy: 'keep',
      unparked: good.map(({ id }) => id),
    });
    await tellItems(registry, userId, result);
    return result.inserted;
  } finally {
    await lease.release();
  }
}

/** Records over 16 KiB were cut and are no JSON any more: they stay for a person to look at. */
function parseRaw(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return undefined;
  }
}
