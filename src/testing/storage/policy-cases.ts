import assert from 'node:assert/strict';
import type { MediaItem } from '../../contracts/media-item.ts';
import type { ConformanceCase } from '../conformance-case.ts';
import { at, commit, contentOf, permutations, readAll, sampleItem } from './samples.ts';
import { onFreshStore, type Suite } from './under-test.ts';

/** What one field is changed to, for every field of the content. */
const CHANGES: Readonly<Partial<MediaItem>>[] = [
  { type: 'podcast' },
  { subtype: 'live' },
  { action: 'liked' },
  { title: 'B title' },
  { creator: 'Someone' },
  { creator: '' },
  { consumedAt: at(1, 1) },
  { durationMs: 0 },
  { timeSpentMs: 0 },
  { tags: ['t'] },
  { url: 'https://example.org' },
  { contentId: 'c' },
  { ids: { isrc: 'USRC17607839' } },
  { rating: 0 },
  { source: 'api' },
  { precision: 'day' },
  { account: 'Kids' },
  { rawMetadata: { a: 1 } },
];

/** Promises about what happens when an item is stored already. */
export function policyCases(suite: Suite): readonly ConformanceCase[] {
  return [
    onFreshStore(suite, 'PAGE-4', 'keep never changes a stored item', async ({ storage }) => {
      const first = sampleItem({ timeSpentMs: 1 });
      await commit(storage, [first], { policy: 'keep' });
      for (const change of [...CHANGES, { timeSpentMs: 99 }]) {
        const { unchanged } = await commit(storage, [{ ...first, ...change }], { policy: 'keep' });
        assert.equal(unchanged, 1);
      }
      assert.deepEqual((await readAll(storage)).map(contentOf), [contentOf(first)]);
    }),
    onFreshStore(suite, 'PAGE-5', 'more time spent wins, whatever else differs', async ({ storage }) => {
      const long = sampleItem({ timeSpentMs: 1_000, title: 'A' });
      const items = [
        long,
        sampleItem({ title: 'Z', creator: 'Z' }),
        sampleItem({ timeSpentMs: 999, title: 'Z' }),
        // As text '999' would be more than '1000'.
        sampleItem({ timeSpentMs: 0, title: 'Z' }),
      ];
      for (const [index, order] of permutations(items).entries()) {
        const userId = `user ${index}`;
        for (const item of order) await commit(storage, [item], { userId });
        assert.deepEqual((await readAll(storage, { userId })).map(contentOf), [contentOf(long)]);
      }
    }),
    onFreshStore(
      suite,
      'PAGE-5',
      'at equal time spent every field decides the same way in any order',
      async ({ storage }) => {
        for (const [index, change] of CHANGES.entries()) {
          const [plain, changed] = [sampleItem(), sampleItem(change)];
          const [forth, back] = [`forth ${index}`, `back ${index}`];
          const counts = [
            await commit(storage, [plain, changed], { userId: forth }),
            await commit(storage, [changed, plain], { userId: back }),
          ];
          const [a] = await readAll(storage, { userId: forth });
          const [b] = await readAll(storage, { userId: back });
          assert.ok(a && b);
          assert.deepEqual(contentOf(a), contentOf(b), JSON.stringify(change));
          assert.equal(
            counts.reduce((sum, { updated }) => sum + updated, 0),
            1,
            `one of two orders updates: ${JSON.stringify(change)}`,
          );
        }
      },
    ),
    onFreshStore(suite, 'PAGE-5', 'texts compare by code point, absent ones come first', async ({ storage }) => {
      // The winner comes last. UTF-16 would put the emoji before the ligature.
      const creators = [undefined, '', 'Z', 'a', 'é', 'ﬁ', '😀'];
      const items = creators.map((creator) => sampleItem({ creator }));
      for (const [index, item] of items.entries()) {
        for (const [other, rival] of items.entries()) {
          const userId = `user ${index} ${other}`;
          await commit(storage, [item, rival], { userId });
          const [winner] = await readAll(storage, { userId });
          assert.equal(winner?.creator, creators[Math.max(index, other)]);
        }
      }
    }),
    onFreshStore(suite, 'PAGE-5', 'pages in any order give the same store', async ({ storage }) => {
      const variant = (id: string, given: Partial<MediaItem>) => sampleItem({ externalId: id, ...given });
      const pages = [
        [variant('1', { timeSpentMs: 5 }), variant('2', { title: 'X' }), variant('3', {})],
        [variant('1', { timeSpentMs: 7 }), variant('2', { title: 'Y', creator: 'C' })],
        [variant('1', { timeSpentMs: 7, url: 'u' }), variant('3', { tags: ['x'] }), variant('4', { rating: 9 })],
        [variant('2', { title: 'Y' }), variant('4', { rating: 10 }), variant('3', { ids: { isrc: 'I' } })],
      ];
      const stores = new Set<string>();
      for (const [index, order] of permutations(pages).entries()) {
        const userId = `user ${index}`;
        for (const page of order) await commit(storage, page, { userId });
        stores.add(JSON.stringify((await readAll(storage, { userId })).map(contentOf)));
      }
      assert.equal(stores.size, 1);
    }),
    onFreshStore(suite, 'PAGE-6', 'replace updates when any field differs, and only then', async ({ storage }) => {
      const plain = sampleItem();
      await commit(storage, [plain], { policy: 'replace' });
      // Another source is another matter: PAGE-13.
      for (const change of CHANGES.filter(({ source }) => source === undefined)) {
        for (const item of [sampleItem(change), plain]) {
          const label = JSON.stringify(change);
          const { updated, sequence } = await commit(storage, [item], { policy: 'replace' });
          assert.equal(updated, 1, label);
          const again = await commit(storage, [item], { policy: 'replace' });
          assert.deepEqual(again, { inserted: 0, updated: 0, unchanged: 1, sequence }, label);
          assert.deepEqual((await readAll(storage)).map(contentOf), [contentOf(item)], label);
        }
      }
    }),
    onFreshStore(suite, 'PAGE-13', 'replace never takes away what another source told', async ({ storage }) => {
      const told = sampleItem({ source: 'export', timeSpentMs: 60_000 });
      await commit(storage, [told]);
      const untimed = sampleItem({ source: 'api', timeSpentMs: undefined, title: 'another title' });
      assert.equal((await commit(storage, [untimed], { policy: 'replace' })).unchanged, 1);
      assert.deepEqual((await readAll(storage)).map(contentOf), [contentOf(told)]);
      const longer = sampleItem({ source: 'api', timeSpentMs: 90_000 });
      assert.equal((await commit(storage, [longer], { policy: 'replace' })).updated, 1);
      assert.deepEqual((await readAll(storage)).map(contentOf), [contentOf(longer)]);
    }),
    onFreshStore(suite, 'PAGE-6', 'an update keeps who first brought the item', async ({ storage }) => {
      await commit(storage, [sampleItem()]);
      const [before] = await readAll(storage);
      await commit(storage, [sampleItem({ title: 'B' })], { policy: 'replace', userId: 'ada' });
      const [after] = await readAll(storage);
      assert.ok(before && after);
      assert.equal(after.connectionId, before.connectionId);
      assert.equal(after.importId, undefined);
      assert.ok(after.sequence > before.sequence);
    }),
  ];
}
