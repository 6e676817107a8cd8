import { runJob, startScheduler, streamHistory, syncDue } from '@mca/core';
import type { HistoryCapability, PresentContent, StoredItem } from '@mca/core/provider-kit';
import { describe, expect, test } from 'vitest';
import { DAY, HOUR, liveSetup, playsBefore, START, storedTitles } from '../../test/support/live-setup.ts';
import { fetchPage, idsOfAll } from '../../test/support/telling-history.ts';

/**
 * A service that says what it still has whenever something was taken away since it was asked, as Simkl does: never twice
 * for one cursor.
 */
async function removals(plays: number, change: Partial<HistoryCapability> = {}) {
  const upstream = { stamp: 0, present: undefined as readonly PresentContent[] | undefined };
  const history: Partial<HistoryCapability> = {
    keepsCursor: true,
    order: 'newest-first',
    backfill: false,
    async fetchPage(context, request) {
      const page = await fetchPage(context, { ...request, cursor: undefined, since: undefined, limit: 5_000 });
      const cursor = String(upstream.stamp);
      if (request.cursor === cursor) return { ...page, cursor };
      const present = upstream.present ?? [{ source: 'plays', contentIds: await idsOfAll(context) }];
      return { ...page, cursor, present };
    },
    ...change,
  };
  const live = await liveSetup({ provider: { history }, service: { maxLimit: 5_000 } });
  live.service.add('ada', ...playsBefore(START, plays));
  expect(await live.sync()).toMatchObject({ status: 'complete', counts: { inserted: plays } });
  return {
    ...live,
    upstream,
    /** The user removes the oldest so many plays. */
    remove(count: number) {
      upstream.stamp += 1;
      const ids = live.service.plays('ada').slice(0, count);
      live.service.remove('ada', ...ids.map(({ id }) => id));
    },
    stored: async () => (await storedTitles(live.registry)).length,
  };
}

const nothing = { count: 0, keys: [], deleted: 0, kept: {} };
const keyOf = (index: number): object => ({
  userId: 'ada',
  platform: 'fake',
  externalId: expect.stringMatching(new RegExp(`:song-${index}$`)),
});

describe('what is gone at the service', () => {
  test('is reported and told, and stays here', async () => {
    const { sync, remove, stored, events, connection } = await removals(30);
    expect((await sync()).removedUpstream).toEqual(nothing);
    remove(2);
    const report = await sync();
    expect(report).toMatchObject({ status: 'complete', counts: { read: 28, unchanged: 28 } });
    expect(report.removedUpstream).toEqual({
      count: 2,
      keys: [keyOf(0), keyOf(1)],
      deleted: 0,
      kept: { not_asked: 2 },
    });
    expect(events.filter(({ type }) => type === 'items_removed_upstream')).toEqual([
      {
        type: 'items_removed_upstream',
        provider: 'fake',
        connectionId: connection.id,
        userId: 'ada',
        capability: 'history',
        count: 2,
        kept: { not_asked: 2 },
      },
    ]);
    expect(await stored()).toBe(30);
    expect((await sync()).removedUpstream).toEqual(nothing);
  });

  test('is deleted where the host says so, and the feed has it', async () => {
    const { sync, remove, registry, stored } = await removals(30);
    remove(2);
    const report = await sync({ removedUpstream: 'delete' });
    expect(report.removedUpstream).toEqual({ count: 2, keys: [keyOf(0), keyOf(1)], deleted: 2, kept: {} });
    expect(await stored()).toBe(28);
    const changes = await registry.storage.changes({ after: 30, limit: 10 });
    expect(changes).toMatchObject([
      { type: 'removed', key: keyOf(0) },
      { type: 'removed', key: keyOf(1) },
    ]);
  });

  test('stays away when the very same event is added again; with another time it comes', async () => {
    const { sync, remove, service, registry } = await removals(30);
    const [first] = service.plays('ada');
    if (!first) throw new Error('there are plays');
    remove(1);
    await sync({ removedUpstream: 'delete' });
    service.add('ada', first, { ...first, playedAt: first.playedAt + HOUR / 2, title: 'again' });
    expect((await sync()).counts).toMatchObject({ inserted: 1, unchanged: 30 });
    const titles = await storedTitles(registry);
    expect(titles).toContain('again');
    expect(titles).not.toContain(first.title);
  });

  test('however much it is: all are counted and deleted, the first hundred named', async () => {
    const { sync, remove, stored } = await removals(2_300);
    remove(1_100);
    const { removedUpstream } = await sync({ removedUpstream: 'delete' });
    expect(removedUpstream).toMatchObject({ count: 1_100, deleted: 1_100, kept: {} });
    expect(removedUpstream.keys).toHaveLength(100);
    expect(await stored()).toBe(1_200);
  });

  test.each([
    [20, 20, 'deleted'],
    [21, 21, 'implausible'],
    [22, 11, 'deleted'],
    [22, 12, 'implausible'],
  ])('of %i items %i at once: %s', async (all, gone, what) => {
    const { sync, remove, stored } = await removals(all);
    remove(gone);
    const { removedUpstream, status } = await sync({ removedUpstream: 'delete' });
    const isDeleted = what === 'deleted';
    expect(removedUpstream).toMatchObject({
      count: gone,
      deleted: isDeleted ? gone : 0,
      kept: isDeleted ? {} : { implausible: gone },
    });
    expect(removedUpstream.keys).toHaveLength(gone);
    expect(status).toBe('complete');
    expect(await stored()).toBe(isDeleted ? all - gone : all);
  });

  test('is kept where its name holds no time: it could never come back', async () => {
    const undated: Partial<HistoryCapability> = {
      async fetchPage(context, request) {
        const page = await fetchPage(context, { ...request, cursor: undefined, limit: 200 });
        const items = page.items.map((item, index) =>
          index === 0 ? { ...item, externalId: item.contentId ?? '', precision: 'day' as const } : item,
        );
        const present = request.highWater === undefined ? undefined : [{ source: 'plays', contentIds: ['song-9'] }];
        return { ...page, items, cursor: '', ...(present && { present }) };
      },
    };
    const { sync, registry } = await removals(3, undated);
    expect((await sync({ removedUpstream: 'delete' })).removedUpstream).toMatchObject({
      count: 3,
      deleted: 2,
      kept: { would_not_return: 1 },
    });
    expect(await storedTitles(registry)).toEqual(['song 0']);
  });
});

describe('only what is spoken of can be gone', () => {
  const PARTS = [{ source: 'plays', prefix: 'show:', contentIds: ['show:1', 'show:2:s1e1'] }] as const;

  test('of one prefix, connection, source, and with a contentId; what is within a listed thing is there', async () => {
    const { sync, registry, connection, upstream } = await removals(3);
    const [stored] = await registry.storage.queryItems({ userId: 'ada', order: 'oldest', limit: 1 });
    if (!stored) throw new Error('something is stored');
    const put = async (connectionId: string, ...items: readonly Partial<StoredItem>[]): Promise<void> => {
      const { userId: _user, sequence: _sequence, connectionId: _connection, ...item } = stored;
      const lease = await registry.storage.acquireLease({ resource: `sync:${connectionId}:x`, owner: 'x', ttlMs: DAY });
      if (!lease) throw new Error('the lease is free');
      const page = items.map((each) => ({ ...item, ...each, externalId: each.title ?? '' }));
      await registry.storage.commitPage({ lease, connectionId, items: page, policy: 'keep' });
    };
    const other = { id: 'other', userId: 'ada', provider: 'fake', kind: 'file', account: 'export' } as const;
    await registry.storage.ensureConnection(other);
    await put('other', { title: 'of a file', contentId: 'show:9' });
    await put(
      connection.id,
      { title: 'listed', contentId: 'show:1' },
      { title: 'within', contentId: 'show:1:s1e1' },
      { title: 'gone', contentId: 'show:10:s1e1' },
      { title: 'gone beside', contentId: 'show:2:s1e2' },
      { title: 'of another source', contentId: 'show:9', source: 'export' },
      { title: 'of another kind', contentId: 'movie:9' },
      { title: 'of another capability', contentId: 'show:9', action: 'liked' },
      { title: 'without a name', contentId: undefined },
    );
    upstream.present = PARTS;
    upstream.stamp += 1;
    const { removedUpstream } = await sync({ removedUpstream: 'delete' });
    expect(removedUpstream).toMatchObject({ count: 2, deleted: 2 });
    expect(removedUpstream.keys.map(({ externalId }) => externalId).toSorted()).toEqual(['gone', 'gone beside']);
  });

  test.each([
    ['another source', { source: 'export', contentIds: [] }],
    ['ids without their prefix', { source: 'plays', prefix: 'show:', contentIds: ['1'] }],
    ['an empty id', { source: 'plays', contentIds: [''] }],
  ])('a provider that speaks of %s breaks its contract', async (_, present) => {
    const { sync, upstream, stored } = await removals(3);
    upstream.present = [present];
    upstream.stamp += 1;
    const report = await sync({ removedUpstream: 'delete' });
    expect(report).toMatchObject({ status: 'failed', error: { code: 'plugin', reason: 'invalid_present' } });
    expect(report.removedUpstream).toEqual(nothing);
    expect(await stored()).toBe(3);
  });
});

describe('interrupted', () => {
  type Verb = 'commitPage' | 'queryItems' | 'deleteItem';

  /** Lets a verb of the store fail from its so-manieth call on. */
  async function failing(verb: Verb, after: number) {
    const all = await removals(30);
    const { storage } = all.registry;
    const real = storage[verb];
    let calls = 0;
    const broken = (...args: unknown[]): unknown => {
      calls += 1;
      if (calls > after) throw new Error('the process was killed');
      return Reflect.apply(real, storage, args);
    };
    all.remove(5);
    Object.assign(storage, { [verb]: broken });
    return { ...all, mend: () => Object.assign(storage, { [verb]: real }) };
  }

  test.each([
    ['before it is told', 'queryItems', 0, 0],
    ['before anything is deleted', 'queryItems', 1, 5],
    ['while things are deleted', 'deleteItem', 2, 5],
    ['before the position is stored', 'commitPage', 0, 5],
  ] as const)('%s: what was not told and deleted is, by the next sync', async (_, verb, after, told) => {
    const { sync, mend, stored, events } = await failing(verb, after);
    const first = await sync({ removedUpstream: 'delete' });
    expect(first.status).toBe('failed');
    expect(first.removedUpstream.count).toBe(told);
    mend();
    const left = (await stored()) - 25;
    expect(first.removedUpstream.deleted).toBe(5 - left);
    const second = await sync({ removedUpstream: 'delete' });
    expect(second).toMatchObject({ status: 'complete', removedUpstream: { count: left, deleted: left } });
    expect(await stored()).toBe(25);
    const counts = events.flatMap((event) => (event.type === 'items_removed_upstream' ? event.count : []));
    expect(counts).toEqual([told, left].filter((count) => count > 0));
    expect((await sync()).removedUpstream).toEqual(nothing);
  });

  test('cancelled while it looks: the page is not committed, and what is gone comes again', async () => {
    const { sync, registry, remove } = await removals(2_100);
    remove(5);
    const { queryItems } = registry.storage;
    const controller = new AbortController();
    let looks = 0;
    Object.assign(registry.storage, {
      queryItems(...args: Parameters<typeof queryItems>) {
        looks += 1;
        controller.abort();
        return queryItems(...args);
      },
    });
    expect(await sync({ signal: controller.signal })).toMatchObject({ status: 'cancelled', pages: 0 });
    expect(looks).toBe(1);
    expect((await sync()).removedUpstream.count).toBe(5);
  });
});

describe('by itself', () => {
  type Ready = Awaited<ReturnType<typeof removals>>;
  const ways: Readonly<Record<string, (live: Ready) => Promise<unknown>>> = {
    syncDue: ({ registry, time }) => time.until(syncDue(registry, { removedUpstream: 'delete' })),
    runJob: ({ registry, time, connection: { id: connectionId } }) => {
      const job = { name: 'sync', key: 'sync', connectionId, capability: 'history' } as const;
      return time.until(runJob(registry, job, { removedUpstream: 'delete' }));
    },
    startScheduler: async ({ registry, time }) => {
      const scheduler = startScheduler(registry, { removedUpstream: 'delete' });
      await time.advance(60_000);
      await time.until(scheduler.stop());
    },
  };

  test.each(Object.entries(ways))('%s deletes when told to', async (_, run) => {
    const live = await removals(30);
    live.remove(4);
    await live.time.advance(2 * HOUR);
    await run(live);
    expect(await live.stored()).toBe(26);
  });

  test('a round that is not told to deletes nothing', async () => {
    const { registry, time, remove, stored } = await removals(30);
    remove(4);
    await time.advance(2 * HOUR);
    const counts: number[] = [];
    await time.until(syncDue(registry, { onReport: ({ removedUpstream }) => counts.push(removedUpstream.count) }));
    expect(counts).toEqual([4]);
    expect(await stored()).toBe(30);
  });
});

test('a stream hands over what the service still has', async () => {
  const { registry, time, upstream } = await removals(3);
  upstream.present = [{ source: 'plays', contentIds: ['song-2'] }];
  const stream = streamHistory(registry, { userId: 'ada', provider: 'fake' });
  const { value } = await time.until(stream.next());
  expect(value?.present).toEqual(upstream.present);
  const again = streamHistory(registry, { userId: 'ada', provider: 'fake', cursor: value?.cursor });
  expect((await time.until(again.next())).value).not.toHaveProperty('present');
});
