import assert from 'node:assert/strict';
import type { ConformanceCase } from '../conformance-case.ts';
import {
  assertRefused,
  at,
  commit,
  connect,
  contentOf,
  importItems,
  LONG_MS,
  POLICIES,
  parkedContentOf,
  readAll,
  readIds,
  sampleItem,
  sampleItems,
  sampleParked,
  sampleProgress,
  take,
} from './samples.ts';
import { elapse, onFreshStore, type Suite } from './under-test.ts';

const CURSOR = { capability: 'history', value: 'after page 1' as never };

/** Promises of `PageVerbs` about transactions, counts and round trips. */
export function pageCases(suite: Suite): readonly ConformanceCase[] {
  return [
    onFreshStore(suite, 'PAGE-1', 'items, cursor, totals and parked records commit together', async ({ storage }) => {
      const { id } = await connect(storage);
      const parked = [
        sampleParked({ reason: 'b', message: 'first', raw: '{"n":1}' }),
        sampleParked({ reason: 'a', message: 'second' }),
      ];
      const result = await importItems(storage, 'i', sampleItems(3), { cursor: CURSOR, parked });
      assert.deepEqual(result, { inserted: 3, updated: 0, unchanged: 0, sequence: result.sequence });
      assert.equal((await readAll(storage)).length, 3);
      assert.deepEqual(await storage.readCursors(id, 'history'), [CURSOR.value]);
      assert.deepEqual((await storage.listParked(id)).map(parkedContentOf), parked);
      assert.equal((await storage.listImports({ userId: 'ada', id: 'i' }))[0]?.counts.inserted, 3);
    }),
    onFreshStore(suite, 'PAGE-1', 'a page that fails at its last item leaves nothing behind', async ({ storage }) => {
      const { id } = await connect(storage);
      const { sequence } = await commit(storage, []);
      const bad = [...sampleItems(3), sampleItem({ externalId: 'bad', consumedAt: new Date(Number.NaN) })];
      const parked = [sampleParked()];
      await assertRefused(importItems(storage, 'i', bad, { cursor: CURSOR, parked }), 'invalid_data', 'invalid_date');
      assert.deepEqual(await readIds(storage), []);
      assert.deepEqual(await storage.readCursors(id, 'history'), []);
      assert.deepEqual(await storage.listParked(id), []);
      assert.deepEqual(await storage.listImports({ userId: 'ada' }), []);
      assert.deepEqual(await storage.changes({ after: 0, limit: 10 }), []);
      assert.equal((await commit(storage, [])).sequence, sequence);
    }),
    onFreshStore(
      suite,
      'PAGE-1',
      "an unknown connection and another connection's import are refused",
      async ({ storage }) => {
        const other = await connect(storage, { account: 'other' });
        await importItems(storage, 'i', sampleItems(1));
        const lease = await take(storage, 'import:i');
        const lost = commit(storage, sampleItems(2), { lease, connectionId: 'nowhere' });
        await assertRefused(lost, 'not_found', 'connection_unknown');
        const foreign = importItems(storage, 'i', sampleItems(2), { lease, connectionId: other.id });
        await assertRefused(foreign, 'invalid_data', 'foreign_import');
        assert.equal((await readIds(storage)).length, 1);
      },
    ),
    onFreshStore(suite, 'PAGE-2', 'the same page from many at once is stored once', async ({ storage }) => {
      const items = sampleItems(20);
      const connections = await Promise.all(
        Array.from({ length: 8 }, (_, index) => connect(storage, { account: `account ${index}` })),
      );
      const results = await Promise.all(connections.map(({ id }) => commit(storage, items, { connectionId: id })));
      assert.equal((await readIds(storage)).length, 20);
      assert.equal(
        results.reduce((sum, { inserted }) => sum + inserted, 0),
        20,
      );
    }),
    onFreshStore(suite, 'PAGE-2', 'platform and user are part of the key', async ({ storage }) => {
      await commit(storage, [sampleItem(), sampleItem({ platform: 'netflix' })]);
      await commit(storage, [sampleItem()], { userId: 'bob' });
      assert.equal((await readIds(storage)).length, 2);
      assert.equal((await readIds(storage, { userId: 'bob' })).length, 1);
    }),
    onFreshStore(suite, 'PAGE-3', 'a page under a lost lease is refused and writes nothing', async (store) => {
      const { storage } = store;
      const { id } = await connect(storage);
      const resource = `sync:${id}:history`;
      const old = await storage.acquireLease({ resource, owner: 'old', ttlMs: 30 });
      assert.ok(old);
      await commit(storage, sampleItems(1), { lease: old });
      await elapse(store, 35);
      const current = await take(storage, resource, 'current');
      const page = { cursor: CURSOR, import: sampleProgress('i'), parked: [sampleParked()] };
      const leases = [old, { ...current, owner: 'thief' }, { ...current, resource: 'sync:other:history' }];
      for (const lease of leases) {
        await assertRefused(commit(storage, sampleItems(5), { lease, ...page }), 'storage', 'lease_lost');
      }
      await storage.releaseLease(current);
      await assertRefused(commit(storage, sampleItems(5), { lease: current, ...page }), 'storage', 'lease_lost');
      assert.equal((await readIds(storage)).length, 1);
      assert.deepEqual(await storage.readCursors(id, 'history'), []);
      assert.deepEqual(await storage.listImports({ userId: 'ada' }), []);
      assert.deepEqual(await storage.listParked(id), []);
    }),
    onFreshStore(suite, 'PAGE-7', 'counts add up, repeats within the page included', async ({ storage }) => {
      const short = sampleItem({ timeSpentMs: 1 });
      const long = sampleItem({ timeSpentMs: 2 });
      const expected = { keep: [1, 0, 3], longest: [1, 1, 2], replace: [1, 2, 1] } as const;
      for (const policy of POLICIES) {
        const userId = `user of ${policy}`;
        const first = await commit(storage, [short, long, short, short], { userId, policy });
        assert.deepEqual([first.inserted, first.updated, first.unchanged], expected[policy], policy);
        const rest = await commit(storage, [...sampleItems(5), short], { userId, policy });
        assert.equal(rest.inserted + rest.updated + rest.unchanged, 6, policy);
        assert.equal(rest.inserted, 5, policy);
      }
    }),
    onFreshStore(suite, 'PAGE-7', 'counts are right after a preview and after a refused page', async ({ storage }) => {
      const old = sampleItem({ timeSpentMs: 1 });
      await commit(storage, [old]);
      // A rolled-back insert must not be mistaken for what the next page does.
      await storage.previewPage({ userId: 'ada', items: [sampleItem({ externalId: 'new' })], policy: 'replace' });
      await assertRefused(
        commit(storage, [sampleItem({ externalId: 'new' }), sampleItem({ consumedAt: new Date(Number.NaN) })]),
        'invalid_data',
      );
      const { inserted, updated } = await commit(storage, [sampleItem({ timeSpentMs: 2 })]);
      assert.deepEqual([inserted, updated], [0, 1]);
    }),
    onFreshStore(suite, 'PAGE-8', 'a deleted item stays deleted and counts as unchanged', async ({ storage }) => {
      const [first, ...others] = sampleItems(3);
      assert.ok(first);
      await commit(storage, [first, ...others]);
      await storage.deleteItem({ userId: 'ada', platform: first.platform, externalId: first.externalId });
      for (const policy of POLICIES) {
        const again = await commit(storage, [{ ...first, timeSpentMs: LONG_MS }], { policy });
        assert.deepEqual([again.inserted, again.updated, again.unchanged], [0, 0, 1], policy);
      }
      assert.deepEqual(
        await readIds(storage),
        others.map(({ externalId }) => externalId),
      );
    }),
    onFreshStore(suite, 'PAGE-9', 'every field survives, text in any script included', async ({ storage }) => {
      const items = roundTripItems();
      await importItems(storage, 'i', items);
      const stored = await readAll(storage);
      assert.deepEqual(stored.map(contentOf), items.map(contentOf));
      const { id } = await connect(storage);
      for (const { userId, connectionId, importId } of stored) {
        assert.deepEqual([userId, connectionId, importId], ['ada', id, 'i']);
      }
      assert.equal((await commit(storage, items, { policy: 'replace' })).unchanged, items.length);
    }),
    onFreshStore(
      suite,
      'PAGE-10',
      'a preview counts what a commit then does, and writes nothing',
      async ({ storage }) => {
        await commit(storage, [sampleItem({ timeSpentMs: 5 }), ...sampleItems(2)]);
        await storage.deleteItem({
          userId: 'ada',
          platform: 'spotify',
          externalId: sampleItems(1)[0]?.externalId ?? '',
        });
        const items = [sampleItem({ timeSpentMs: 6 }), sampleItem({ timeSpentMs: 4 }), ...sampleItems(4)];
        for (const policy of POLICIES) {
          const before = await storage.changes({ after: 0, limit: 100 });
          const preview = await storage.previewPage({ userId: 'ada', items, policy });
          assert.deepEqual(await storage.changes({ after: 0, limit: 100 }), before);
          const { sequence: _, ...counts } = await commit(storage, items, { policy });
          assert.deepEqual(preview, counts, policy);
        }
        const unknown = await storage.previewPage({ userId: 'nobody', items, policy: 'keep' });
        assert.deepEqual(unknown, { inserted: 5, updated: 0, unchanged: 1 });
        assert.deepEqual(await readIds(storage, { userId: 'nobody' }), []);
      },
    ),
    onFreshStore(suite, 'PAGE-11', 'the last five cursors are kept, newest first', async ({ storage }) => {
      const { id } = await connect(storage);
      const other = await connect(storage, { account: 'other' });
      assert.deepEqual(await storage.readCursors(id, 'history'), []);
      assert.deepEqual(await storage.readCursors('nobody', 'history'), []);
      const values = ['one', 'two', 'öß✓😀', 'a', 'z', 'm', 'last'] as never[];
      for (const [index, value] of values.entries()) {
        await commit(storage, [], { cursor: { capability: 'history', value } });
        const newestFirst = values.slice(0, index + 1).toReversed();
        assert.deepEqual(await storage.readCursors(id, 'history'), newestFirst.slice(0, 5));
      }
      await commit(storage, []);
      await commit(storage, [], { cursor: { capability: 'likes', value: 'other' as never } });
      assert.deepEqual(await storage.readCursors(id, 'history'), ['last', 'm', 'z', 'a', 'öß✓😀']);
      assert.deepEqual(await storage.readCursors(id, 'likes'), ['other']);
      assert.deepEqual(await storage.readCursors(other.id, 'history'), []);
    }),
  ];
}

/** Items that a careless schema would bend. */
function roundTripItems() {
  return [
    sampleItem({ externalId: 'before 1970', consumedAt: new Date(-1) }),
    sampleItem({
      externalId: `full ${'x'.repeat(507)}`,
      type: 'video',
      subtype: 'tv_episode',
      action: 'rated',
      title: 'שלום 你好 नमस्ते ÅÅ 👩‍👩‍👧 "quoted" \\ line\nbreak\ttab',
      creator: "O'Brien; DROP TABLE items; --",
      consumedAt: at(2),
      durationMs: 3_600_000,
      timeSpentMs: 0,
      tags: ['a', '', 'ü,"', 'a'],
      url: 'https://example.org/?q=ü&x=1#f',
      contentId: 'spotify:track:1',
      ids: { isrc: 'USRC17607839', tiktok: '7312345678901234567' },
      rating: 7.5,
      precision: 'day',
      account: 'Kids',
      rawMetadata: { deep: { list: [1, 2.5, null, true, { text: 'ﬁ😀' }] }, big: '9007199254740993', empty: {} },
    }),
    sampleItem({ externalId: 'empty texts', consumedAt: at(3), creator: '', subtype: '', url: '', account: '' }),
    sampleItem({
      externalId: 'a hostile key',
      consumedAt: at(4),
      // An own property of this name, as JSON.parse makes it.
      rawMetadata: JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}'),
    }),
    sampleItem({ externalId: 'after 2038', consumedAt: new Date('2200-01-01T00:00:00.001Z'), timeSpentMs: 2 ** 45 }),
  ];
}
