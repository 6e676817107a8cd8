import assert from 'node:assert/strict';
import type { DueSync, Storage, SyncBacklog } from '../../contracts/storage/index.ts';
import type { SyncSchedule } from '../../contracts/sync.ts';
import type { ConformanceCase } from '../conformance-case.ts';
import { assertRefused, at, connect, LONG_MS, nowOf, take } from './samples.ts';
import { elapse, onFreshStore, type Suite } from './under-test.ts';

/** Short, because adapters on a database's own clock really wait for it. */
const SHORT_MS = 30;
const CALLERS = 50;

/** Promises of `SyncVerbs` about schedules and claims. */
export function scheduleCases(suite: Suite): readonly ConformanceCase[] {
  return [
    onFreshStore(suite, 'SYNC-3', 'a schedule put is the schedule read', async ({ storage }) => {
      const { id } = await connect(storage);
      const other = await connect(storage, { account: 'other' });
      assert.deepEqual(await storage.readSchedules(id), []);
      assert.deepEqual(await storage.readSchedules('nobody'), []);
      const likes = schedule(id, 2, { capability: 'likes', failures: 1 });
      await storage.putSchedule(likes);
      const first = schedule(id, at(1).getTime() + 123, { blocked: true, failures: 3 });
      await storage.putSchedule(first);
      assert.deepEqual(await storage.readSchedules(id), [first, likes]);
      await storage.putSchedule(schedule(other.id, 3));
      const second = schedule(id, at(2).getTime());
      await storage.putSchedule(second);
      assert.deepEqual(await storage.readSchedules(id), [second, likes]);
      assert.deepEqual(await storage.readSchedules(other.id), [schedule(other.id, 3)]);
      await storage.putSchedule(first);
      assert.deepEqual(await storage.readSchedules(id), [first, likes]);
    }),
    onFreshStore(suite, 'SYNC-4', 'what is due comes first, the longest overdue before all', async ({ storage }) => {
      const now = await nowOf(storage);
      const { id } = await connect(storage);
      const other = await connect(storage, { userId: 'bob', provider: 'youtube' });
      const third = await connect(storage, { account: 'third' });
      const labelled = { label: 'Ädä', statusReason: 'ok', authorizedAt: at(1), authorizationExpiresAt: at(2) };
      const patched = await storage.updateConnection(id, { ...labelled, settings: { a: [1] }, lastSyncAt: at(3) });
      // `dueAt` that is now is due.
      const justNow = schedule(third.id, now);
      const longAgo = schedule(id, now - 2 * LONG_MS, { capability: 'likes', blocked: true, failures: 2 });
      const overdue = schedule(other.id, now - LONG_MS);
      for (const each of [justNow, overdue, longAgo, schedule(id, now + LONG_MS)]) await storage.putSchedule(each);
      assert.deepEqual((await claim(storage, { limit: 1 })).map(bare), [{ schedule: longAgo, connection: patched }]);
      assert.deepEqual((await claim(storage)).map(bare), [
        { schedule: overdue, connection: other },
        { schedule: justNow, connection: third },
      ]);
      const [, likes] = await storage.readSchedules(id);
      assert.deepEqual(likes, longAgo, 'claiming leaves the schedule as it is');
    }),
    onFreshStore(suite, 'SYNC-4', 'only active connections of the given providers are claimed', async ({ storage }) => {
      const now = await nowOf(storage);
      for (const status of ['disabled', 'needs_reauth', 'disconnected'] as const) {
        const { id } = await connect(storage, { account: status });
        await storage.putSchedule(schedule(id, now - 3 * LONG_MS));
        await storage.updateConnection(id, { status });
      }
      const foreign = await connect(storage, { provider: 'netflix' });
      await storage.putSchedule(schedule(foreign.id, now - 2 * LONG_MS));
      const active = await connect(storage);
      await storage.putSchedule(schedule(active.id, now - LONG_MS));
      assert.deepEqual(await claim(storage, { providers: [] }), []);
      // What may not be claimed must not use up the limit either.
      assert.deepEqual(idsOf(await claim(storage, { limit: 1 })), [active.id]);
      assert.deepEqual(idsOf(await claim(storage)), []);
      // Nor is it claimed in passing: it is there as soon as it may be.
      const back = (await connect(storage, { account: 'needs_reauth' })).id;
      await storage.updateConnection(back, { status: 'active' });
      assert.deepEqual(idsOf(await claim(storage, { providers: ['netflix', 'spotify'] })), [back, foreign.id]);
    }),
    onFreshStore(suite, 'SYNC-5', `of ${CALLERS} callers at once exactly one claims`, async ({ storage }) => {
      const now = await nowOf(storage);
      const { id } = await connect(storage);
      await storage.putSchedule(schedule(id, now));
      const claims = await Promise.all(Array.from({ length: CALLERS }, () => claim(storage)));
      assert.deepEqual(claims.flatMap(idsOf), [id]);
    }),
    onFreshStore(suite, 'SYNC-5', 'many callers share what is due among them, each once', async ({ storage }) => {
      const now = await nowOf(storage);
      const ids: string[] = [];
      for (let index = 0; index < 20; index += 1) {
        const { id } = await connect(storage, { account: `account ${index}` });
        await storage.putSchedule(schedule(id, now - index));
        ids.push(id);
      }
      const claims = await Promise.all(Array.from({ length: CALLERS }, () => claim(storage, { limit: 3 })));
      for (const due of claims) assert.ok(due.length <= 3);
      assert.deepEqual(claims.flatMap(idsOf).sort(), ids.sort());
    }),
    onFreshStore(suite, 'SYNC-5', 'a claim is a lease, and ends as one', async (store) => {
      const { storage } = store;
      const now = await nowOf(storage);
      const [short, long] = [await connect(storage), await connect(storage, { account: 'long' })];
      await storage.putSchedule(schedule(short.id, now - 2));
      await storage.putSchedule(schedule(long.id, now - 1));
      const [first] = await claim(storage, { limit: 1, owner: 'first', ttlMs: SHORT_MS });
      assert.ok(first);
      assert.equal(first.connection.id, short.id);
      const { resource, owner } = first.lease;
      assert.deepEqual([resource, owner], [`sync:${short.id}:history`, 'first']);
      assert.equal(await storage.acquireLease({ resource, owner: 'other', ttlMs: LONG_MS }), undefined);
      const [second] = await claim(storage);
      assert.ok(second);
      assert.equal(second.connection.id, long.id);
      assert.ok(second.lease.fence > first.lease.fence);
      // Also whoever has it gets it once only.
      assert.deepEqual(await claim(storage, { owner: 'first' }), []);
      await elapse(store, SHORT_MS + 5);
      const [third] = await claim(storage);
      assert.ok(third);
      assert.equal(third.connection.id, short.id);
      assert.ok(third.lease.fence > second.lease.fence);
      assert.equal(await storage.renewLease(first.lease, LONG_MS), undefined);
      assert.ok(await storage.renewLease(third.lease, LONG_MS));
      await storage.releaseLease(third.lease);
      assert.deepEqual(idsOf(await claim(storage)), [short.id]);
    }),
    onFreshStore(
      suite,
      'SYNC-5',
      'what somebody is at work on is not claimed, nor does it use up the limit',
      async (store) => {
        const { storage } = store;
        const now = await nowOf(storage);
        const [busy, free] = [await connect(storage), await connect(storage, { account: 'free' })];
        await storage.putSchedule(schedule(busy.id, now - 2));
        await storage.putSchedule(schedule(free.id, now - 1));
        const lease = await take(storage, `sync:${busy.id}:history`);
        assert.deepEqual(idsOf(await claim(storage, { limit: 1 })), [free.id]);
        assert.deepEqual(await claim(storage), []);
        // Another capability is another piece of work.
        await storage.putSchedule(schedule(busy.id, now, { capability: 'likes' }));
        assert.deepEqual(
          (await claim(storage)).map((due) => due.schedule.capability),
          ['likes'],
        );
        await storage.releaseLease(lease);
        assert.deepEqual(idsOf(await claim(storage)), [busy.id]);
      },
    ),
    onFreshStore(suite, 'SYNC-6', 'a wait of one capability binds its whole connection', async (store) => {
      const { storage } = store;
      const now = await nowOf(storage);
      const [waiting, free] = [await connect(storage), await connect(storage, { account: 'free' })];
      await storage.putSchedule(schedule(waiting.id, now + SHORT_MS, { blocked: true }));
      await storage.putSchedule(schedule(waiting.id, now - 9, { capability: 'likes' }));
      // Of another connection; and one that is planned, but not blocked.
      await storage.putSchedule(schedule(free.id, now - 5, { capability: 'likes' }));
      await storage.putSchedule(schedule(free.id, now + LONG_MS));
      assert.deepEqual(idsOf(await claim(storage, { limit: 1 })), [free.id]);
      assert.deepEqual(await claim(storage), []);
      await elapse(store, SHORT_MS + 5);
      const due = await claim(storage);
      assert.deepEqual(
        due.map(({ schedule: { connectionId, capability } }) => [connectionId, capability]),
        [
          [waiting.id, 'likes'],
          [waiting.id, 'history'],
        ],
      );
    }),
    onFreshStore(suite, 'SYNC-10', 'the backlog counts what claiming would answer', async ({ storage }) => {
      const now = await nowOf(storage);
      assert.deepEqual(await backlog(storage), { due: 0, oldestDueAt: undefined, running: 0 });
      const first = await connect(storage);
      const second = await connect(storage, { userId: 'bob', provider: 'youtube' });
      // Of a provider that is not asked about; not active; planned; bound by the wait of another capability.
      const foreign = await connect(storage, { provider: 'netflix' });
      const lost = await connect(storage, { account: 'lost' });
      const waiting = await connect(storage, { account: 'waiting' });
      for (const { id } of [foreign, lost]) await storage.putSchedule(schedule(id, now - 9 * LONG_MS));
      await storage.updateConnection(lost.id, { status: 'needs_reauth' });
      await storage.putSchedule(schedule(waiting.id, now + LONG_MS, { blocked: true }));
      await storage.putSchedule(schedule(waiting.id, now - 8 * LONG_MS, { capability: 'likes' }));
      await storage.putSchedule(schedule(first.id, now - 2 * LONG_MS));
      await storage.putSchedule(schedule(first.id, now, { capability: 'likes' }));
      await storage.putSchedule(schedule(second.id, now - LONG_MS));
      await storage.putSchedule(schedule(second.id, now + LONG_MS, { capability: 'likes' }));
      const whole = { due: 3, oldestDueAt: now - 2 * LONG_MS, running: 0 };
      assert.deepEqual(await backlog(storage), whole);
      assert.deepEqual(await backlog(storage), whole, 'counting takes nothing');
      assert.deepEqual(await backlog(storage, ['youtube']), { due: 1, oldestDueAt: now - LONG_MS, running: 0 });
      assert.deepEqual(await backlog(storage, []), { due: 0, oldestDueAt: undefined, running: 0 });
      assert.equal((await claim(storage)).length, 3);
      assert.deepEqual(await backlog(storage), { due: 0, oldestDueAt: undefined, running: 3 });
      assert.deepEqual(await backlog(storage, ['youtube']), { due: 0, oldestDueAt: undefined, running: 1 });
    }),
    onFreshStore(suite, 'SYNC-10', 'what runs is what is under a valid lease, whoever took it', async (store) => {
      const { storage } = store;
      const now = await nowOf(storage);
      // An id may hold what separates the parts of a resource.
      const { id } = await connect(storage, { id: 'a:b:c' });
      const planned = await connect(storage, { account: 'planned' });
      await storage.putSchedule(schedule(id, now - 1));
      await storage.putSchedule(schedule(planned.id, now + LONG_MS));
      await take(storage, `sync:${planned.id}:history`);
      // Nobody's schedule, and no sync at all.
      await take(storage, `sync:${planned.id}:likes`);
      await take(storage, `sync:${id}`);
      await take(storage, 'import:ada');
      await storage.acquireLease({ resource: `sync:${id}:history`, owner: 'me', ttlMs: SHORT_MS });
      assert.deepEqual(await backlog(storage), { due: 0, oldestDueAt: undefined, running: 2 });
      await elapse(store, SHORT_MS + 5);
      assert.deepEqual(await backlog(storage), { due: 1, oldestDueAt: now - 1, running: 1 });
    }),
    onFreshStore(suite, 'SYNC-11', 'listing what is due takes nothing of it', async (store) => {
      const { storage } = store;
      const now = await nowOf(storage);
      const list = (limit = 10, providers: readonly string[] = ['spotify', 'youtube']) =>
        storage.listDue({ providers, limit });
      assert.deepEqual(await list(), []);
      const [one, other] = [await connect(storage), await connect(storage, { userId: 'bob', provider: 'youtube' })];
      const off = await connect(storage, { account: 'off' });
      const late = schedule(other.id, now - 2 * LONG_MS, { failures: 3 });
      const soon = schedule(one.id, now, { capability: 'likes' });
      for (const each of [soon, late, schedule(one.id, now + LONG_MS), schedule(off.id, now - 3 * LONG_MS)]) {
        await storage.putSchedule(each);
      }
      await storage.updateConnection(off.id, { status: 'disabled' });
      assert.deepEqual(await list(), [late, soon]);
      assert.deepEqual(await list(1), [late]);
      assert.deepEqual(await list(10, ['spotify']), [soon]);
      assert.deepEqual((await claim(storage, { limit: 1 })).map(bare), [{ schedule: late, connection: other }]);
      assert.deepEqual(await list(), [soon], 'what is under a lease is nobody’s turn');
      await storage.putSchedule(schedule(one.id, now + LONG_MS, { blocked: true }));
      assert.deepEqual(await list(), [], 'a wait of one capability holds up the other');
    }),
    onFreshStore(suite, 'SYNC-9', 'a schedule of an unknown connection is refused', async ({ storage }) => {
      await assertRefused(storage.putSchedule(schedule('nobody', 0)), 'not_found', 'connection_unknown');
      const { id, userId } = await connect(storage);
      await storage.putSchedule(schedule(id, 0));
      await storage.erase({ userId });
      await assertRefused(storage.putSchedule(schedule(id, 0)), 'not_found', 'connection_unknown');
      await connect(storage);
      assert.deepEqual(await storage.readSchedules(id), []);
      assert.deepEqual(await claim(storage), []);
    }),
  ];
}

function schedule(connectionId: string, dueAt: number, given: Partial<SyncSchedule> = {}): SyncSchedule {
  return { connectionId, capability: 'history', dueAt, blocked: false, failures: 0, ...given };
}

function claim(storage: Storage, given: Partial<Parameters<Storage['claimDueConnections']>[0]> = {}) {
  return storage.claimDueConnections({
    providers: ['spotify', 'youtube'],
    limit: 100,
    owner: 'me',
    ttlMs: LONG_MS,
    ...given,
  });
}

/** The backlog, with all its fields. */
async function backlog(storage: Storage, providers: readonly string[] = ['spotify', 'youtube']): Promise<SyncBacklog> {
  const { due, oldestDueAt, running } = await storage.readBacklog({ providers });
  return { due, oldestDueAt, running };
}

/** The claim without its lease. */
function bare({ schedule, connection }: DueSync): Omit<DueSync, 'lease'> {
  return { schedule, connection };
}

function idsOf(due: readonly DueSync[]): readonly string[] {
  return due.map(({ connection }) => connection.id);
}
