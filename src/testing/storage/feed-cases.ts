import assert from 'node:assert/strict';
import type { Change, Storage } from '../../contracts/storage/index.ts';
import type { ConformanceCase } from '../conformance-case.ts';
import { commit, importItems, readAll, readIds, sampleItem, sampleItems } from './samples.ts';
import { onFreshStore, type Suite } from './under-test.ts';

/** Promises of `ReadVerbs` about the change feed and about deleting one item. */
export function feedCases(suite: Suite): readonly ConformanceCase[] {
  return [
    onFreshStore(
      suite,
      'READ-8',
      'each write shows with a growing sequence, deletions included',
      async ({ storage }) => {
        const [a, b, c] = sampleItems(3);
        assert.ok(a && b && c);
        assert.deepEqual(await storage.changes({ after: 0, limit: 10 }), []);
        const first = await importItems(storage, 'i', [a, b, c]);
        const inserted = await storage.changes({ after: 0, limit: 10 });
        assert.deepEqual(
          inserted.map(shown),
          [a, b, c].map(({ externalId }) => `stored ${externalId}`),
        );
        assert.deepEqual(
          inserted.flatMap((change) => (change.type === 'stored' ? change.item : [])),
          await readAll(storage),
        );
        assert.equal(inserted.at(-1)?.sequence, first.sequence);

        const second = await commit(storage, [{ ...a, title: 'New' }, b], { policy: 'replace' });
        const updated = await storage.changes({ after: first.sequence, limit: 10 });
        assert.deepEqual(updated.map(shown), [`stored ${a.externalId}`]);
        assert.equal(updated[0]?.sequence, second.sequence);

        await storage.deleteItem({ userId: 'ada', platform: b.platform, externalId: b.externalId });
        const removed = await storage.changes({ after: second.sequence, limit: 10 });
        assert.deepEqual(removed.map(shown), [`removed ${b.externalId}`]);
        await storage.undoImport({ userId: 'ada', importId: 'i' });
        const undone = await storage.changes({ after: removed[0]?.sequence ?? 0, limit: 10 });
        assert.deepEqual(undone.map(shown).sort(), [`removed ${a.externalId}`, `removed ${c.externalId}`]);

        const sequences = [...inserted, ...updated, ...removed, ...undone].map(({ sequence }) => sequence);
        assert.deepEqual(
          sequences,
          sequences.toSorted((x, y) => x - y),
        );
        assert.equal(new Set(sequences).size, sequences.length);
        assert.equal((await commit(storage, [])).sequence, undone.at(-1)?.sequence);
        assert.ok(Number((await commit(storage, [sampleItem()])).sequence) > Number(undone.at(-1)?.sequence));
      },
    ),
    onFreshStore(
      suite,
      'READ-8',
      'a follower who starts anywhere and reads in pages ends with the same items',
      async ({ storage }) => {
        const followers = [1, 2, 5, 1_000].map((limit) => ({ limit, after: 0, known: new Map<string, string>() }));
        const items = sampleItems(12);
        const steps = [
          () => importItems(storage, 'one', items.slice(0, 6)),
          () =>
            commit(
              storage,
              items.slice(3, 9).map((item) => ({ ...item, timeSpentMs: 5 })),
            ),
          () => importItems(storage, 'two', items.slice(8)),
          () => commit(storage, items, { userId: 'bob' }),
          () => storage.undoImport({ userId: 'ada', importId: 'one' }),
          () => commit(storage, items.slice(0, 2)),
          () => storage.deleteItem({ userId: 'ada', platform: 'spotify', externalId: items[10]?.externalId ?? '' }),
          () => storage.undoImport({ userId: 'ada', importId: 'two' }),
          () => commit(storage, items.slice(11)),
        ];
        for (const [index, step] of steps.entries()) {
          await step();
          for (const [which, follower] of followers.entries()) {
            // Some come by rarely.
            if ((index + which) % (which + 1) === 0 || index === steps.length - 1) await follow(storage, follower);
          }
        }
        const expected = new Map((await readAll(storage)).map((item) => [item.externalId, JSON.stringify(item)]));
        assert.ok(expected.size > 0);
        for (const { known, limit } of followers) assert.deepEqual(known, expected, `${limit} a page`);
      },
    ),
    onFreshStore(suite, 'READ-8', 'a rare user among many changes is found', async ({ storage }) => {
      await commit(storage, [sampleItem()], { userId: 'rare' });
      await commit(storage, sampleItems(300), { userId: 'busy' });
      await commit(storage, [sampleItem({ externalId: 'second' })], { userId: 'rare' });
      const found = await storage.changes({ after: 0, limit: 2, userId: 'rare' });
      assert.deepEqual(found.map(shown), [`stored ${sampleItem().externalId}`, 'stored second']);
      assert.equal((await storage.changes({ after: 0, limit: 1_000, userId: 'busy' })).length, 300);
      assert.equal((await storage.changes({ after: 0, limit: 1_000 })).length, 302);
      assert.deepEqual(await storage.changes({ after: 0, limit: 10, userId: 'unknown' }), []);
    }),
    onFreshStore(suite, 'READ-9', 'a deleted item is gone from every read', async ({ storage }) => {
      const secret = sampleItem({ title: 'Secret', creator: 'Nobody', timeSpentMs: 7, tags: ['t'] });
      await importItems(storage, 'i', [secret, ...sampleItems(2)]);
      const key = { userId: 'ada', platform: secret.platform, externalId: secret.externalId };
      assert.equal(await storage.deleteItem({ ...key, externalId: 'unknown' }), false);
      assert.equal(await storage.deleteItem({ ...key, platform: 'netflix' }), false);
      assert.equal(await storage.deleteItem(key), true);
      assert.equal(await storage.deleteItem(key), false);

      assert.equal((await readIds(storage)).includes(secret.externalId), false);
      for (const filter of [{ text: 'secret' }, { text: 'nobody' }, { tag: 't' }, { minTimeSpentMs: 1 }]) {
        assert.deepEqual(await readIds(storage, filter), []);
      }
      const { items, timeSpentMs } = await storage.summary({ userId: 'ada' });
      assert.deepEqual([items, timeSpentMs], [2, 0]);
      const groups = await storage.groups({ userId: 'ada' }, { by: 'title', orderBy: 'items', limit: 9 });
      assert.deepEqual(
        groups.map(({ value }) => value),
        ['A title'],
      );
      const [from, to] = [-1e15, 1e15];
      const sums = await storage.timeline({ userId: 'ada' }, [{ from, to, dayFrom: from, dayTo: to }]);
      assert.equal(sums[0]?.items, 2);
      assert.equal(JSON.stringify(await storage.changes({ after: 0, limit: 9 })).includes('Secret'), false);
    }),
  ];
}

function shown(change: Change): string {
  return `${change.type} ${(change.type === 'stored' ? change.item : change.key).externalId}`;
}

async function follow(
  storage: Storage,
  follower: { readonly limit: number; after: number; readonly known: Map<string, string> },
): Promise<void> {
  for (;;) {
    const { after, limit, known } = follower;
    const page = await storage.changes({ after, limit, userId: 'ada' });
    for (const change of page) {
      assert.ok(change.sequence > follower.after);
      follower.after = change.sequence;
      if (change.type === 'stored') known.set(change.item.externalId, JSON.stringify(change.item));
      else known.delete(change.key.externalId);
    }
    if (page.length < limit) return;
  }
}
