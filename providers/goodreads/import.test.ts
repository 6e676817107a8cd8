import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { createRegistry, importFile, iterateItems, queryItems } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { sqlite } from '@mca/core/adapters/sqlite';
import { fileOf } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { goodreads } from './index.ts';

const userId = 'ana';
const stores = [
  ['memory', () => memory()],
  ['SQLite', () => sqlite({ database: new DatabaseSync(':memory:') })],
] as const;
const NAME = 'goodreads_library_export.csv';
const library = fileOf(NAME, readFileSync(new URL(`__fixtures__/${NAME}`, import.meta.url)));
const HEADER = 'Book Id,Title,Author,My Rating,Average Rating,Date Read,Date Added,Exclusive Shelf,Read Count';
const rowsOf = (...rows: readonly string[]) => fileOf(NAME, [HEADER, ...rows, ''].join('\n'));
const book = (rating: number, read: string, count = 1, average = '4.21') =>
  rowsOf(`7,Blue Door,Ines Vale,${rating},${average},${read},2020/01/01,read,${count}`);

describe.each(stores)('%s', (_, open) => {
  const registryOf = () => createRegistry({ providers: [goodreads()], ...open() });
  const days = async (registry: ReturnType<typeof registryOf>) => {
    const { items } = await queryItems(registry, { userId, action: 'consumed', order: 'oldest' });
    return items.map(({ externalId, consumedAt }) => [externalId, consumedAt.toISOString().slice(0, 10)]);
  };

  test('a whole library, and once more', async () => {
    const registry = registryOf();
    expect(await importFile(registry, { userId, file: library })).toMatchObject({
      status: 'complete',
      provider: 'goodreads',
      counts: { read: 11, inserted: 9, updated: 0, unchanged: 0, skipped: 2, rejected: 0 },
      byType: { book: 7, audiobook: 2 },
    });
    const again = await importFile(registry, { userId, file: library });
    expect(again.counts).toEqual({ read: 11, inserted: 0, updated: 0, unchanged: 9, skipped: 2, rejected: 0 });
    const [stored] = (await queryItems(registry, { userId, action: 'consumed', order: 'newest' })).items;
    expect(stored?.ids).toEqual({ goodreads: '900000001', isbn13: '9780306406157' });
  });

  test('what other people think moves, and nothing of ours does', async () => {
    const registry = registryOf();
    await importFile(registry, { userId, file: book(4, '2024/03/09', 1, '4.21') });
    const again = await importFile(registry, { userId, file: book(4, '2024/03/09', 1, '4.22') });
    expect(again.counts).toMatchObject({ inserted: 0, updated: 0, unchanged: 2 });
  });

  test('a date that is filled in, or lost by an export, makes no second reading', async () => {
    for (const dates of [
      ['', '2024', '2024/03/09'],
      ['2024/03/09', '', '2024/03'],
    ]) {
      const registry = registryOf();
      for (const date of dates) await importFile(registry, { userId, file: book(0, date) });
      expect(await days(registry)).toEqual([['book:7', '2024-03-09']]);
    }
  });

  test('reading again is another reading, in either order', async () => {
    const files = [book(3, '2021/01/02', 1), book(5, '2024/03/09', 2)];
    for (const order of [files, files.toReversed()]) {
      const registry = registryOf();
      for (const file of order) await importFile(registry, { userId, file });
      expect(await days(registry)).toEqual([
        ['book:7', '2021-01-02'],
        ['book:7#2', '2024-03-09'],
      ]);
      const { items } = await queryItems(registry, { userId, action: 'rated' });
      expect(items).toMatchObject([{ rating: 10 }]);
    }
  });

  test('a new rating takes the place of the old one; a lower one of the same reading only where asked for', async () => {
    const registry = registryOf();
    const rating = async () =>
      (await queryItems(registry, { userId, action: 'rated' })).items.map((item) => item.rating);
    await importFile(registry, { userId, file: book(3, '2024/03/09') });
    await importFile(registry, { userId, file: book(4, '2024/03/09') });
    expect(await rating()).toEqual([8]);
    await importFile(registry, { userId, file: book(2, '2024/03/09') });
    expect(await rating()).toEqual([8]);
    await importFile(registry, { userId, file: book(2, '2024/03/09'), updatePolicy: 'replace' });
    expect(await rating()).toEqual([4]);
  });

  test('overlapping exports give the union, in either order', async () => {
    const row = (n: number): string =>
      `${n + 1},Book ${n},A,${n % 6},4,2024/03/${String((n % 28) + 1).padStart(2, '0')},2020/01/01,read,1`;
    const part = (from: number, to: number) =>
      rowsOf(...Array.from({ length: to - from }, (_, index) => row(from + index)));
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
    expect(sets[0]).toHaveLength(60 + 50);
    expect(sets[1]).toEqual(sets[0]);
  });
});
