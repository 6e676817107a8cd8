import { DatabaseSync } from 'node:sqlite';
import type { MediaItem, UpdatePolicy } from '@mca/core/adapter-kit';
import { expect, test } from 'vitest';
import { sqlite } from './index.ts';

const item = (second: number, timeSpentMs: number, platform = 'spotify'): MediaItem => ({
  platform,
  externalId: `${1_700_000_000 + second}:x`,
  type: 'music',
  action: 'consumed',
  title: 'Falling in Lisbon',
  consumedAt: new Date((1_700_000_000 + second) * 1000),
  timeSpentMs,
  tags: [],
  ids: { spotify: 'x' },
  source: 'test',
  precision: 'second',
  rawMetadata: {},
});

const page = Array.from({ length: 20 }, (_, second) => item(second, 1_000));

async function makeStore() {
  const { storage } = sqlite({ database: new DatabaseSync(':memory:') });
  await storage.migrate();
  const request = { id: 'c', userId: 'ana', provider: 'spotify', kind: 'file', account: '' } as const;
  const connectionId = (await storage.ensureConnection(request)).id;
  const lease = await storage.acquireLease({ resource: 'r', owner: 'o', ttlMs: 60_000 });
  if (!lease) throw new Error('no lease');
  const commit = async (items: readonly MediaItem[], policy: UpdatePolicy) => {
    const { inserted, updated, unchanged } = await storage.commitPage({ lease, connectionId, items, policy });
    return [inserted, updated, unchanged];
  };
  await commit(page, 'replace');
  return { storage, commit };
}

test.each(['keep', 'longest', 'replace'] as const)('%s: a page that is stored changes nothing', async (policy) => {
  const { commit } = await makeStore();
  expect(await commit(page, policy)).toEqual([0, 0, 20]);
  expect(await commit(page.toReversed(), policy)).toEqual([0, 0, 20]);
});

test('one changed row among stored ones is updated, a new one inserted', async () => {
  const { commit } = await makeStore();
  expect(await commit([...page.slice(1), item(0, 2_000), item(99, 1_000)], 'longest')).toEqual([1, 1, 19]);
});

test('a key that comes twice is compared with what the page made of it, not with what was stored before', async () => {
  const { storage, commit } = await makeStore();
  expect(await commit([...page.slice(1), item(0, 2_000), item(0, 1_000)], 'replace')).toEqual([0, 2, 19]);
  const [first] = await storage.queryItems({ userId: 'ana', order: 'oldest', limit: 1 });
  expect(first?.timeSpentMs).toBe(1_000);
});

test('a deleted item stays deleted', async () => {
  const { storage, commit } = await makeStore();
  await storage.deleteItem({ userId: 'ana', platform: 'spotify', externalId: item(3, 0).externalId });
  expect(await commit(page, 'replace')).toEqual([0, 0, 20]);
  expect((await storage.summary({ userId: 'ana' })).items).toBe(19);
});

test('equal ids of two platforms on one page are two items', async () => {
  const { commit } = await makeStore();
  expect(await commit([...page, ...page.map((_, second) => item(second, 1_000, 'youtube'))], 'longest')).toEqual([
    20, 0, 20,
  ]);
});
