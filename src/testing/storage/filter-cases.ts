import assert from 'node:assert/strict';
import type { MediaItem } from '../../contracts/media-item.ts';
import type { HiddenRange, ItemFilter, Keyset, Storage } from '../../contracts/storage/index.ts';
import type { ConformanceCase } from '../conformance-case.ts';
import { at, commit, connect, importItems, readAll, readIds, sampleItem } from './samples.ts';
import { onFreshStore, type Suite } from './under-test.ts';

/** Promises of `ReadVerbs` about which items a query gives, and in what order. */
export function filterCases(suite: Suite): readonly ConformanceCase[] {
  return [
    onFreshStore(suite, 'READ-1', 'every field narrows, and they combine with AND', async ({ storage }) => {
      const api = await connect(storage, { kind: 'api' });
      const item = (externalId: string, day: number, given: Partial<MediaItem>) =>
        sampleItem({ externalId, consumedAt: at(day), ...given });
      await importItems(storage, 'i', [
        item('a', 1, { tags: ['x', 'y'], title: 'Ode to Joy', creator: 'Beethoven', timeSpentMs: 10 }),
        item('b', 2, { platform: 'netflix', type: 'video', title: 'Dark', tags: ['xy'] }),
        item('c', 3, { platform: 'youtube', type: 'video', action: 'liked', title: 'ODE', timeSpentMs: 30 }),
      ]);
      await commit(
        storage,
        [
          item('d', 4, { action: 'saved', tags: ['y'], timeSpentMs: 20 }),
          item('e', 5, { type: 'podcast', title: 'A 100% _real_ talk', creator: 'An ode' }),
        ],
        { connectionId: api.id },
      );

      const table: readonly (readonly [Partial<ItemFilter>, string])[] = [
        [{}, 'abcde'],
        [{ platforms: ['netflix'] }, 'b'],
        [{ platforms: ['netflix', 'youtube', 'none'] }, 'bc'],
        [{ platforms: [] }, ''],
        [{ types: ['video', 'podcast'] }, 'bce'],
        [{ actions: ['liked', 'saved'] }, 'cd'],
        [{ from: at(3) }, 'cde'],
        [{ to: at(3) }, 'ab'],
        [{ from: at(2), to: at(4) }, 'bc'],
        [{ from: at(4), to: at(2) }, ''],
        [{ tag: 'y' }, 'ad'],
        [{ tag: 'x' }, 'a'],
        [{ tag: 'Y' }, ''],
        [{ text: 'ode' }, 'ace'],
        [{ text: 'beet' }, 'a'],
        [{ text: '' }, 'abcde'],
        // Wildcards of SQL are text like any other.
        [{ text: '%' }, 'e'],
        [{ text: '_r' }, 'e'],
        [{ minTimeSpentMs: 20 }, 'cd'],
        [{ minTimeSpentMs: 0 }, 'acd'],
        [{ connectionId: api.id }, 'de'],
        [{ importId: 'i' }, 'abc'],
        [{ importId: 'unknown' }, ''],
        [{ connectionId: 'unknown' }, ''],
        [{ text: 'ode', types: ['video'] }, 'c'],
        [{ tag: 'y', connectionId: api.id, minTimeSpentMs: 1, from: at(1), to: at(5) }, 'd'],
        [{ platforms: ['spotify'], types: ['music'], actions: ['consumed'], importId: 'i', text: 'JOY' }, 'a'],
        [{ platforms: ['netflix'], actions: ['liked'] }, ''],
      ];
      for (const [filter, expected] of table) {
        assert.equal((await readIds(storage, filter)).join(''), expected, JSON.stringify(filter));
      }
    }),
    onFreshStore(
      suite,
      'READ-2',
      'pages follow one another without gap or repeat, also at equal times',
      async ({ storage }) => {
        const items = crowd();
        await commit(storage, items);
        const oldest = await readIds(storage);
        assert.deepEqual(oldest, inReadingOrder(items));
        const newest = await storage.queryItems({ userId: 'ada', order: 'newest', limit: 1_000 });
        assert.deepEqual(
          newest.map(({ externalId }) => externalId),
          oldest.toReversed(),
        );
        for (const limit of [1, 2, 7, items.length]) {
          assert.deepEqual(await readInPages(storage, 'oldest', limit), oldest, `oldest, ${limit} a page`);
          assert.deepEqual(await readInPages(storage, 'newest', limit), oldest.toReversed(), `newest, ${limit} a page`);
        }
        assert.deepEqual(await storage.queryItems({ userId: 'ada', order: 'oldest', limit: 0 }), []);
      },
    ),
    onFreshStore(suite, 'READ-2', 'pages have no gap or repeat while others write', async ({ storage }) => {
      const items = crowd();
      const ids = new Set(items.map(({ externalId }) => externalId));
      await commit(storage, items);
      for (const order of ['oldest', 'newest'] as const) {
        let round = 0;
        const seen = await readInPages(storage, order, 3, async () => {
          round += 1;
          const changed = items[round % items.length];
          await commit(
            storage,
            [
              ...(changed ? [{ ...changed, title: `Changed ${order} ${round}` }] : []),
              ...[0, 1, 2].map((day) =>
                sampleItem({ externalId: `new ${order} ${round} ${day}`, consumedAt: at(day, 1) }),
              ),
            ],
            { policy: 'replace' },
          );
        });
        const old = seen.filter((id) => ids.has(id));
        assert.equal(old.length, items.length, order);
        assert.equal(new Set(seen).size, seen.length, order);
      }
    }),
    onFreshStore(suite, 'READ-3', "nobody sees another user's items", async ({ storage }) => {
      const { id } = await connect(storage);
      await importItems(storage, 'i', [sampleItem({ title: 'Of Ada', tags: ['t'] })]);
      await importItems(storage, 'j', [sampleItem({ title: 'Of Bob' })], { userId: 'bob' });
      assert.deepEqual(
        (await readAll(storage, { userId: 'bob' })).map(({ title }) => title),
        ['Of Bob'],
      );
      const filters: Partial<ItemFilter>[] = [{ connectionId: id }, { importId: 'i' }, { tag: 't' }, { text: 'ada' }];
      for (const filter of filters) assert.deepEqual(await readIds(storage, { userId: 'bob', ...filter }), []);
      assert.deepEqual(await readIds(storage, { userId: '' }), []);
      const filter = { userId: 'bob' };
      assert.equal((await storage.summary(filter)).items, 1);
      const groups = await storage.groups(filter, { by: 'title', orderBy: 'items', limit: 9 });
      assert.deepEqual(
        groups.map(({ value }) => value),
        ['Of Bob'],
      );
      const bucket = { from: 0, to: at(9).getTime(), dayFrom: 0, dayTo: at(9).getTime() };
      assert.deepEqual((await storage.timeline(filter, [bucket]))[0]?.items, 1);
      const changes = await storage.changes({ after: 0, limit: 9, userId: 'bob' });
      assert.deepEqual(
        changes.map((change) => change.type === 'stored' && change.item.title),
        ['Of Bob'],
      );
      assert.equal(
        await storage.deleteItem({ userId: 'eve', platform: 'spotify', externalId: sampleItem().externalId }),
        false,
      );
    }),
    onFreshStore(suite, 'READ-4', 'hidden ranges leave out exactly the items they name', async ({ storage }) => {
      const { id } = await connect(storage);
      const other = await connect(storage, { account: 'other' });
      const coarse = (externalId: string, seconds: number, given: Partial<MediaItem> = {}) =>
        sampleItem({ externalId, source: 'coarse', title: externalId, consumedAt: at(1, seconds), ...given });
      const fine = (externalId: string, title: string, seconds: number, given: Partial<MediaItem> = {}) =>
        coarse(externalId, seconds, { source: 'fine', title, ...given });
      await commit(
        storage,
        [
          coarse('inside', 150),
          coarse('at its start', 100),
          coarse('at its end', 200),
          coarse('before', 49),
          coarse('edge alone', 60),
          coarse('edge told before', 70),
          fine('f1', 'edge told before', 65),
          coarse('edge told after', 80),
          fine('f2', 'edge told after', 90),
          coarse('edge out of reach', 50),
          fine('f3', 'edge out of reach', 61),
          fine('f4', 'edge out of reach', 44),
          coarse('second edge told', 210),
          fine('f5', 'second edge told', 210),
          coarse('told by a stranger', 215),
          fine('f6', 'told by a stranger', 215, { source: 'strange' }),
          coarse('told by a like', 216),
          fine('f7', 'told by a like', 216, { action: 'liked' }),
          coarse('other case', 217),
          fine('f8', 'OTHER CASE', 217),
          coarse('liked', 151, { action: 'liked' }),
          coarse('other platform', 152, { platform: 'netflix' }),
          coarse('other source', 153, { source: 'coarser' }),
        ],
        { policy: 'keep' },
      );
      await commit(storage, [coarse('other account', 154), coarse('told across accounts', 218)], {
        connectionId: other.id,
      });
      await commit(storage, [coarse('told elsewhere', 219), fine('f9', 'told across accounts', 218)]);
      await commit(storage, [fine('f10', 'told elsewhere', 219)], { connectionId: other.id });

      const ms = (seconds: number) => at(1, seconds).getTime();
      const range: HiddenRange = {
        platform: 'spotify',
        source: 'coarse',
        connectionIds: [id],
        from: ms(100),
        to: ms(200),
        edges: [
          { from: ms(50), to: ms(99) },
          { from: ms(201), to: ms(220) },
        ],
        finerSources: ['fine', 'finest'],
        reachBeforeMs: 5_000,
        reachAfterMs: 10_000,
      };
      const visible = await readIds(storage);
      const hidden = async (filter: Partial<ItemFilter>) => {
        const shown = new Set(await readIds(storage, filter));
        return visible.filter((one) => !shown.has(one)).sort();
      };
      const named = ['at its end', 'at its start', 'edge told after', 'edge told before', 'inside', 'second edge told'];
      assert.deepEqual(await hidden({ hidden: [range] }), named);
      assert.deepEqual(await hidden({ hidden: [] }), []);
      const both = { ...range, connectionIds: [id, other.id] };
      const across = [...named, 'other account', 'told across accounts', 'told elsewhere'].sort();
      assert.deepEqual(await hidden({ hidden: [both] }), across);
      // A range that is too short for a sure middle has only edges; several ranges add up.
      const inverted = { ...range, from: ms(200), to: ms(100) };
      assert.deepEqual(
        await hidden({ hidden: [inverted] }),
        named.filter((one) => / told/.test(one)),
      );
      const many = Array.from({ length: 600 }, (_, index) => ({ ...range, platform: `none ${index}` }));
      assert.deepEqual(await hidden({ hidden: [...many, range] }), named);
      assert.equal((await storage.summary({ userId: 'ada', hidden: [range] })).items, visible.length - named.length);
      await storage.deleteItem({ userId: 'ada', platform: 'spotify', externalId: 'f5' });
      assert.ok(
        (await readIds(storage, { hidden: [range] })).includes('second edge told'),
        'a deleted item tells nothing',
      );
    }),
    onFreshStore(suite, 'READ-7', 'text search finds any script in any case', async ({ storage }) => {
      const table: readonly (readonly [title: string, found: readonly string[], missed: readonly string[]])[] = [
        ['Über die Straße', ['ÜBER', 'über', 'STRASSE', 'straße', 'U\u0308ber'], ['uber']],
        ['ΟΔΥΣΣΕΥΣ', ['οδυσσευς', 'Οδυσσεύσ'.normalize('NFD').replaceAll(/\p{M}/gu, ''), 'σευς'], ['ιλιας']],
        ['Война и мир', ['ВОЙНА', 'мИр'], ['вайна']],
        ['İstanbul', ['istanbul', 'İSTANBUL'], ['ankara']],
        ['千と千尋の神隠し', ['千尋'], ['千寻']],
        ['الف ليلة وليلة', ['ليلة'], ['ليلى']],
        ['𐐔𐐯𐑅𐐨𐑉𐐯𐐻', ['𐐼𐐇𐑅'], ['𐐇𐐇']],
        ['100% [sic] \\o/ "it\'s"', ['100%', '[SIC]', '\\O/', "IT'S"], ['100_', '.']],
      ];
      for (const [index, [title]] of table.entries()) {
        await commit(storage, [
          sampleItem({ externalId: `title ${index}`, title }),
          sampleItem({ externalId: `creator ${index}`, title: 'x', creator: title }),
        ]);
      }
      for (const [index, [title, found, missed]] of table.entries()) {
        for (const text of found) {
          const ids = [...(await readIds(storage, { text }))].sort();
          assert.deepEqual(ids, [`creator ${index}`, `title ${index}`], `${text} in ${title}`);
        }
        for (const text of missed) assert.deepEqual(await readIds(storage, { text }), [], `${text} not in ${title}`);
      }
    }),
  ];
}

/** Many items at few times, with ids that UTF-16 and UTF-8 order differently. */
function crowd(): readonly MediaItem[] {
  const names = ['a', 'B', 'é', 'ﬁ', '😀', '10', '9'];
  return ['spotify', 'netflix'].flatMap((platform) =>
    names.flatMap((name) =>
      [1, 2].map((day) => sampleItem({ platform, externalId: `${platform} ${name} ${day}`, consumedAt: at(day) })),
    ),
  );
}

function inReadingOrder(items: readonly MediaItem[]): readonly string[] {
  return items
    .toSorted(
      (a, b) =>
        a.consumedAt.getTime() - b.consumedAt.getTime() ||
        Buffer.compare(Buffer.from(a.platform), Buffer.from(b.platform)) ||
        Buffer.compare(Buffer.from(a.externalId), Buffer.from(b.externalId)),
    )
    .map(({ externalId }) => externalId);
}

async function readInPages(
  storage: Storage,
  order: 'oldest' | 'newest',
  limit: number,
  between?: () => Promise<void>,
): Promise<readonly string[]> {
  const ids: string[] = [];
  let after: Keyset | undefined;
  // The bound ends a store that never comes to its end; writers in between add at most three items a page.
  for (let page = 0; page < 500; page += 1) {
    const items = await storage.queryItems({ userId: 'ada', order, limit, after });
    ids.push(...items.map(({ externalId }) => externalId));
    const last = items.at(-1);
    if (!last || items.length < limit) return ids;
    after = { consumedAt: last.consumedAt.getTime(), platform: last.platform, externalId: last.externalId };
    if (page < 8) await between?.();
  }
  throw new Error('The pages do not end.');
}
