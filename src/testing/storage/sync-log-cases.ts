import assert from 'node:assert/strict';
import type { SyncLogEntry } from '../../contracts/sync.ts';
import type { ConformanceCase } from '../conformance-case.ts';
import { assertRefused, at, connect, sampleLogEntry } from './samples.ts';
import { onFreshStore, type Suite } from './under-test.ts';

/** Promises of `SyncVerbs` about the log. */
export function syncLogCases(suite: Suite): readonly ConformanceCase[] {
  return [
    onFreshStore(suite, 'SYNC-1', 'the log gives back what was appended, newest first', async ({ storage }) => {
      const { id } = await connect(storage);
      const other = await connect(storage, { account: 'other' });
      // Ids against the order of time, so that sorting by id would show.
      const [z, y, x, w] = [
        sampleLogEntry(id, { id: 'z' }),
        fullEntry(id),
        sampleLogEntry(id, { id: 'x', capability: 'likes', status: 'skipped' }),
        sampleLogEntry(id, { id: 'w', status: 'failed', error: { code: 'upstream', message: 'Too slow.' } }),
      ];
      for (const entry of [z, y, x, w]) await storage.appendSyncLog(entry);
      const theirs = sampleLogEntry(other.id, { id: 'theirs' });
      await storage.appendSyncLog(theirs);
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
      await storage.appendSyncLog(sampleLogEntry(other.id, { id: 'theirs' }));
      for (const capability of ['likes', 'ratings']) {
        await storage.appendSyncLog(sampleLogEntry(id, { id: capability, capability }));
      }
      const written = Array.from({ length: 103 }, (_, index) => `run ${index}`);
      for (const run of written) await storage.appendSyncLog(sampleLogEntry(id, { id: run }));
      const idsOf = async (connectionId: string, capability?: string) =>
        (await storage.listSyncLog({ connectionId, capability, limit: 1_000 })).map((entry) => entry.id);
      const kept = written.slice(-100).toReversed();
      assert.deepEqual(await idsOf(id, 'history'), kept);
      assert.deepEqual(await idsOf(id), [...kept, 'ratings', 'likes']);
      assert.deepEqual(await idsOf(other.id), ['theirs']);
    }),
    onFreshStore(suite, 'SYNC-7', 'a log entry of an unknown connection is refused', async ({ storage }) => {
      const nobody = storage.appendSyncLog(sampleLogEntry('nobody'));
      await assertRefused(nobody, 'not_found', 'connection_unknown');
      const { id, userId } = await connect(storage);
      await storage.appendSyncLog(sampleLogEntry(id));
      await storage.erase({ userId });
      await assertRefused(storage.appendSyncLog(sampleLogEntry(id)), 'not_found', 'connection_unknown');
      await connect(storage);
      assert.deepEqual(await storage.listSyncLog({ connectionId: id, limit: 10 }), []);
    }),
  ];
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
