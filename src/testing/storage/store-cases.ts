import assert from 'node:assert/strict';
import type { ConformanceCase } from '../conformance-case.ts';
import {
  assertRefused,
  commit,
  conclude,
  connect,
  importItems,
  LONG_MS,
  nowOf,
  parkedContentOf,
  readAll,
  sampleConnectState,
  sampleItem,
  sampleItems,
  sampleLogEntry,
  sampleParked,
} from './samples.ts';
import { onDurableStore, onFreshStore, type Suite } from './under-test.ts';

/** Promises of `Storage` as a whole. */
export function storeCases(suite: Suite): readonly ConformanceCase[] {
  return [
    onFreshStore(
      suite,
      'STORE-1',
      'migrating again, and from many callers at once, changes nothing',
      async ({ storage }) => {
        await commit(storage, sampleItems(3));
        await Promise.all(Array.from({ length: 8 }, () => storage.migrate()));
        assert.equal((await readAll(storage)).length, 3);
      },
    ),
    {
      id: 'STORE-1',
      title: 'a fresh store can be migrated by many callers at once',
      async run() {
        const { storage, close } = await suite.open();
        try {
          await Promise.all(Array.from({ length: 8 }, () => storage.migrate()));
          assert.equal((await commit(storage, sampleItems(3))).inserted, 3);
        } finally {
          await close();
        }
      },
    },
    onDurableStore(
      suite,
      'STORE-2',
      'everything committed is there after closing and opening again',
      async ({ storage }) => {
        await importItems(storage, 'i', [sampleItem({ title: 'Kept' })], {
          cursor: { capability: 'history', value: 'kept' as never },
          parked: [sampleParked({ message: 'A bad one' })],
        });
        const { id } = await connect(storage);
        await storage.updateConnection(id, { label: 'Ada', statusReason: 'ok' });
        await conclude(storage, sampleLogEntry(id));
        const dueAt = await nowOf(storage);
        for (const capability of ['likes', 'ratings']) {
          await storage.putSchedule({ connectionId: id, capability, dueAt, blocked: true, failures: 2 });
        }
        await storage.claimDueConnections({ providers: ['spotify'], limit: 1, owner: 'o', ttlMs: LONG_MS });
        await storage.putConnectState(sampleConnectState('kept', { expiresAt: dueAt + LONG_MS }));
      },
      async ({ storage }) => {
        await storage.migrate();
        const { id, label, statusReason } = await connect(storage);
        assert.deepEqual([label, statusReason], ['Ada', 'ok']);
        assert.deepEqual(
          (await readAll(storage)).map(({ title }) => title),
          ['Kept'],
        );
        assert.deepEqual(
          (await storage.listImports({ userId: 'ada' })).map(({ status }) => status),
          ['complete'],
        );
        assert.deepEqual(await storage.readCursors(id, 'history'), ['kept']);
        assert.deepEqual((await storage.listParked(id)).map(parkedContentOf), [sampleParked({ message: 'A bad one' })]);
        assert.deepEqual(await storage.listSyncLog({ connectionId: id, limit: 10 }), [sampleLogEntry(id)]);
        assert.deepEqual(
          (await storage.readSchedules(id)).map(({ failures }) => failures),
          [2, 2],
        );
        // A claim outlives the process that took it.
        const due = await storage.claimDueConnections({
          providers: ['spotify'],
          limit: 10,
          owner: 'o',
          ttlMs: LONG_MS,
        });
        assert.equal(due.length, 1);
        assert.ok(await storage.takeConnectState(sampleConnectState('kept').hash));
        assert.equal((await storage.changes({ after: 0, limit: 10 })).length, 1);
        assert.equal((await commit(storage, [sampleItem({ title: 'Kept' })])).unchanged, 1);
      },
    ),
    {
      id: 'STORE-3',
      title: 'a failure of the database is an McaError storage',
      skip: suite.durable ? undefined : 'has no database that could fail',
      async run() {
        const { storage, credentials, close } = await suite.open();
        await storage.migrate();
        const { id } = await connect(storage);
        await close();
        await assertRefused(storage.queryItems({ userId: 'ada', order: 'oldest', limit: 1 }), 'storage');
        await assertRefused(storage.acquireLease({ resource: `sync:${id}:history`, owner: 'o', ttlMs: 1 }), 'storage');
        await assertRefused(storage.deleteItem({ userId: 'ada', platform: 'spotify', externalId: 'x' }), 'storage');
        await assertRefused(storage.readSchedules(id), 'storage');
        await assertRefused(storage.takeConnectState(sampleConnectState('any').hash), 'storage');
        await assertRefused(credentials.get(id), 'storage');
      },
    },
  ];
}
