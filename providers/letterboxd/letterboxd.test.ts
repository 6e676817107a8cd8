import { readFileSync } from 'node:fs';
import { collectImport, fileOf } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { type LetterboxdOptions, letterboxd } from './index.ts';

const capability = letterboxd().capabilities.fileImport;
const fixture = (name: string) => fileOf(name, readFileSync(new URL(`__fixtures__/${name}`, import.meta.url)), 77);
const table = (name: string, header: string, ...rows: readonly string[]) =>
  fileOf(name, [header, ...rows, ''].join('\n'));
const read = (files: readonly ReturnType<typeof fileOf>[], options?: LetterboxdOptions) =>
  collectImport(capability, files, { options });
const DIARY = 'Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date';
const RATINGS = 'Date,Name,Year,Letterboxd URI,Rating';
const FILMS = 'Date,Name,Year,Letterboxd URI';

describe('diary', () => {
  test('viewings are items of the day they were seen on', async () => {
    const { read: count, items, skipped, rejected, errors } = await read([fixture('diary.csv')]);
    expect({ count, skipped, rejected, errors }).toEqual({ count: 6, skipped: {}, rejected: [], errors: [] });
    expect(items[0]).toEqual({
      platform: 'letterboxd',
      externalId: 'diary:9aAa1',
      type: 'video',
      subtype: 'movie',
      action: 'consumed',
      title: 'Blue Door',
      consumedAt: new Date('2025-03-01T00:00:00Z'),
      tags: ['cinema', 'with subtitles'],
      contentId: items[2]?.contentId,
      ids: {},
      source: 'diary',
      precision: 'day',
      rawMetadata: { year: 2019, stars: 4.5 },
    });
    expect(items[0]?.contentId).toMatch(/^[0-9a-f]{16}$/);
    const lines = items.map(({ externalId, title, consumedAt, rawMetadata }) => [
      externalId,
      title,
      consumedAt.toISOString().slice(0, 10),
      rawMetadata,
    ]);
    expect(lines.slice(1)).toEqual([
      ['diary:9aAa2', 'Salt, Pepper & Co', '2025-03-01', { year: 2021 }],
      ['diary:9aAa3', 'Blue Door', '2025-06-19', { year: 2019, stars: 5, rewatch: true }],
      ['diary:9aAa4', 'The "Other" One', '2025-06-20', { stars: 0.5 }],
      ['diary:9aAa5', 'Green Gate', '2025-06-20', { year: 1999, stars: 3, rewatch: true }],
      ['diary:9aAa6', 'Sand Hill', '1970-01-01', { year: 2003, undated: true, loggedOn: '2025-07-01' }],
    ]);
  });

  test('entries without an address of their own are named by day and film, and counted', async () => {
    const rows = Array.from({ length: 2 }, () => '2025-03-02,Blue Door,2019,,,,,2025-03-01');
    const undated = Array.from({ length: 2 }, () => '2025-03-02,Blue Door,2019,,,,,');
    const { items } = await read([table('diary.csv', DIARY, ...rows, ...undated)]);
    const content = items[0]?.contentId;
    expect(items.map(({ externalId }) => externalId)).toEqual([
      `1740787200:diary:${content}`,
      `1740787200:diary:${content}#2`,
      `diary:${content}`,
      `diary:${content}#2`,
    ]);
  });

  test('an address that stands twice loses no viewing', async () => {
    const row = (day: string) => `2025-03-02,Blue Door,2019,https://letterboxd.com/film/blue-door/,,,,${day}`;
    const { items } = await read([table('diary.csv', DIARY, row('2025-03-01'), row('2025-03-04'))]);
    expect(items.map(({ externalId }) => externalId)).toEqual(['diary:film/blue-door', 'diary:film/blue-door#2']);
  });

  test('what was seen before 1970 keeps its day', async () => {
    const { items } = await read([
      table('diary.csv', DIARY, '2025-03-02,Old Harbour,1958,https://boxd.it/9x,,,,1959-12-24'),
    ]);
    expect(items[0]?.consumedAt.toISOString()).toBe('1959-12-24T00:00:00.000Z');
    expect(items[0]?.rawMetadata).toEqual({ year: 1958 });
  });
});

describe('the other files', () => {
  test('ratings are on a scale of ten, and named by the film', async () => {
    const { items } = await read([fixture('ratings.csv')]);
    expect(items[0]).toEqual({
      platform: 'letterboxd',
      externalId: 'rated:film:4bB1',
      type: 'video',
      subtype: 'movie',
      action: 'rated',
      title: 'Blue Door',
      consumedAt: new Date('2025-06-20T00:00:00Z'),
      tags: [],
      url: 'https://boxd.it/4bB1',
      contentId: items[0]?.contentId,
      ids: {},
      rating: 10,
      source: 'ratings',
      precision: 'day',
      rawMetadata: { year: 2019, stars: 5 },
    });
    expect(items.map(({ rating }) => rating)).toEqual([10, 1, 6]);
    const [seen] = (await read([fixture('diary.csv')])).items;
    expect(seen?.contentId).toBe(items[0]?.contentId);
  });

  test.each([
    ['films.csv', 'liked:film:4bB1', 'liked', 'likes', '2025-03-02'],
    ['watchlist.csv', 'saved:film:4bB8', 'saved', 'watchlist', '2025-08-01'],
  ])('%s', async (name, externalId, action, source, day) => {
    const { items } = await read([fixture(name)]);
    expect(items).toMatchObject([{ externalId, action, source, precision: 'day', consumedAt: new Date(day) }]);
  });

  test('films that are only marked as watched have no date', async () => {
    const { items } = await read([fixture('watched.csv')]);
    expect(items).toHaveLength(6);
    expect(items[1]).toMatchObject({
      externalId: 'film:4bB7',
      action: 'consumed',
      source: 'watched',
      precision: 'day',
      consumedAt: new Date(0),
      url: 'https://boxd.it/4bB7',
      rawMetadata: { year: 1974, undated: true, markedOn: '2024-01-07' },
    });
  });

  test('a film without an address is named by name and year', async () => {
    const { items } = await read([table('watched.csv', FILMS, ',Blue Door,2019,')]);
    expect(items).toMatchObject([
      { externalId: `film:${items[0]?.contentId}`, rawMetadata: { year: 2019, undated: true } },
    ]);
    expect(items[0]?.url).toBeUndefined();
  });
});

describe('marks beside the diary', () => {
  test.each([
    ['diary first', ['diary.csv', 'watched.csv']],
    ['diary last', ['watched.csv', 'diary.csv']],
  ])('what the diary tells is not told twice: %s', async (_, names) => {
    const { items, skipped } = await read(names.map(fixture));
    expect(skipped).toEqual({ in_diary: 4 });
    expect(items.filter(({ source }) => source === 'watched').map(({ title }) => title)).toEqual([
      // Every entry of it is a rewatch: it was seen before, on a day nobody knows.
      'Green Gate',
      'Old Harbour',
    ]);
  });

  test('films of one name and different years are two', async () => {
    const diary = table('diary.csv', DIARY, '2025-03-02,Blue Door,2019,https://boxd.it/9a,,,,2025-03-01');
    const watched = table(
      'watched.csv',
      FILMS,
      ',Blue Door,2019,https://boxd.it/4a',
      ',Blue Door,1962,https://boxd.it/4b',
    );
    const { items, skipped } = await read([diary, watched]);
    expect(skipped).toEqual({ in_diary: 1 });
    expect(items.map(({ externalId }) => externalId)).toEqual(['diary:9a', 'film:4b']);
  });

  test('two imports know nothing of each other', async () => {
    await read([fixture('diary.csv')]);
    expect((await read([fixture('watched.csv')])).skipped).toEqual({});
  });
});

describe('options', () => {
  test('files can be turned off', async () => {
    const all = ['diary.csv', 'ratings.csv', 'films.csv', 'watched.csv', 'watchlist.csv'];
    const sections = { diary: false, ratings: false, likes: false, watched: false, watchlist: false };
    const { read: count, items, skipped } = await read(all.map(fixture), { sections });
    expect({ items, skipped }).toEqual({ items: [], skipped: { section_off: count } });
    expect((await read(all.map(fixture), { sections: { diary: false } })).skipped).toEqual({ section_off: 6 });
  });

  test('what has no date can be left out', async () => {
    const { items, skipped } = await read(['diary.csv', 'watched.csv'].map(fixture), { skip: { undated: true } });
    expect(skipped).toEqual({ in_diary: 4, undated: 3 });
    expect(items.some(({ rawMetadata }) => rawMetadata.undated)).toBe(false);
  });

  test('unknown ones are errors', () => {
    expect(() => letterboxd({ sections: { lists: true } } as never)).toThrow(
      expect.objectContaining({ code: 'configuration' }),
    );
  });
});

describe('rows that cannot be read', () => {
  const good = '2025-03-02,Blue Door,2019,https://boxd.it/9a,3.5,,,2025-03-01';
  test.each([
    [
      'diary.csv',
      DIARY,
      '2025-03-02,Blue Door,2019,https://boxd.it/9b,3.5,,,2025-02-29',
      'invalid_date',
      'Watched Date',
    ],
    ['diary.csv', DIARY, '2025-03-02,Blue Door,2019,https://boxd.it/9b,3.5,,,2025-3-1', 'invalid_date', 'Watched Date'],
    [
      'diary.csv',
      DIARY,
      '2025-03-02,Blue Door,2019,https://boxd.it/9b,,,,2099-01-01',
      'implausible_date',
      'Watched Date',
    ],
    [
      'diary.csv',
      DIARY,
      '2025-03-02,Blue Door,2019,https://boxd.it/9b,,,,1812-01-01',
      'implausible_date',
      'Watched Date',
    ],
    ['diary.csv', DIARY, '2025-03-02,,2019,https://boxd.it/9b,,,,2025-03-01', 'missing_title', 'Name'],
    ['diary.csv', DIARY, '2025-03-02,Blue Door,19,https://boxd.it/9b,,,,2025-03-01', 'invalid_year', 'Year'],
    ['diary.csv', DIARY, '2025-03-02,Blue Door,2019,https://boxd.it/9b,7,,,2025-03-01', 'invalid_rating', 'Rating'],
    ['diary.csv', DIARY, `2025-03-02,${'a'.repeat(1_001)},2019,https://boxd.it/9b,,,,2025-03-01`, 'too_long', 'Name'],
    ['diary.csv', DIARY, `2025-03-02,B,2019,https://boxd.it/9b,,,${'a'.repeat(2_001)},2025-03-01`, 'too_long', 'Tags'],
    ['diary.csv', DIARY, 'lately,Blue Door,2019,https://boxd.it/9b,,,,', 'invalid_date', 'Date'],
    ['diary.csv', DIARY, '2025-03-02,Blue Door', 'malformed_row', undefined],
    ['ratings.csv', RATINGS, '2025-03-02,Blue Door,2019,https://boxd.it/9b,', 'invalid_rating', 'Rating'],
    ['ratings.csv', RATINGS, '2025-03-02,Blue Door,2019,https://boxd.it/9b,0', 'invalid_rating', 'Rating'],
    ['ratings.csv', RATINGS, ',Blue Door,2019,https://boxd.it/9b,5', 'invalid_date', 'Date'],
    ['watched.csv', FILMS, '2025-13-01,Blue Door,2019,https://boxd.it/9b', 'invalid_date', 'Date'],
    ['films.csv', FILMS, ',Blue Door,2019,https://boxd.it/9b', 'invalid_date', 'Date'],
    ['watchlist.csv', FILMS, '2031-01-01,Blue Door,2019,https://boxd.it/9b', 'implausible_date', 'Date'],
  ])('%s: %s', async (name, header, bad, reason, field) => {
    const first = good.split(',').slice(0, header.split(',').length).join(',');
    const { read: count, items, rejected, errors } = await read([table(name, header, first, bad, first)]);
    expect(errors).toEqual([]);
    expect([count, items.length]).toEqual([3, 2]);
    expect(rejected).toMatchObject([{ file: name, line: 3, record: 2, reason, ...(field && { field }) }]);
  });
});
