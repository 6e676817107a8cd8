import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createRegistry, importFile, iterateItems, queryItems, summarise } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { sqlite } from '@mca/core/adapters/sqlite';
import { fileOf, makeZip } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { letterboxd } from './index.ts';

const userId = 'ana';
const stores = [
  ['memory', () => memory()],
  ['SQLite', () => sqlite({ database: new DatabaseSync(':memory:') })],
] as const;
const contentOf = (name: string): Buffer => readFileSync(new URL(`__fixtures__/${name}`, import.meta.url));
const NAMES = ['diary.csv', 'ratings.csv', 'films.csv', 'watchlist.csv', 'watched.csv'] as const;
const zipOf = (names: readonly string[]) =>
  fileOf('letterboxd-ana.zip', makeZip(names.map((name) => ({ name, content: contentOf(name) }))));
const DIARY = 'Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date';
const day = (n: number): string =>
  `2025-${String(1 + Math.floor(n / 28)).padStart(2, '0')}-${String(1 + (n % 28)).padStart(2, '0')}`;
const viewing = (n: number): string =>
  `${day(n)},Film ${n % 9},2019,https://boxd.it/9d${n},4,${n > 8 ? 'Yes' : ''},,${day(n)}`;
const diaryOf = (from: number, to: number) =>
  fileOf(
    'diary.csv',
    [DIARY, ...Array.from({ length: to - from }, (_, index) => viewing(from + index)), ''].join('\n'),
  );
const ratingsOf = (...rows: readonly string[]) =>
  fileOf('ratings.csv', ['Date,Name,Year,Letterboxd URI,Rating', ...rows, ''].join('\n'));

describe.each(stores)('%s', (_, open) => {
  const registryOf = () => createRegistry({ providers: [letterboxd()], ...open() });
  const keysOf = async (registry: ReturnType<typeof registryOf>) => {
    const keys: string[] = [];
    for await (const { externalId } of iterateItems(registry, { userId, order: 'oldest', resolve: 'all' }))
      keys.push(externalId);
    return keys.sort();
  };

  test('a whole export, and once more', async () => {
    const registry = registryOf();
    const first = await importFile(registry, { userId, file: zipOf(NAMES) });
    expect(first).toMatchObject({
      status: 'complete',
      provider: 'letterboxd',
      counts: { read: 17, inserted: 13, updated: 0, unchanged: 0, skipped: 4, rejected: 0 },
      skipped: { in_diary: 4 },
    });
    const again = await importFile(registry, { userId, file: zipOf(NAMES) });
    expect(again.counts).toEqual({ read: 17, inserted: 0, updated: 0, unchanged: 13, skipped: 4, rejected: 0 });
    const loose = NAMES.map((name) => fileOf(name, contentOf(name)));
    expect((await importFile(registry, { userId, file: loose })).counts).toMatchObject({ inserted: 0, updated: 0 });
  });

  test('diary, ratings and marks together tell each viewing once', async () => {
    const registry = registryOf();
    await importFile(registry, { userId, file: zipOf(NAMES) });
    const seen = await queryItems(registry, { userId, action: 'consumed' });
    expect(seen.items.map(({ title }) => title).sort()).toEqual([
      'Blue Door',
      'Blue Door',
      // Rewatched on a day, seen before on another.
      'Green Gate',
      'Green Gate',
      'Old Harbour',
      'Salt, Pepper & Co',
      'Sand Hill',
      'The "Other" One',
    ]);
    const dated = await queryItems(registry, { userId, action: 'consumed', from: new Date('1971-01-01') });
    expect(dated.items).toHaveLength(5);
    expect((await summarise(registry, { userId })).items).toBe(13);
  });

  test('overlapping exports give the union, in either order', async () => {
    const sets = [];
    for (const files of [
      [diaryOf(0, 40), diaryOf(25, 60)],
      [diaryOf(25, 60), diaryOf(0, 40)],
    ]) {
      const registry = registryOf();
      for (const file of files) await importFile(registry, { userId, file });
      sets.push(await keysOf(registry));
    }
    expect(sets[0]).toHaveLength(60);
    expect(sets[1]).toEqual(sets[0]);
  });

  test('a new rating takes the place of the old one, in either order', async () => {
    const old = ratingsOf('2025-01-01,Blue Door,2019,https://boxd.it/4a,5');
    // Meanwhile Letterboxd has corrected title and year.
    const recent = ratingsOf('2025-02-01,The Blue Door,2020,https://boxd.it/4a,2.5');
    for (const files of [
      [old, recent],
      [recent, old],
    ]) {
      const registry = registryOf();
      for (const file of files) await importFile(registry, { userId, file });
      const { items } = await queryItems(registry, { userId });
      expect(items).toMatchObject([{ title: 'The Blue Door', rating: 5, consumedAt: new Date('2025-02-01') }]);
    }
  });

  test('a viewing whose day was filled in later is still one', async () => {
    const registry = registryOf();
    const row = (watched: string) =>
      fileOf('diary.csv', `${DIARY}\n2025-03-02,Blue Door,2019,https://boxd.it/9a,,,,${watched}\n`);
    await importFile(registry, { userId, file: row('') });
    expect((await importFile(registry, { userId, file: row('2025-03-01') })).counts).toMatchObject({ updated: 1 });
    expect((await importFile(registry, { userId, file: row('') })).counts).toMatchObject({ unchanged: 1 });
    const { items } = await queryItems(registry, { userId });
    expect(items).toMatchObject([{ consumedAt: new Date('2025-03-01'), rawMetadata: { year: 2019 } }]);
  });

  test('days before 1970 come back as they went in, in order', async () => {
    const registry = registryOf();
    const rows = ['1959-12-24', '1969-12-31', '1970-01-02', '2001-01-01'].map(
      (at, n) => `2025-03-02,F,,https://boxd.it/9${n},,,,${at}`,
    );
    await importFile(registry, { userId, file: fileOf('diary.csv', [DIARY, ...rows].join('\n')) });
    const days: string[] = [];
    for await (const { consumedAt } of iterateItems(registry, { userId, order: 'oldest' }))
      days.push(consumedAt.toISOString().slice(0, 10));
    expect(days).toEqual(['1959-12-24', '1969-12-31', '1970-01-02', '2001-01-01']);
  });
});

test('the unpacked folder gives what the zip gives, and is recognised', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'letterboxd-ana-'));
  try {
    const place = { 'films.csv': 'likes/films.csv', 'list.csv': 'lists/ratings.csv' } as Record<string, string>;
    for (const name of [...NAMES, 'reviews.csv', 'list.csv'])
      cpSync(new URL(`__fixtures__/${name}`, import.meta.url), join(folder, place[name] ?? name));
    cpSync(join(folder, 'diary.csv'), join(folder, 'deleted/diary.csv'));
    const registry = createRegistry({ providers: [letterboxd()], ...memory() });
    const report = await importFile(registry, { userId, file: folder });
    expect(report).toMatchObject({
      status: 'complete',
      counts: { read: 17, inserted: 13, skipped: 4 },
      skipped: { in_diary: 4 },
    });
    expect((await importFile(registry, { userId, file: zipOf(NAMES) })).counts).toMatchObject({
      inserted: 0,
      updated: 0,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
