import assert from 'node:assert/strict';
import type { Coverage } from '../../contracts/import-record.ts';
import type { ConformanceCase } from '../conformance-case.ts';
import {
  assertRefused,
  at,
  commit,
  connect,
  importItems,
  LONG_MS,
  readIds,
  sampleItem,
  sampleItems,
  take,
} from './samples.ts';
import { elapse, onFreshStore, type Suite } from './under-test.ts';

const COVERAGE: readonly Coverage[] = [{ platform: 'spotify', source: 'extended-history', from: at(1), to: at(2) }];

/** Promises of `ImportVerbs`. */
export function importCases(suite: Suite): readonly ConformanceCase[] {
  return [
    onFreshStore(suite, 'IMPORT-1', "the record's totals are those of its pages", async (store) => {
      const { storage } = store;
      const { id: connectionId } = await connect(storage);
      const items = sampleItems(10);
      await importItems(storage, 'i', items.slice(0, 4), {
        progress: { status: 'running', read: 5, skipped: { ad: 1 } },
      });
      const [running] = await storage.listImports({ userId: 'ada' });
      assert.equal(running?.status, 'running');
      assert.equal(running?.finishedAt, undefined);
      await elapse(store, 20);
      await importItems(storage, 'i', items.slice(2, 10), {
        progress: { status: 'running', read: 13, skipped: { ad: 1 }, files: ['a.json', 'b.json'] },
      });
      await importItems(storage, 'i', [], {
        progress: {
          status: 'partial',
          read: 17,
          skipped: { ad: 1, incognito: 2 },
          rejected: { invalid_date: 2 },
          files: ['a.json', 'b.json'],
          coverage: COVERAGE,
        },
      });
      const [record] = await storage.listImports({ userId: 'ada', id: 'i' });
      assert.ok(record?.finishedAt);
      assert.deepEqual(record.startedAt, running?.startedAt);
      assert.ok(record.finishedAt > record.startedAt);
      const { startedAt: _, finishedAt: __, ...rest } = record;
      assert.deepEqual(rest, {
        id: 'i',
        connectionId,
        userId: 'ada',
        provider: 'spotify',
        status: 'partial',
        files: ['a.json', 'b.json'],
        counts: { read: 17, inserted: 10, updated: 0, unchanged: 2, skipped: 3, rejected: 2 },
        skipped: { ad: 1, incognito: 2 },
        rejected: { invalid_date: 2 },
        coverage: COVERAGE,
      });
    }),
    onFreshStore(suite, 'IMPORT-1', 'imports are listed oldest first, for their user only', async ({ storage }) => {
      for (const id of ['z', 'a', 'm']) await importItems(storage, id, sampleItems(1));
      await importItems(storage, 'foreign', sampleItems(1), { userId: 'bob' });
      const list = async (filter: { userId: string; id?: string }) =>
        (await storage.listImports(filter)).map(({ id }) => id);
      assert.deepEqual(await list({ userId: 'ada' }), ['z', 'a', 'm']);
      assert.deepEqual(await list({ userId: 'ada', id: 'foreign' }), []);
      assert.deepEqual(await list({ userId: 'bob' }), ['foreign']);
      const [again] = await storage.listImports({ userId: 'ada', id: 'a' });
      assert.deepEqual([again?.counts.inserted, again?.counts.unchanged], [0, 1]);
    }),
    onFreshStore(
      suite,
      'IMPORT-2',
      'undoing removes what the import inserted, and no other item',
      async ({ storage }) => {
        const items = sampleItems(9);
        const ids = items.map(({ externalId }) => externalId);
        await commit(storage, items.slice(0, 2));
        await importItems(storage, 'kept', items.slice(2, 4));
        // Two it meets and makes longer, five of its own, one of which is deleted by the host and one made longer by others.
        await importItems(
          storage,
          'undone',
          items.slice(2).map((item) => ({ ...item, timeSpentMs: 9 })),
          {
            progress: { coverage: COVERAGE },
          },
        );
        await importItems(storage, 'later', [{ ...sampleItem(), ...items[8], timeSpentMs: 99 }]);
        await storage.deleteItem({ userId: 'ada', platform: 'spotify', externalId: ids[4] ?? '' });
        await importItems(storage, 'foreign', items, { userId: 'bob' });

        assert.deepEqual(await storage.undoImport({ userId: 'ada', importId: 'undone' }), { removed: 4 });
        assert.deepEqual(await readIds(storage), ids.slice(0, 4));
        assert.equal((await readIds(storage, { userId: 'bob' })).length, 9);
        const [record] = await storage.listImports({ userId: 'ada', id: 'undone' });
        assert.equal(record?.status, 'undone');
        assert.deepEqual(record?.coverage, []);
        assert.ok(record?.finishedAt);
        assert.equal(record?.counts.inserted, 5);
      },
    ),
    onFreshStore(
      suite,
      'IMPORT-2',
      'what was undone can be imported again, what was deleted cannot',
      async ({ storage }) => {
        const items = sampleItems(3);
        await importItems(storage, 'i', items);
        await storage.deleteItem({ userId: 'ada', platform: 'spotify', externalId: items[0]?.externalId ?? '' });
        await storage.undoImport({ userId: 'ada', importId: 'i' });
        const again = await importItems(storage, 'again', items);
        assert.deepEqual([again.inserted, again.unchanged], [2, 1]);
        assert.deepEqual(
          await readIds(storage),
          items.slice(1).map(({ externalId }) => externalId),
        );
      },
    ),
    onFreshStore(
      suite,
      'IMPORT-3',
      "undoing twice, an unknown one, or another user's removes nothing",
      async ({ storage }) => {
        const items = sampleItems(3);
        await importItems(storage, 'i', items);
        assert.deepEqual(await storage.undoImport({ userId: 'bob', importId: 'i' }), { removed: 0 });
        assert.deepEqual(await storage.undoImport({ userId: 'ada', importId: 'unknown' }), { removed: 0 });
        assert.equal((await readIds(storage)).length, 3);
        assert.deepEqual(await storage.undoImport({ userId: 'ada', importId: 'i' }), { removed: 3 });
        await commit(storage, items);
        assert.deepEqual(await storage.undoImport({ userId: 'ada', importId: 'i' }), { removed: 0 });
        assert.equal((await readIds(storage)).length, 3);
      },
    ),
    onFreshStore(
      suite,
      'IMPORT-4',
      'an import undone while running cannot commit another page',
      async ({ storage }) => {
        const { id: connectionId } = await connect(storage);
        const items = sampleItems(4);
        const lease = await take(storage, 'import:i');
        const page = { lease, connectionId, progress: { status: 'running' } } as const;
        await importItems(storage, 'i', items.slice(0, 2), page);
        await storage.undoImport({ userId: 'ada', importId: 'i' });
        await assertRefused(importItems(storage, 'i', items.slice(2), page), 'storage', 'lease_lost');
        assert.equal(await storage.renewLease(lease, LONG_MS), undefined);
        // Not even under a lease that is good.
        const fresh = await take(storage, 'import:i', 'another');
        await assertRefused(importItems(storage, 'i', items, { ...page, lease: fresh }), 'storage', 'lease_lost');
        assert.deepEqual(await readIds(storage), []);
        assert.equal((await storage.listImports({ userId: 'ada' }))[0]?.status, 'undone');
      },
    ),
    onFreshStore(
      suite,
      'IMPORT-5',
      'after undoing, no other import covers the time the undone one did',
      async ({ storage }) => {
        const stretch = (from: number, to: number, source = 'extended-history', account?: string): Coverage => ({
          platform: 'spotify',
          source,
          ...(account === undefined ? {} : { account }),
          from: at(from),
          to: at(to),
        });
        const others = [
          stretch(0, 1),
          stretch(10, 60),
          stretch(0, 60, 'account-data'),
          stretch(0, 60, 'extended-history', 'kid'),
        ];
        await importItems(storage, 'other', sampleItems(2), { progress: { coverage: others } });
        await importItems(storage, 'foreign', sampleItems(2), { userId: 'bob', progress: { coverage: others } });
        await importItems(storage, 'undone', sampleItems(4), { progress: { coverage: [stretch(20, 30)] } });
        await storage.undoImport({ userId: 'ada', importId: 'undone' });
        const coverageOf = async (userId: string, id: string) =>
          (await storage.listImports({ userId, id }))[0]?.coverage;
        assert.deepEqual(await coverageOf('ada', 'other'), [
          stretch(0, 1),
          { ...stretch(10, 20), to: new Date(at(20).getTime() - 1) },
          { ...stretch(30, 60), from: new Date(at(30).getTime() + 1) },
          ...others.slice(2),
        ]);
        assert.deepEqual(await coverageOf('bob', 'foreign'), others);
      },
    ),
  ];
}
