import assert from 'node:assert/strict';
import type { Connection } from '../../contracts/connection.ts';
import { McaError } from '../../contracts/errors.ts';
import type { MediaItem, StoredItem } from '../../contracts/media-item.ts';
import type {
  ConnectState,
  ImportProgress,
  ItemFilter,
  Lease,
  PageCommit,
  PageResult,
  ParkedRecord,
  Storage,
  StoredParkedRecord,
  SyncConclusion,
  UpdatePolicy,
} from '../../contracts/storage/index.ts';
import type { SyncLogEntry } from '../../contracts/sync.ts';

/** Long enough for a case, whatever the clock. */
export const LONG_MS = 3_600_000;

/** Noon of a day in January 2024, plus seconds. */
export function at(day: number, seconds = 0): Date {
  return new Date(Date.UTC(2024, 0, day, 12, 0, seconds));
}

/** An item that is plain but for what is given. */
export function sampleItem(given: Partial<MediaItem> = {}): MediaItem {
  return {
    platform: 'spotify',
    externalId: '1704110400:track-1',
    type: 'music',
    action: 'consumed',
    title: 'A title',
    consumedAt: at(1),
    tags: [],
    ids: {},
    source: 'extended-history',
    precision: 'second',
    rawMetadata: {},
    ...given,
  };
}

/** `count` items, a minute apart, with ids that grow. */
export function sampleItems(count: number, given: Partial<MediaItem> = {}): readonly MediaItem[] {
  return Array.from({ length: count }, (_, index) => {
    const consumedAt = at(1, index * 60);
    return sampleItem({ externalId: `${consumedAt.getTime() / 1000}:track-${index}`, consumedAt, ...given });
  });
}

/** Makes a connection; the id tells the user and the account. */
export function connect(storage: Storage, given: Partial<Connection> = {}): Promise<Connection> {
  const { userId = 'ada', provider = 'spotify', kind = 'file', account = '' } = given;
  return storage.ensureConnection({
    id: given.id ?? `connection-of-${userId}-${provider}-${kind}-${account}`,
    userId,
    provider,
    kind,
    account,
  });
}

/** Takes a lease that has to be free. */
export async function take(storage: Storage, resource: string, owner = `owner of ${resource}`): Promise<Lease> {
  const lease = await storage.acquireLease({ resource, owner, ttlMs: LONG_MS });
  assert.ok(lease, `${resource} should be free`);
  return lease;
}

/** Epoch milliseconds by the storage's clock, which need not be ours. */
export async function nowOf(storage: Storage): Promise<number> {
  const lease = await take(storage, 'import:what time is it');
  await storage.releaseLease(lease);
  return lease.expiresAt - LONG_MS;
}

/** A page with the least that a case has to say. */
export interface SamplePage extends Partial<Omit<PageCommit, 'connectionId'>> {
  readonly userId?: string | undefined;
  readonly connectionId?: string | undefined;
}

/** Commits a page for a user's connection, under a lease of its own unless one is given. */
export async function commit(
  storage: Storage,
  items: readonly MediaItem[],
  page: SamplePage = {},
): Promise<PageResult> {
  const { userId = 'ada', lease, connectionId, policy = 'longest', ...rest } = page;
  const connection = connectionId ?? (await connect(storage, { userId })).id;
  const held = lease ?? (await take(storage, `sync:${connection}:history`));
  try {
    return await storage.commitPage({ lease: held, connectionId: connection, items, policy, ...rest });
  } finally {
    if (!lease) await storage.releaseLease(held);
  }
}

/** Commits items as an import of their own that is complete. */
export async function importItems(
  storage: Storage,
  id: string,
  items: readonly MediaItem[],
  page: SamplePage & { readonly progress?: Partial<ImportProgress> | undefined } = {},
): Promise<PageResult> {
  const { progress, ...rest } = page;
  return commit(storage, items, { import: sampleProgress(id, { read: items.length, ...progress }), ...rest });
}

/** Totals of an import. */
export function sampleProgress(id: string, given: Partial<ImportProgress> = {}): ImportProgress {
  return {
    id,
    status: 'complete',
    startedAt: new Date(0),
    files: ['a.json'],
    read: 0,
    skipped: {},
    rejected: {},
    coverage: [],
    ...given,
  };
}

/** A record that could not be stored, plain but for what is given. */
export function sampleParked(given: Partial<ParkedRecord> = {}): ParkedRecord {
  return { capability: 'history', reason: 'bad', message: 'A bad one', raw: '{}', ...given };
}

/** The record without what the store adds. */
export function parkedContentOf({ id: _, parkedAt: __, attempts: ___, ...record }: StoredParkedRecord): ParkedRecord {
  return record;
}

/** A line of the sync log, plain but for what is given. */
export function sampleLogEntry(connectionId: string, given: Partial<SyncLogEntry> = {}): SyncLogEntry {
  return {
    id: 'run',
    connectionId,
    capability: 'history',
    status: 'complete',
    startedAt: at(1),
    finishedAt: at(1, 5),
    counts: { read: 0, inserted: 0, updated: 0, unchanged: 0, skipped: 0, rejected: 0 },
    pages: 1,
    gaps: [],
    ...given,
  };
}

/** Ends a sync that left this line, under a lease of its own unless one is given. */
export async function conclude(
  storage: Storage,
  log: SyncLogEntry,
  given: Partial<Omit<SyncConclusion, 'log'>> = {},
): Promise<void> {
  const lease = given.lease ?? (await take(storage, `sync:${log.connectionId}:${log.capability}`));
  await storage.concludeSync({ schedules: [], ...given, lease, log });
}

/** What the SHA-256 of a connect flow's state looks like. */
export function stateHash(name: string): string {
  return Array.from(name, (letter) => letter.charCodeAt(0).toString(16).padStart(2, '0'))
    .join('')
    .padEnd(64, '0');
}

/** A connect flow under way; the name gives its hash. */
export function sampleConnectState(name: string, given: Partial<ConnectState> = {}): ConnectState {
  return { hash: stateHash(name), userId: 'ada', sealed: `sealed ${name}`, expiresAt: 0, ...given };
}

/** All items a filter lets through, oldest first. */
export function readAll(storage: Storage, filter: Partial<ItemFilter> = {}): Promise<readonly StoredItem[]> {
  return storage.queryItems({ userId: 'ada', order: 'oldest', limit: 10_000, ...filter });
}

/** External ids of all items a filter lets through, oldest first. */
export async function readIds(storage: Storage, filter: Partial<ItemFilter> = {}): Promise<readonly string[]> {
  return (await readAll(storage, filter)).map(({ externalId }) => externalId);
}

/** The item without what the store adds, and without fields that are there but `undefined`. */
export function contentOf(item: StoredItem | MediaItem): Readonly<Record<string, unknown>> {
  const { userId: _, sequence: __, connectionId: ___, importId: ____, ...content } = item as StoredItem;
  return Object.fromEntries(Object.entries(content).filter(([, value]) => value !== undefined));
}

/** Expects a refusal of the given code and reason. */
export async function assertRefused(work: Promise<unknown>, code: string, reason?: string): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(McaError.isInstance(error), `expected an McaError, got ${String(error)}`);
    assert.equal(error.code, code);
    if (reason !== undefined) assert.equal(error.reason, reason);
    return true;
  });
}

/** All orders of a list. */
export function permutations<Value>(values: readonly Value[]): readonly (readonly Value[])[] {
  if (values.length <= 1) return [values];
  return values.flatMap((value, index) =>
    permutations([...values.slice(0, index), ...values.slice(index + 1)]).map((rest) => [value, ...rest]),
  );
}

/** Every policy there is. */
export const POLICIES: readonly UpdatePolicy[] = ['keep', 'longest', 'replace'];
