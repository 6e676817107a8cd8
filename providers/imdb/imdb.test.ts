import { readFileSync } from 'node:fs';
import { collectImport, fileOf } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { type ImdbOptions, imdb } from './index.ts';

const capability = imdb().capabilities.fileImport;
const contentOf = (name: string): string => readFileSync(new URL(`__fixtures__/${name}`, import.meta.url), 'utf8');
const read = (name: string, content: string, options?: ImdbOptions) =>
  collectImport(capability, [fileOf(name, content, 77)], { options });

describe('ratings', () => {
  test('become items of the day they were given on', async () => {
    const { read: count, items, skipped, rejected, errors } = await read('ratings.csv', contentOf('ratings.csv'));
    expect({ count, skipped, rejected, errors }).toEqual({
      count: 6,
      skipped: { video_game: 1 },
      rejected: [],
      errors: [],
    });
    expect(items[0]).toEqual({
      platform: 'imdb',
      externalId: 'rated:tt99000001',
      type: 'video',
      subtype: 'movie',
      action: 'rated',
      title: 'Blue Door',
      consumedAt: new Date('2025-03-01T00:00:00Z'),
      durationMs: 6_240_000,
      tags: ['Drama', 'Sci-Fi'],
      url: 'https://www.imdb.com/title/tt99000001/',
      contentId: 'tt99000001',
      ids: { imdb: 'tt99000001' },
      rating: 9,
      source: 'ratings',
      precision: 'day',
      rawMetadata: {
        year: 2019,
        originalTitle: 'Porta azul',
        directors: ['Ines Vale', 'Tom Arden'],
        titleType: 'Movie',
        dateKind: 'rated',
      },
    });
    expect(items.map(({ title, subtype, rating }) => [title, subtype, rating])).toEqual([
      ['Blue Door', 'movie', 9],
      ['Sand Hill', 'tv_show', 10],
      ['The First Step', 'tv_episode', 7],
      ['Salt, Pepper & Co', 'tv_show', 1],
      ['Paper Boats', 'short', 6],
    ]);
  });

  test('older files, with other kinds and without original titles, name the same items', async () => {
    const older = await read('ratings.csv', contentOf('ratings-older.csv'));
    const newer = await read('ratings.csv', contentOf('ratings.csv'));
    const keyOf = ({ externalId, subtype, rating }: (typeof older.items)[number]) => [externalId, subtype, rating];
    expect(older.items.map(keyOf)).toEqual(newer.items.slice(0, 3).map(keyOf));
    expect(older.items[1]?.rawMetadata).toEqual({ year: 2021, titleType: 'tvSeries', dateKind: 'rated' });
  });

  test.each([
    ['Movie', 'video', 'movie'],
    ['tvMovie', 'video', 'movie'],
    ['TV Mini Series', 'video', 'tv_show'],
    ['tvMiniSeries', 'video', 'tv_show'],
    ['TV Special', 'video', 'tv_special'],
    ['TV Short', 'video', 'short'],
    ['Music Video', 'video', 'music_video'],
    ['Podcast Episode', 'podcast', 'podcast_episode'],
    ['Hologram', 'video', undefined],
    ['', 'video', undefined],
  ])('kind %j', async (kind, type, subtype) => {
    const { items } = await read(
      'ratings.csv',
      `Const,Your Rating,Date Rated,Title,Title Type\ntt99000001,9,2025-03-01,X,${kind}\n`,
    );
    expect(items.map((item) => [item.type, item.subtype])).toEqual([[type, subtype]]);
  });

  test('ratings with the columns of lists are told by their name', async () => {
    const { items, skipped } = await read('ratings (1).csv', contentOf('watchlist.csv'));
    expect(skipped).toEqual({ not_rated: 1 });
    expect(items).toMatchObject([{ externalId: 'rated:tt99000001', rating: 9, source: 'ratings' }]);
  });

  test('the few columns that are needed will do', async () => {
    const { items } = await read('x.csv', 'const,title,your rating,date rated\ntt99000001,Blue Door,9,2025-03-01\n');
    expect(items).toMatchObject([{ title: 'Blue Door', tags: [], rawMetadata: { dateKind: 'rated' } }]);
  });
});

test('lists become what was saved on a day, without the notes', async () => {
  const { items, skipped } = await read('WATCHLIST.csv', contentOf('watchlist.csv'));
  expect(skipped).toEqual({});
  expect(items[0]).toEqual({
    platform: 'imdb',
    externalId: 'saved:tt99000007',
    type: 'video',
    subtype: 'movie',
    action: 'saved',
    title: 'Green Gate',
    consumedAt: new Date('2025-01-04T00:00:00Z'),
    durationMs: 5_880_000,
    tags: ['Drama'],
    url: 'https://www.imdb.com/title/tt99000007/',
    contentId: 'tt99000007',
    ids: { imdb: 'tt99000007' },
    source: 'lists',
    precision: 'day',
    rawMetadata: { year: 1999, directors: ['Mara Quill'], titleType: 'Movie' },
  });
  // Its rating is in the export of ratings.
  expect(items[1]).toMatchObject({ externalId: 'saved:tt99000001', action: 'saved' });
  expect(items[1]?.rating).toBeUndefined();
});

test('metadata stays within its limit, whatever the cells hold', async () => {
  const filled = (length: number): string => '\u0001'.repeat(length);
  for (const [original, directors] of [
    [500, 2_000],
    [9_000, 9_000],
  ] as const) {
    const { items } = await read(
      'ratings.csv',
      `Const,Title,Your Rating,Date Rated,Original Title,Directors,Title Type\ntt99000001,B,9,2025-03-01,${filled(original)},${filled(directors)},${filled(40)}\n`,
    );
    expect(items).toHaveLength(1);
    expect(JSON.stringify(items[0]?.rawMetadata).length).toBeLessThan(16_384);
  }
});

test('files can be turned off', async () => {
  const sections = { ratings: false, lists: false };
  expect((await read('ratings.csv', contentOf('ratings.csv'), { sections })).skipped).toEqual({ section_off: 6 });
  expect((await read('list.csv', contentOf('watchlist.csv'), { sections })).skipped).toEqual({ section_off: 2 });
  expect(() => imdb({ section: {} } as never)).toThrow(expect.objectContaining({ code: 'configuration' }));
});

describe('rows that cannot be read', () => {
  const RATINGS = 'Const,Your Rating,Date Rated,Title,Genres';
  const LIST = 'Position,Const,Created,Title';
  const good = { [RATINGS]: 'tt99000001,9,2025-03-01,Blue Door,Drama', [LIST]: '1,tt99000001,2025-03-01,Blue Door' };
  test.each([
    [RATINGS, 'tt1,9,2025-03-01,Blue Door,Drama', 'invalid_id', 'Const'],
    [RATINGS, 'tt99000002,9,2025-02-29,Blue Door,Drama', 'invalid_date', 'Date Rated'],
    [RATINGS, 'tt99000002,9,,Blue Door,Drama', 'invalid_date', 'Date Rated'],
    [RATINGS, 'tt99000002,9,1980-01-01,Blue Door,Drama', 'implausible_date', 'Date Rated'],
    [RATINGS, 'tt99000002,9,2031-01-01,Blue Door,Drama', 'implausible_date', 'Date Rated'],
    [RATINGS, 'tt99000002,11,2025-03-01,Blue Door,Drama', 'invalid_rating', 'Your Rating'],
    [RATINGS, 'tt99000002,0,2025-03-01,Blue Door,Drama', 'invalid_rating', 'Your Rating'],
    [RATINGS, 'tt99000002,9,2025-03-01,,Drama', 'missing_title', 'Title'],
    [RATINGS, `tt99000002,9,2025-03-01,${'a'.repeat(1_001)},Drama`, 'too_long', 'Title'],
    [RATINGS, `tt99000002,9,2025-03-01,Blue Door,${'a'.repeat(4_001)}`, 'too_long', 'Genres'],
    [RATINGS, 'tt99000002,9', 'malformed_row', undefined],
    [LIST, '2,nm99000002,2025-03-01,Blue Door', 'invalid_id', 'Const'],
    [LIST, '2,tt99000002,someday,Blue Door', 'invalid_date', 'Created'],
  ] as const)('%s: %s', async (header, bad, reason, field) => {
    const {
      read: count,
      items,
      rejected,
      errors,
    } = await read('x.csv', [header, good[header], bad, good[header]].join('\n'));
    expect(errors).toEqual([]);
    expect([count, items.length]).toEqual([3, 2]);
    expect(rejected).toMatchObject([{ line: 3, record: 2, reason, ...(field && { field }) }]);
  });
});
