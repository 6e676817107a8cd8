import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { createRegistry, importFile, iterateItems, queryItems } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { sqlite } from '@mca/core/adapters/sqlite';
import { fileOf } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { imdb } from './index.ts';

const userId = 'ana';
const stores = [
  ['memory', () => memory()],
  ['SQLite', () => sqlite({ database: new DatabaseSync(':memory:') })],
] as const;
const fixture = (name: string) => fileOf(name, readFileSync(new URL(`__fixtures__/${name}`, import.meta.url)));
const ratingsOf = (...rows: readonly string[]) =>
  fileOf('ratings.csv', ['Const,Your Rating,Date Rated,Title,IMDb Rating,Num Votes', ...rows, ''].join('\n'));
const row = (n: number): string =>
  `tt990000${n + 10},${(n % 10) + 1},2025-03-${String((n % 28) + 1).padStart(2, '0')},Film ${n},7,1`;

describe.each(stores)('%s', (_, open) => {
  const registryOf = () => createRegistry({ providers: [imdb()], ...open() });

  test('both exports together, and once more', async () => {
    const registry = registryOf();
    const file = [fixture('watchlist.csv'), fixture('ratings.csv')];
    expect(await importFile(registry, { userId, file })).toMatchObject({
      status: 'complete',
      provider: 'imdb',
      counts: { read: 8, inserted: 7, updated: 0, unchanged: 0, skipped: 1, rejected: 0 },
    });
    expect((await importFile(registry, { userId, file })).counts).toMatchObject({
      inserted: 0,
      updated: 0,
      unchanged: 7,
    });
    // What is rated and on a list is both; nothing was seen on a day that is known.
    expect((await queryItems(registry, { userId })).items).toHaveLength(7);
    expect((await queryItems(registry, { userId, action: 'consumed' })).items).toEqual([]);
  });

  test('votes and averages of other people move, and nothing of ours does', async () => {
    const registry = registryOf();
    await importFile(registry, { userId, file: ratingsOf('tt99000001,9,2025-03-01,Blue Door,7.1,1204') });
    const again = await importFile(registry, { userId, file: ratingsOf('tt99000001,9,2025-03-01,Blue Door,7.4,9001') });
    expect(again.counts).toMatchObject({ inserted: 0, updated: 0, unchanged: 1 });
  });

  test('a new rating takes the place of the old one, in either order', async () => {
    const old = ratingsOf('tt99000001,9,2025-03-01,Blue Door,7,1');
    const recent = ratingsOf('tt99000001,4,2025-04-01,Blue Door,7,1');
    for (const files of [
      [old, recent],
      [recent, old],
    ]) {
      const registry = registryOf();
      for (const file of files) await importFile(registry, { userId, file });
      expect((await queryItems(registry, { userId })).items).toMatchObject([
        { rating: 4, consumedAt: new Date('2025-04-01') },
      ]);
    }
  });

  test('overlapping exports give the union, in either order', async () => {
    const part = (from: number, to: number) =>
      ratingsOf(...Array.from({ length: to - from }, (_, index) => row(from + index)));
    const sets: string[][] = [];
    for (const files of [
      [part(0, 40), part(25, 60)],
      [part(25, 60), part(0, 40)],
    ]) {
      const registry = registryOf();
      for (const file of files) await importFile(registry, { userId, file });
      const keys: string[] = [];
      for await (const { externalId } of iterateItems(registry, { userId, order: 'oldest', resolve: 'all' }))
        keys.push(externalId);
      sets.push(keys.sort());
    }
    expect(sets[0]).toHaveLength(60);
    expect(sets[1]).toEqual(sets[0]);
  });
});
