import assert from 'node:assert/strict';
import type { MediaItem, StoredItem } from '../../contracts/media-item.ts';
import type { GroupField, TimeBucket } from '../../contracts/storage/index.ts';
import type { ConformanceCase } from '../conformance-case.ts';
import { at, commit, readAll, sampleItem } from './samples.ts';
import { onFreshStore, type Suite } from './under-test.ts';

const HOUR_MS = 3_600_000;
const FIELDS: readonly GroupField[] = ['platform', 'type', 'subtype', 'creator', 'title', 'source'];

/** Promises of `ReadVerbs` about sums. */
export function sumCases(suite: Suite): readonly ConformanceCase[] {
  return [
    onFreshStore(suite, 'READ-5', 'timeline sums equal the sums of the items read one by one', async ({ storage }) => {
      await commit(storage, mixedItems(200));
      const zoneMs = 9 * HOUR_MS;
      const buckets: TimeBucket[] = [];
      for (let day = 0; day < 12; day += 1) {
        const [dayFrom, dayTo] = [Date.UTC(2024, 0, day), Date.UTC(2024, 0, day + 1)];
        // A zone east of UTC: its days begin earlier, calendar days do not.
        buckets.push({ from: dayFrom - zoneMs, to: dayTo - zoneMs, dayFrom, dayTo });
      }
      // The order given is kept, overlaps and empty buckets are sums like others.
      const [first] = buckets;
      assert.ok(first);
      buckets.push({ ...first, to: buckets.at(-1)?.to ?? 0 });
      buckets.push({ from: 0, to: 0, dayFrom: 0, dayTo: 0 });
      buckets.reverse();
      for (const filter of [{}, { platforms: ['spotify'] }, { minTimeSpentMs: 1 }, { from: at(3), to: at(6) }]) {
        const items = await readAll(storage, filter);
        const expected = buckets.map((bucket) => tally(items.filter((item) => isWithin(item, bucket))));
        const actual = await storage.timeline({ userId: 'ada', ...filter }, buckets);
        assert.deepEqual(actual.map(plain), expected, JSON.stringify(filter));
        assert.ok(expected.some(({ items: count }) => count > 0));
      }
      assert.deepEqual(await storage.timeline({ userId: 'ada' }, []), []);
    }),
    onFreshStore(
      suite,
      'READ-5',
      'an item on a bound is counted once; day precision uses the day bounds',
      async ({ storage }) => {
        const midnight = Date.UTC(2024, 0, 2);
        await commit(storage, [
          sampleItem({ externalId: 'exact', consumedAt: new Date(midnight), timeSpentMs: 1 }),
          sampleItem({ externalId: 'day', consumedAt: new Date(midnight), precision: 'day', timeSpentMs: 10 }),
        ]);
        const bucket = (from: number, to: number, dayFrom: number, dayTo: number) => ({ from, to, dayFrom, dayTo });
        const [before, from] = [midnight - HOUR_MS, midnight + HOUR_MS];
        const sums = await storage.timeline({ userId: 'ada' }, [
          bucket(before, midnight, before, midnight),
          bucket(midnight, from, midnight, from),
          bucket(before, midnight, midnight, from),
          bucket(midnight, from, before, midnight),
        ]);
        assert.deepEqual(
          sums.map(({ timeSpentMs }) => timeSpentMs),
          [0, 11, 10, 1],
        );
      },
    ),
    onFreshStore(suite, 'READ-5', 'the summary equals the sums of the items read one by one', async ({ storage }) => {
      await commit(storage, mixedItems(100));
      for (const filter of [{}, { platforms: ['netflix'] }, { text: 'title 3' }]) {
        const items = await readAll(storage, filter);
        const { firstAt, lastAt, ...sums } = await storage.summary({ userId: 'ada', ...filter });
        assert.deepEqual(sums, tally(items));
        assert.deepEqual([firstAt, lastAt], [items[0]?.consumedAt, items.at(-1)?.consumedAt]);
      }
      assert.deepEqual(plain(await storage.summary({ userId: 'nobody' })), { items: 0, timeSpentMs: 0 });
      assert.equal((await storage.summary({ userId: 'nobody' })).firstAt, undefined);
    }),
    onFreshStore(suite, 'READ-6', 'groups are ordered, ties by value, and cut at the limit', async ({ storage }) => {
      await commit(storage, mixedItems(150));
      const all = await readAll(storage);
      for (const by of FIELDS) {
        for (const orderBy of ['items', 'timeSpent'] as const) {
          const expected = groupsOf(all, by, orderBy);
          for (const limit of [1, 3, 1_000]) {
            const groups = await storage.groups({ userId: 'ada' }, { by, orderBy, limit });
            assert.deepEqual(groups, expected.slice(0, limit), `${by} by ${orderBy}, ${limit}`);
          }
        }
      }
      assert.deepEqual(await storage.groups({ userId: 'nobody' }, { by: 'type', orderBy: 'items', limit: 9 }), []);
    }),
    onFreshStore(suite, 'READ-6', 'the filter narrows before grouping', async ({ storage }) => {
      await commit(storage, mixedItems(50));
      const items = await readAll(storage, { platforms: ['netflix'] });
      const filter = { userId: 'ada', platforms: ['netflix'] };
      const groups = await storage.groups(filter, { by: 'creator', orderBy: 'items', limit: 100 });
      assert.deepEqual(groups, groupsOf(items, 'creator', 'items'));
    }),
  ];
}

/** Items spread over days, platforms, precisions and known or unknown fields, the same ones each time. */
function mixedItems(count: number): readonly MediaItem[] {
  const creators = [undefined, '', 'Ä', 'a', 'ﬁ', '😀'];
  return Array.from({ length: count }, (_, index) => {
    const scattered = (index * 7_919) % 240;
    const isDay = index % 5 === 0;
    return sampleItem({
      externalId: `item ${index}`,
      platform: index % 3 === 0 ? 'netflix' : 'spotify',
      type: index % 4 === 0 ? 'video' : 'music',
      subtype: index % 7 === 0 ? 'live' : undefined,
      title: `Title ${index % 6}`,
      creator: creators[index % creators.length],
      source: index % 2 === 0 ? 'one' : 'two',
      precision: isDay ? 'day' : 'second',
      consumedAt: isDay
        ? new Date(Date.UTC(2024, 0, index % 11))
        : new Date(Date.UTC(2024, 0, 1, scattered, index % 60)),
      timeSpentMs: index % 4 === 1 ? undefined : (index * 37) % 1_000,
    });
  });
}

function isWithin({ precision, consumedAt }: StoredItem, bucket: TimeBucket): boolean {
  const time = consumedAt.getTime();
  return precision === 'day' ? time >= bucket.dayFrom && time < bucket.dayTo : time >= bucket.from && time < bucket.to;
}

function tally(items: readonly StoredItem[]) {
  return { items: items.length, timeSpentMs: items.reduce((sum, { timeSpentMs }) => sum + (timeSpentMs ?? 0), 0) };
}

function plain({ items, timeSpentMs }: { readonly items: number; readonly timeSpentMs: number }) {
  return { items, timeSpentMs };
}

/** The groups of items that come oldest first. */
function groupsOf(items: readonly StoredItem[], by: GroupField, orderBy: 'items' | 'timeSpent') {
  const keyOf = (item: StoredItem) => JSON.stringify([item[by] ?? '', by === 'title' ? (item.creator ?? '') : '']);
  return [...Map.groupBy(items, keyOf)]
    .map(([key, group]) => {
      const [value = '', creator = ''] = JSON.parse(key) as string[];
      const [firstAt, lastAt] = [group[0]?.consumedAt, group.at(-1)?.consumedAt];
      return { value, ...(creator !== '' && { creator }), ...tally(group), firstAt, lastAt };
    })
    .sort(
      (a, b) =>
        (orderBy === 'items' ? b.items - a.items : b.timeSpentMs - a.timeSpentMs) ||
        Buffer.compare(Buffer.from(a.value), Buffer.from(b.value)) ||
        Buffer.compare(Buffer.from(a.creator ?? ''), Buffer.from(b.creator ?? '')),
    );
}
