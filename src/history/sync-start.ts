import { serviceNow } from '../auth/service-time.ts';
import { providerOf } from '../auth/strategies.ts';
import type { CapabilityMap, IncrementalName } from '../contracts/capabilities/index.ts';
import type { Connection } from '../contracts/connection.ts';
import type { MediaAction } from '../contracts/media-item.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { firstSyncOf, withFirstSync } from '../registry/first-sync.ts';
import type { HeldLease } from './sync-lease.ts';
import { type Position, readPosition } from './sync-position.ts';
import type { SyncSettings } from './sync-tracks.ts';
import { cursorOf } from './sync-walk.ts';

/** Which tracks are to begin, and how. */
export interface Start {
  readonly connection: Connection;
  readonly name: IncrementalName;
  readonly capability: CapabilityMap[IncrementalName];
  readonly settings: Pick<SyncSettings, 'firstSync' | 'again'>;
  readonly lease: HeldLease;
}

/** Where both tracks of a capability stand. */
export interface Starts {
  readonly recent: Position | undefined;
  /** Absent when there is no old history left to fetch. */
  readonly old?: { readonly position: Position | undefined; readonly until: number } | undefined;
}

/** Key of the cursor of the walk through old history. */
export function backfillKey(name: IncrementalName): string {
  return `${name}:backfill`;
}

/** Where the tracks go on, or begin. */
export async function startsOf(registry: AnyRegistry, start: Start): Promise<Starts> {
  const { connection, name, capability } = start;
  const recent = await startOf(registry, start);
  const until = recent?.backfillUntil;
  if (until === undefined) return { recent };
  const { position } = await readPosition(registry, connection, backfillKey(name), capability);
  if (!position?.isDone) return { recent, old: { position, until } };
  const { backfillUntil: _done, ...rest } = recent as Position;
  return { recent: rest };
}

async function startOf(registry: AnyRegistry, start: Start): Promise<Position | undefined> {
  const { connection, name, capability, settings } = start;
  const { position, damaged } = await readPosition(registry, connection, name, capability);
  if (damaged > 0)
    registry.env.logger.warn('passed over cursors that cannot be read', { provider: connection.provider, damaged });
  const first = await keepChoice(registry, start, position === undefined);
  if (settings.again) return beginAgain(registry, start, position);
  if (position) return position;
  const connectedAt = momentOfConnecting(registry, connection);
  if (first === 'new') return { highWater: connectedAt, floor: connectedAt, deepAt: connectedAt, opaque: '' };
  const beginning: Position | undefined = capability.backfill
    ? { highWater: connectedAt, backfillUntil: connectedAt, opaque: '' }
    : undefined;
  return damaged > 0 ? behindStored(registry, start, beginning) : beginning;
}

/**
 * What the first sync of a capability fetches is written down before anything is fetched: if this sync fails, or its cursors are damaged
 * one day, the choice stays what it was.
 */
async function keepChoice(
  registry: AnyRegistry,
  { connection, name, settings }: Start,
  isFirst: boolean,
): Promise<'everything' | 'new'> {
  const told = firstSyncOf(connection, name);
  const wanted = settings.again ?? (isFirst ? settings.firstSync : undefined) ?? told;
  if (wanted !== told) {
    // As they are now: another sync of the connection may have noted its own.
    const [current = connection] = await registry.storage.listConnections({ id: connection.id });
    const noted = withFirstSync(current.settings, wanted, name);
    await registry.storage.updateConnection(connection.id, { settings: noted });
  }
  return wanted;
}

/**
 * The instant that parts what is new from what is old. A clock that is ahead must not call new what has yet to happen, so
 * it is the earliest of what the machine, the service and the store say.
 */
function momentOfConnecting(registry: AnyRegistry, { provider: id, createdAt }: Connection): number {
  const now = registry.env.clock.now();
  const provider = providerOf(registry, id);
  const atService = provider.baseUrl === undefined ? now : serviceNow(registry, provider, provider.baseUrl);
  return Math.min(now, atService, createdAt.getTime());
}

/**
 * The position of everything once more. Both are stored before anything is fetched: whatever interrupts the walk, the
 * next sync goes on with it.
 */
async function beginAgain(registry: AnyRegistry, start: Start, position: Position = { opaque: '' }): Promise<Position> {
  const { connection, name, capability } = start;
  const now = registry.env.clock.now();
  const { floor: _floor, ...rest } = position;
  if (!capability.backfill) {
    const whole: Position = { ...rest, walk: { startedAt: now, isDeep: true }, opaque: '' };
    await storePosition(registry, start, name, whole);
    return whole;
  }
  const old = await readPosition(registry, connection, backfillKey(name), capability);
  const { isDone: _done, walk: _walk, highWater: _mark, ...told } = old.position ?? { opaque: '' };
  await storePosition(registry, start, backfillKey(name), { ...told, opaque: '' });
  const until = Math.min(now, momentOfConnecting(registry, connection));
  const recent: Position = { highWater: until, ...rest, backfillUntil: now };
  await storePosition(registry, start, name, recent);
  return recent;
}

async function storePosition(
  registry: AnyRegistry,
  { connection, lease }: Start,
  track: string,
  position: Position,
): Promise<void> {
  await registry.storage.commitPage({
    lease: lease.current,
    connectionId: connection.id,
    items: [],
    policy: 'keep',
    cursor: { capability: track, value: cursorOf({ connection }, { key: track }, position, registry.env.clock.now()) },
  });
}

/** What the items of a capability are. */
export const ACTIONS: Readonly<Record<IncrementalName, readonly MediaAction[]>> = {
  history: ['consumed'],
  library: ['liked', 'saved'],
  ratings: ['rated'],
};

/**
 * The beginning, or behind what is stored where that is whole: an oldest-first walk leaves no hole below the newest item
 * it stored. A newest-first walk may have been cut off above one.
 */
async function behindStored(
  registry: AnyRegistry,
  { connection, name, capability }: Start,
  beginning: Position | undefined,
): Promise<Position | undefined> {
  if (capability.order !== 'oldest-first') return beginning;
  const [newest] = await registry.storage.queryItems({
    userId: connection.userId,
    connectionId: connection.id,
    actions: ACTIONS[name],
    to: new Date(registry.env.clock.now()),
    order: 'newest',
    limit: 1,
  });
  const stored = newest?.consumedAt.getTime() ?? Number.NEGATIVE_INFINITY;
  const highWater = Math.max(stored, beginning?.highWater ?? Number.NEGATIVE_INFINITY);
  return Number.isFinite(highWater) ? { opaque: '', ...beginning, highWater } : beginning;
}
