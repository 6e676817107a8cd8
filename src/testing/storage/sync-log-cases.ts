import assert from 'node:assert/strict';
import type { DueSync, Storage } from '../../contracts/storage/index.ts';
import type { SyncLogEntry, SyncSchedule } from '../../contracts/sync.ts';
import type { ConformanceCase } from '../conformance-case.ts';
import { assertRefused, at, conclude, connect, LONG_MS, nowOf, sampleLogEntry, take } from './samples.ts';
import { elapse, onFreshStore, type Suite } from './under-test.ts';

/** Short, because adapters on a database's own clock really wait for it. */
const SHORT_MS = 30;

/** Promises of `SyncVerbs` about the log and the end of a sync. */
export function syncLogCases(suite: Suite): readonly ConformanceCase[] {
  return [
    onFreshStore(suite, 'SYNC-1', 'the log gives back what was concluded, newest first', async ({ storage }) => {
      const { id } = await connect(storage);
      const other = await connect(storage, { account: 'other' });
      // Ids against the order of time, so that sorting by id would show.
      const [z, y, x, w] = [
        sampleLogEntry(id, { id: 'z' }),
        fullEntry(id),
        sampleLogEntry(id, { id: 'x', capability: 'likes', status: 'skipped' }),
        sampleLogEntry(id, { id: 'w', status: 'failed', error: { code: 'upstream', message: 'Too slow.' } }),
      ];
      for (const entry of [z, y, x, w]) await conclude(storage, entry);
      const theirs = sampleLogEntry(other.id, { id: 'theirs' });
      await conclude(storage, theirs);
      assert.deepEqual(await storage.listSyncLog({ connectionId: id, limit: 10 }), [w, x, y, z]);
      assert.deepEqual(await storage.listSyncLog({ connectionId: id, limit: 2 }), [w, x]);
      assert.deepEqual(await storage.listSyncLog({ connectionId: id, capability: 'history', limit: 2 }), [w, y]);
      assert.deepEqual(await storage.listSyncLog({ connectionId: id, capability: 'likes', limit: 10 }), [x]);
      assert.deepEqual(await storage.listSyncLog({ connectionId: id, capability: 'ratings', limit: 10 }), []);
      assert.deepEqual(await storage.listSyncLog({ connectionId: other.id, limit: 10 }), [theirs]);
      assert.deepEqual(await storage.listSyncLog({ connectionId: 'nobody', limit: 10 }), []);
    }),
    onFreshStore(suite, 'SYNC-2', 'the newest 100 of each capability are kept', async ({ storage }) => {
      const { id } = await connect(storage);
      const other = await connect(storage, { account: 'other' });
      await conclude(storage, sampleLogEntry(other.id, { id: 'theirs' }));
      for (const capability of ['likes', 'ratings']) {
        await conclude(storage, sampleLogEntry(id, { id: capability, capability }));
      }
      const written = Array.from({ length: 103 }, (_, index) => `run ${index}`);
      for (const run of written) await conclude(storage, sampleLogEntry(id, { id: run }));
      const idsOf = async (connectionId: string, capability?: string) =>
        (await storage.listSyncLog({ connectionId, capability, limit: 1_000 })).map((entry) => entry.id);
      const kept = written.slice(-100).toReversed();
      assert.deepEqual(await idsOf(id, 'history'), kept);
      assert.deepEqual(await idsOf(id), [...kept, 'ratings', 'likes']);
      assert.deepEqual(await idsOf(other.id), ['theirs']);
    }),
    onFreshStore(suite, 'SYNC-7', 'line, schedules, time and lease change together', async ({ storage }) => {
      const { id } = await connect(storage);
      const other = await connect(storage, { account: 'other' });
      const likes = schedule(id, 'likes', { dueAt: at(1).getTime(), failures: 3 });
      await storage.putSchedule(likes);
      const lease = await take(storage, `sync:${id}:history`);
      const turn = schedule(id, 'history', { dueAt: at(2).getTime() + 123, blocked: true, failures: 1 });
      const moved = { ...likes, dueAt: turn.dueAt };
      const log = sampleLogEntry(id);
      await storage.concludeSync({ lease, log, schedules: [turn, moved], lastSyncAt: at(3) });
      assert.deepEqual(await storage.listSyncLog({ connectionId: id, limit: 10 }), [log]);
      assert.deepEqual(await storage.readSchedules(id), [turn, moved]);
      assert.deepEqual(await lastSyncOf(storage, id), at(3));
      assert.equal(await lastSyncOf(storage, other.id), undefined);
      assert.equal(await storage.renewLease(lease, LONG_MS), undefined);
      // What is not named stays.
      const next = await take(storage, `sync:${id}:history`, 'next');
      assert.ok(next.fence > lease.fence);
      await storage.concludeSync({ lease: next, log, schedules: [] });
      assert.deepEqual(await storage.readSchedules(id), [turn, moved]);
      assert.deepEqual(await lastSyncOf(storage, id), at(3));
    }),
    onFreshStore(suite, 'SYNC-7', 'concluding ends no lease but its own', async ({ storage }) => {
      const { id } = await connect(storage);
      const now = await nowOf(storage);
      for (const capability of ['history', 'likes'])
        await storage.putSchedule(schedule(id, capability, { dueAt: now }));
      const request = { providers: ['spotify'], limit: 10, owner: 'me', ttlMs: LONG_MS };
      const [history, likes] = await storage.claimDueConnections(request);
      assert.ok(history && likes);
      await conclude(storage, sampleLogEntry(id), { lease: history.lease });
      assert.deepEqual(await capabilitiesOf(storage.claimDueConnections(request)), ['history']);
      assert.ok(await storage.renewLease(likes.lease, LONG_MS));
    }),
    onFreshStore(suite, 'SYNC-7', 'nothing is written when a part of it cannot be', async ({ storage }) => {
      const { id } = await connect(storage);
      const lease = await take(storage, `sync:${id}:history`);
      const schedules = [schedule(id, 'history'), schedule('nobody', 'history')];
      const refused = conclude(storage, sampleLogEntry(id), { lease, schedules, lastSyncAt: at(3) });
      await assertRefused(refused, 'not_found', 'connection_unknown');
      assert.deepEqual(await storage.listSyncLog({ connectionId: id, limit: 10 }), []);
      assert.deepEqual(await storage.readSchedules(id), []);
      assert.equal(await lastSyncOf(storage, id), undefined);
      assert.ok(await storage.renewLease(lease, LONG_MS));
    }),
    onFreshStore(suite, 'SYNC-8', 'who lost the lease concludes nothing', async (store) => {
      const { storage } = store;
      const { id } = await connect(storage);
      const resource = `sync:${id}:history`;
      const old = await storage.acquireLease({ resource, owner: 'old', ttlMs: SHORT_MS });
      assert.ok(old);
      await elapse(store, SHORT_MS + 5);
      const current = await take(storage, resource, 'next');
      const given = { schedules: [schedule(id, 'history')], lastSyncAt: at(3) };
      for (const lease of [old, { ...current, fence: old.fence }, { ...current, owner: 'thief' }]) {
        await assertRefused(conclude(storage, sampleLogEntry(id), { ...given, lease }), 'storage', 'lease_lost');
      }
      assert.deepEqual(await storage.listSyncLog({ connectionId: id, limit: 10 }), []);
      assert.deepEqual(await storage.readSchedules(id), []);
      assert.equal(await lastSyncOf(storage, id), undefined);
      await conclude(storage, sampleLogEntry(id), { ...given, lease: current });
      const again = conclude(storage, sampleLogEntry(id), { ...given, lease: current });
      await assertRefused(again, 'storage', 'lease_lost');
      assert.equal((await storage.listSyncLog({ connectionId: id, limit: 10 })).length, 1);
    }),
    onFreshStore(suite, 'SYNC-9', 'a log entry of an unknown connection is refused', async ({ storage }) => {
      const nobody = conclude(storage, sampleLogEntry('nobody'));
      await assertRefused(nobody, 'not_found', 'connection_unknown');
      const { id, userId } = await connect(storage);
      await conclude(storage, sampleLogEntry(id));
      await storage.erase({ userId });
      await assertRefused(conclude(storage, sampleLogEntry(id)), 'not_found', 'connection_unknown');
      await connect(storage);
      assert.deepEqual(await storage.listSyncLog({ connectionId: id, limit: 10 }), []);
    }),
  ];
}

function schedule(connectionId: string, capability: string, given: Partial<SyncSchedule> = {}): SyncSchedule {
  return { connectionId, capability, dueAt: 0, blocked: false, failures: 0, ...given };
}

async function lastSyncOf(storage: Storage, id: string): Promise<Date | undefined> {
  return (await storage.listConnections({ id }))[0]?.lastSyncAt;
}

async function capabilitiesOf(claims: Promise<readonly DueSync[]>): Promise<readonly string[]> {
  return (await claims).map((due) => due.schedule.capability);
}

/** Every field different from its neighbour, so that a mix-up shows. */
function fullEntry(connectionId: string): SyncLogEntry {
  return {
    id: 'y',
    connectionId,
    capability: 'history',
    status: 'partial',
    startedAt: new Date(at(1).getTime() + 123),
    finishedAt: new Date(at(2).getTime() + 456),
    counts: { read: 21, inserted: 1, updated: 2, unchanged: 3, skipped: 7, rejected: 8 },
    pages: 4,
    gaps: [
      { from: at(3), to: at(4) },
      { from: new Date(-1), to: new Date('2200-01-01T00:00:00.001Z') },
    ],
    error: { code: 'rate_limit', reason: 'quota', message: 'שלום 你好 😀 "quoted"' },
  };
}
