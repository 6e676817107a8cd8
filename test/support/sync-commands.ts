import type { ConnectionPatch, Storage, SyncLogEntry } from '@mca/core/adapter-kit';
import fc from 'fast-check';
import { Ask, accounts, connectionId, connectionOf, type StoreCommand, users } from './ask.ts';

const CAPABILITIES = ['history', 'likes'] as const;
/** Around the clock of a run, which starts at 1,000 and moves on by up to 5,000 a step. */
const INSTANTS_MS = [0, 1_000, 1_500.5, 6_000, 20_000];
const HASHES = ['a', 'b'].map((letter) => letter.repeat(64));

const capabilities = fc.constantFrom(...CAPABILITIES);
const instants = fc.constantFrom(...INSTANTS_MS);
/** Most flows are taken before they expire. */
const expiries = fc.constantFrom(500, 6_000, 1_000_000, 1_000_000);

const patches: fc.Arbitrary<ConnectionPatch> = fc.record(
  {
    status: fc.constantFrom('active' as const, 'active' as const, 'needs_reauth' as const),
    statusReason: fc.constantFrom('revoked', '', null, undefined),
    label: fc.constantFrom('Ada', 'ﬁ😀', undefined),
    settings: fc.constantFrom({}, { a: [1, null] }),
    grantedScopes: fc.constantFrom([], ['x']),
    lastSyncAt: fc.constantFrom(new Date(5)),
    authorizedAt: fc.constantFrom(new Date(0), null, undefined),
    authorizationExpiresAt: fc.constantFrom(new Date(-1), null),
  },
  { requiredKeys: [] },
);

/** Steps of live syncs: what changes about connections, schedules, the log and connect flows. */
export const syncCommands: readonly fc.Arbitrary<StoreCommand>[] = [
  fc
    .tuple(users, accounts, patches)
    .map(
      ([userId, account, patch]) =>
        new Ask(`patch(${fc.stringify([userId, account, patch])})`, (storage) =>
          storage.updateConnection(connectionId(userId, account), patch),
        ),
    ),
  fc.tuple(users, accounts, capabilities, instants, fc.boolean(), fc.nat(3)).map(
    ([userId, account, capability, dueAt, blocked, failures]) =>
      new Ask(`schedule(${userId}, ${account}, ${capability}, ${dueAt}, ${blocked}, ${failures})`, async (storage) => {
        // Most often there is a connection to it; what was erased is met by the log.
        if (failures > 0) await storage.ensureConnection(connectionOf(userId, account));
        const id = connectionId(userId, account);
        return storage.putSchedule({ connectionId: id, capability, dueAt, blocked, failures });
      }),
  ),
  fc
    .tuple(
      fc.constantFrom(['spotify'], ['netflix', 'spotify'], ['spotify'], ['netflix'], []),
      fc.nat(3),
      fc.constantFrom(0, 1, 2_000),
    )
    .map(
      ([providers, limit, ttlMs]) =>
        new Ask(`claim(${providers}, ${limit}, ${ttlMs})`, async (storage, leases) => {
          const request = { providers, limit, owner: 'x', ttlMs };
          const claimed = [await storage.claimDueConnections(request), await storage.claimDueConnections(request)];
          for (const { lease } of claimed.flat()) leases.set(lease.resource, lease);
          return claimed;
        }),
    ),
  fc.tuple(users, accounts, capabilities, fc.constantFrom(1, 60), fc.boolean(), instants).map(
    ([userId, account, capability, times, isFailed, dueAt]) =>
      new Ask(
        `conclude(${userId}, ${account}, ${capability}, ${times}, ${isFailed}, ${dueAt})`,
        async (storage, leases) => {
          const id = connectionId(userId, account);
          const resource = `sync:${id}:${capability}`;
          // Many at once, because few runs would get to a hundred one by one. The first may come with a lease that is lost.
          for (let run = 0; run < times; run += 1) {
            const taken = run === 0 ? leases.get(resource) : undefined;
            const lease = taken ?? (await storage.acquireLease({ resource, owner: 'writer', ttlMs: 1 }));
            if (!lease) return 'taken';
            const log = logOf(id, capability, run, isFailed);
            const turn = { connectionId: id, capability, dueAt, blocked: isFailed, failures: run };
            const schedules = isFailed ? [turn, { ...turn, capability: 'likes', blocked: false }] : [turn];
            await storage.concludeSync({ lease, log, schedules, ...(!isFailed && { lastSyncAt: new Date(run) }) });
          }
          return 'concluded';
        },
      ),
  ),
  fc
    .tuple(fc.constantFrom(...HASHES), users, fc.constantFrom('one', 'two'), expiries)
    .map(
      ([hash, userId, sealed, expiresAt]) =>
        new Ask(`putState(${hash[0]}, ${userId}, ${sealed}, ${expiresAt})`, (storage) =>
          storage.putConnectState({ hash, userId, sealed, expiresAt }),
        ),
    ),
  fc
    .constantFrom(...HASHES)
    .map(
      (hash) =>
        new Ask(`takeState(${hash[0]})`, async (storage) => [
          await storage.takeConnectState(hash),
          await storage.takeConnectState(hash),
        ]),
    ),
];

function logOf(id: string, capability: string, run: number, isFailed: boolean): SyncLogEntry {
  return {
    id: `${run}`,
    connectionId: id,
    capability,
    status: isFailed ? 'failed' : 'complete',
    startedAt: new Date(run),
    finishedAt: new Date(run + 1),
    counts: { read: run, inserted: run, updated: 0, unchanged: 0, skipped: 0, rejected: 0 },
    pages: 1,
    gaps: isFailed ? [{ from: new Date(-1), to: new Date(1) }] : [],
    ...(isFailed && { error: { code: 'upstream', message: 'ﬁ😀' } }),
  };
}

/** Reads of what live syncs leave. */
export const SYNC_READS: Readonly<Record<string, (storage: Storage, userId: string) => Promise<unknown>>> = {
  schedules: async (storage, userId) => [
    await storage.readSchedules(connectionId(userId, '')),
    await storage.readSchedules(connectionId(userId, 'work')),
  ],
  due: (storage) => storage.listDue({ providers: ['spotify'], limit: 3 }),
  backlog: async (storage) => {
    const { due, oldestDueAt, running } = await storage.readBacklog({ providers: ['spotify'] });
    return [due, oldestDueAt, running];
  },
  log: (storage, userId) => storage.listSyncLog({ connectionId: connectionId(userId, ''), limit: 150 }),
  'log of a capability': (storage, userId) =>
    storage.listSyncLog({ connectionId: connectionId(userId, 'work'), capability: 'likes', limit: 3 }),
};
