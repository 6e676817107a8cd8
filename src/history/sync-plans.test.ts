import type { SyncReport } from '@mca/core';
import { addConnection, createRegistry, McaError, syncDue, syncHistory, syncLibrary } from '@mca/core';
import type { DueSync, Storage } from '@mca/core/adapter-kit';
import { memory } from '@mca/core/adapters/memory';
import { FakeService, fakeClock, fakeProvider, seededRandom } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';

const START = Date.UTC(2026, 0, 5);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MAIN = { userId: 'ada', provider: 'fake' } as const;

/** One connection to a service with a history and a library; both ask for the same plays. */
async function setup(change: (storage: Storage) => Partial<Storage> = () => ({})) {
  const time = fakeClock(START);
  const service = new FakeService({ now: () => time.clock.now() });
  service.add('ada', { id: 'song', playedAt: START - DAY, title: 'A song' });
  const adapter = memory({ clock: time.clock });
  const storage: Storage = { ...adapter.storage, ...change(adapter.storage) };
  const provider = fakeProvider({ baseUrl: 'https://service.test/v1', intervalMs: HOUR });
  const { history } = provider.capabilities;
  const warnings: string[] = [];
  const random = seededRandom(5);
  const registry = createRegistry({
    providers: [{ ...provider, capabilities: { ...provider.capabilities, library: history } }],
    storage,
    credentials: adapter.credentials,
    insecurePlaintextForTests: true,
    env: {
      clock: time.clock,
      timers: time.timers,
      fetch: service.fetch,
      random: { bytes: (length) => Uint8Array.from({ length }, () => Math.floor(random() * 256)) },
      logger: { debug() {}, info() {}, error() {}, warn: (message) => warnings.push(message) },
    },
  });
  const connection = await time.until(
    addConnection(registry, { ...MAIN, credentials: { fields: { token: 'canary-token' } } }),
  );
  service.ledger.length = 0;
  const due = (reports: SyncReport[] = []) =>
    time.until(syncDue(registry, { onReport: (report) => reports.push(report) }));
  const isHeld = async (capability: string): Promise<boolean> => {
    const resource = `sync:${connection.id}:${capability}`;
    const lease = await adapter.storage.acquireLease({ resource, owner: 'test', ttlMs: 1 });
    if (lease) await adapter.storage.releaseLease(lease);
    return lease === undefined;
  };
  return { time, service, registry, connection, warnings, due, isHeld };
}

describe('a wait that a service asked for', () => {
  test.each([
    ['90', '7200'],
    ['7200', '90'],
  ])('of two that end together (%s and %s seconds) the longer holds', async (...waits) => {
    const { time, service, registry, connection, due } = await setup();
    let asked = 0;
    service.intercept = () => {
      asked += 1;
      return Response.json({}, { status: 429, headers: { 'retry-after': waits[(asked - 1) % 2] ?? '' } });
    };
    await due();
    const ends = (await registry.storage.readSchedules(connection.id)).filter(({ blocked }) => blocked);
    const longest = Math.max(...ends.map(({ dueAt }) => dueAt));
    expect(longest - START).toBeGreaterThanOrEqual(2 * HOUR);
    service.ledger.length = 0;
    await time.advance(longest - time.clock.now() - 1_000);
    await due();
    expect(service.ledger).toEqual([]);
  });

  test('of a capability that is gone keeps nobody waiting', async () => {
    const { time, registry, connection, due } = await setup();
    const gone = { connectionId: connection.id, capability: 'ratings', dueAt: START, blocked: true, failures: 0 };
    await registry.storage.putSchedule(gone);
    expect((await due()).synced).toBe(2);
    await time.advance(2 * HOUR);
    expect((await due()).synced).toBe(2);
  });

  test('history that is told to wait keeps the library of the same connection away until then', async () => {
    const { time, service, registry, connection, due } = await setup();
    service.intercept = () => Response.json({}, { status: 429, headers: { 'retry-after': '7200' } });
    const report = await time.until(syncHistory(registry, MAIN));
    expect(report).toMatchObject({ status: 'skipped', reason: 'rate_limited' });
    const end = report.notBefore?.getTime() ?? 0;
    expect(end).toBeGreaterThanOrEqual(START + 2 * HOUR);
    const asked = service.ledger.length;

    expect(await time.until(syncLibrary(registry, MAIN))).toMatchObject({
      status: 'skipped',
      reason: 'not_yet',
      notBefore: new Date(end),
    });
    expect(await due()).toEqual({ synced: 0, byStatus: {} });
    await time.advance(end - time.clock.now() - 1);
    expect(await due()).toEqual({ synced: 0, byStatus: {} });
    expect(service.ledger).toHaveLength(asked);
    expect(await registry.storage.readSchedules(connection.id)).toMatchObject([
      { capability: 'history', dueAt: end, blocked: true, failures: 0 },
      { capability: 'library', blocked: false, failures: 0 },
    ]);

    service.intercept = undefined;
    await time.advance(1);
    expect(await due()).toEqual({ synced: 2, byStatus: { complete: 2 } });
  });

  test('a turn that comes later anyway stays where it is', async () => {
    const { time, service, registry, connection } = await setup();
    await time.until(syncLibrary(registry, MAIN));
    const before = await registry.storage.readSchedules(connection.id);
    service.intercept = () => Response.json({}, { status: 429, headers: { 'retry-after': '90' } });
    await time.until(syncHistory(registry, MAIN));
    const after = await registry.storage.readSchedules(connection.id);
    expect(after.find(({ capability }) => capability === 'library')).toEqual(
      before.find(({ capability }) => capability === 'library'),
    );
  });

  test('of several waits the latest counts', async () => {
    const { time, registry, connection } = await setup();
    const plan = { connectionId: connection.id, blocked: true, failures: 0 };
    await registry.storage.putSchedule({ ...plan, capability: 'history', dueAt: START + HOUR });
    await registry.storage.putSchedule({ ...plan, capability: 'library', dueAt: START + 3 * HOUR });
    const report = await time.until(syncHistory(registry, MAIN));
    expect(report).toMatchObject({ reason: 'not_yet', notBefore: new Date(START + 3 * HOUR) });
  });

  test('the library of another connection is synced meanwhile', async () => {
    const { time, service, registry, due } = await setup();
    service.intercept = () => Response.json({}, { status: 429, headers: { 'retry-after': '7200' } });
    await due();
    service.intercept = undefined;
    await time.until(addConnection(registry, { ...MAIN, userId: 'bob', credentials: { fields: { token: 'other' } } }));
    const reports: SyncReport[] = [];
    await due(reports);
    expect(reports.map(({ capability, status }) => [capability, status]).sort()).toEqual([
      ['history', 'complete'],
      ['library', 'complete'],
    ]);
  });
});

describe('the end of a sync', () => {
  test('writes once: line, next turn, time and lease together', async () => {
    const written: string[] = [];
    const { time, registry, connection, due, isHeld } = await setup((storage) => {
      const noted = (verb: 'putSchedule' | 'updateConnection' | 'acquireLease' | 'releaseLease' | 'concludeSync') => ({
        [verb](...args: unknown[]) {
          written.push(verb);
          return (storage[verb] as (...given: unknown[]) => Promise<unknown>)(...args);
        },
      });
      const verbs = ['putSchedule', 'updateConnection', 'acquireLease', 'releaseLease', 'concludeSync'] as const;
      return Object.assign({}, ...verbs.map(noted)) as Partial<Storage>;
    });
    written.length = 0;
    expect((await due()).byStatus).toEqual({ complete: 2 });
    expect(written).toEqual(['concludeSync', 'concludeSync']);
    expect(await isHeld('history')).toBe(false);
    const [current] = await registry.storage.listConnections({ id: connection.id });
    expect(current?.lastSyncAt?.getTime()).toBeLessThanOrEqual(time.clock.now());
    expect(await registry.storage.listSyncLog({ connectionId: connection.id, limit: 9 })).toHaveLength(2);
  });

  test('that cannot be noted is warned of; the report is there and the lease is given back', async () => {
    const { time, registry, warnings, isHeld, service } = await setup(() => ({
      concludeSync: async () => {
        throw new McaError({ code: 'storage', reason: 'disk_full', message: 'The disk is full.' });
      },
    }));
    const report = await time.until(syncHistory(registry, MAIN));
    expect(report).toMatchObject({ status: 'complete', counts: { inserted: 1 } });
    expect(warnings).toEqual(['could not note how a sync ended']);
    expect(await isHeld('history')).toBe(false);
    // Also a wait.
    service.intercept = () => Response.json({}, { status: 429, headers: { 'retry-after': '7200' } });
    expect(await time.until(syncHistory(registry, MAIN))).toMatchObject({ status: 'skipped', reason: 'rate_limited' });
    expect(await isHeld('history')).toBe(false);
  });

  test('of a worker that lost its lease writes nothing, and is reported', async () => {
    const { time, registry, connection, warnings } = await setup((storage) => ({
      async concludeSync(conclusion) {
        await storage.releaseLease(conclusion.lease);
        await storage.acquireLease({ ...conclusion.lease, owner: 'somebody else', ttlMs: HOUR });
        await storage.concludeSync(conclusion);
      },
    }));
    const before = await registry.storage.readSchedules(connection.id);
    expect((await time.until(syncHistory(registry, MAIN))).status).toBe('complete');
    expect(warnings).toEqual(['could not note how a sync ended']);
    expect(await registry.storage.listSyncLog({ connectionId: connection.id, limit: 9 })).toEqual([]);
    expect(await registry.storage.readSchedules(connection.id)).toEqual(before);
  });
});

describe('a claimed sync', () => {
  test('runs under the lease it was claimed with; a call meanwhile is told so', async () => {
    const claims: DueSync[] = [];
    const fences: number[] = [];
    const { time, registry, service, due } = await setup((storage) => ({
      async claimDueConnections(request) {
        const due = await storage.claimDueConnections(request);
        claims.push(...due);
        return due;
      },
      async commitPage(page) {
        fences.push(page.lease.fence);
        return storage.commitPage(page);
      },
    }));
    let meanwhile: Promise<SyncReport> | undefined;
    service.intercept = () => {
      meanwhile ??= syncHistory(registry, MAIN);
      return undefined;
    };
    await due();
    expect((await time.until(meanwhile ?? Promise.reject(new Error('Nothing was asked.')))).reason).toBe(
      'already_running',
    );
    expect(new Set(fences)).toEqual(new Set(claims.map(({ lease }) => lease.fence)));
  });

  test('of a capability that is gone is planned a day ahead and given back', async () => {
    const { time, registry, connection, due, isHeld } = await setup();
    const old = { connectionId: connection.id, capability: 'ratings', dueAt: START, blocked: false, failures: 2 };
    await registry.storage.putSchedule(old);
    expect(await due()).toEqual({ synced: 2, byStatus: { complete: 2 } });
    const plans = await registry.storage.readSchedules(connection.id);
    expect(plans.find(({ capability }) => capability === 'ratings')).toEqual({
      ...old,
      dueAt: time.clock.now() + DAY,
    });
    expect(await isHeld('ratings')).toBe(false);
  });

  test('that is due again within the round is given back at its end, its plan as it was', async () => {
    const claims: DueSync[] = [];
    const { time, registry, connection, service, isHeld } = await setup((storage) => ({
      async claimDueConnections(request) {
        const due = await storage.claimDueConnections(request);
        claims.push(...due);
        return due;
      },
    }));
    for (let index = 0; index < 3_000; index += 1)
      service.add('ada', { id: `old-${index}`, playedAt: START - 30 * DAY + index * 60_000, title: `old ${index}` });
    const round = await time.until(syncDue(registry, { concurrency: 2, maxPagesPerSync: 1 }));
    expect(round.synced).toBe(2);
    // Each once to be synced, and once more because a budget left something.
    expect(claims.map(({ schedule }) => schedule.capability).sort()).toEqual([
      ...['history', 'history'],
      ...['library', 'library'],
    ]);
    expect(await registry.storage.readSchedules(connection.id)).toEqual(
      claims
        .slice(2)
        .map(({ schedule }) => schedule)
        .sort((a, b) => (a.capability < b.capability ? -1 : 1)),
    );
    for (const capability of ['history', 'library']) expect(await isHeld(capability)).toBe(false);
  });
});
