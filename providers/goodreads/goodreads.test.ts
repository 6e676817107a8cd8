import { readFileSync } from 'node:fs';
import { collectImport, fileOf } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { type GoodreadsOptions, goodreads } from './index.ts';
import { isbn13Of, withoutFormula } from './isbn.ts';

const capability = goodreads().capabilities.fileImport;
const contentOf = (name: string): string => readFileSync(new URL(`__fixtures__/${name}`, import.meta.url), 'utf8');
const read = (content: string, options?: GoodreadsOptions) =>
  collectImport(capability, [fileOf('goodreads_library_export.csv', content, 77)], { options });
const HEADER = 'Book Id,Title,Author,My Rating,Date Read,Date Added,Exclusive Shelf';
const readRow = (row: string, options?: GoodreadsOptions) => read(`${HEADER}\n${row}\n`, options);

test('a library becomes readings, wishes and ratings', async () => {
  const { read: count, items, skipped, rejected, errors } = await read(contentOf('goodreads_library_export.csv'));
  // Seven books, four of them with stars.
  expect({ count, skipped, rejected, errors }).toEqual({
    count: 11,
    skipped: { currently_reading: 1, other_shelf: 1 },
    rejected: [],
    errors: [],
  });
  expect(items[0]).toEqual({
    platform: 'goodreads',
    externalId: 'book:900000001#2',
    type: 'book',
    action: 'consumed',
    title: 'Sand Hill (Sand Hill, #1)',
    creator: 'Ines Vale',
    consumedAt: new Date('2024-03-09T00:00:00Z'),
    tags: ['favorites', 'deserts'],
    url: 'https://www.goodreads.com/book/show/900000001',
    contentId: 'book:900000001',
    ids: { goodreads: '900000001', isbn13: '9780306406157' },
    source: 'library',
    precision: 'day',
    rawMetadata: {
      year: 1998,
      pages: 312,
      binding: 'Paperback',
      moreAuthors: ['Tom Arden', 'Lo Bergen'],
      readCount: 2,
    },
  });
  expect(items[1]).toEqual({
    ...items[0],
    externalId: 'rated:book:900000001',
    action: 'rated',
    rating: 10,
    rawMetadata: {
      year: 1998,
      pages: 312,
      binding: 'Paperback',
      moreAuthors: ['Tom Arden', 'Lo Bergen'],
      stars: 5,
      dateKind: 'read',
    },
  });
  const line = ({ externalId, type, consumedAt, rating, rawMetadata }: (typeof items)[number]) => {
    const { undated, datePrecision, dateKind, addedOn } = rawMetadata;
    const said = { rating, undated, datePrecision, dateKind, addedOn };
    return [externalId, type, consumedAt.toISOString().slice(0, 10), JSON.parse(JSON.stringify(said))];
  };
  expect(items.slice(2).map(line)).toEqual([
    ['book:900000002', 'book', '1970-01-01', { undated: true, addedOn: '2019-05-01' }],
    ['book:900000003', 'audiobook', '2021-07-01', { datePrecision: 'month' }],
    ['rated:book:900000003', 'audiobook', '2021-07-01', { rating: 8, datePrecision: 'month', dateKind: 'read' }],
    ['saved:book:900000004', 'book', '2025-01-02', {}],
    ['rated:book:900000006', 'book', '2015-06-06', { rating: 2, dateKind: 'added' }],
    ['book:900000007', 'book', '1985-01-01', { datePrecision: 'year' }],
    ['rated:book:900000007', 'book', '1985-01-01', { rating: 6, datePrecision: 'year', dateKind: 'read' }],
  ]);
  expect(items.map(({ ids }) => ids)).toContainEqual({ goodreads: '900000003', isbn13: '9780804429573' });
  expect(items.at(-1)?.rawMetadata.year).toBe(-380);
  // The exclusive shelf is no tag, where the list of shelves repeats it.
  expect(items.map(({ tags }) => tags.join())).toEqual([
    ...['favorites,deserts', 'favorites,deserts', '', 'sea', 'sea', '', '', '', ''],
  ]);
});

test('older files have more columns of private matters, and none of them is kept', async () => {
  const { items, rejected } = await read(contentOf('goodreads-older.csv'));
  expect(rejected).toEqual([]);
  expect(items.map(({ externalId }) => externalId)).toEqual(['book:900000002', 'rated:book:900000002']);
  expect(JSON.stringify(items)).not.toMatch(/Ben|Ana|wet|123-456|Books/);
});

describe('shelves', () => {
  test.each([
    ['read', ['consumed']],
    ['Read', ['consumed']],
    ['to-read', ['saved']],
    ['currently-reading', []],
    ['listened', []],
    ['', []],
  ])('%j by default', async (shelf, actions) => {
    const { items } = await readRow(`1,Blue Door,A,0,2024/03/09,2024/01/01,${shelf}`);
    expect(items.map(({ action }) => action)).toEqual(actions);
  });

  test('others can be named', async () => {
    const shelves = { read: ['read', 'Listened'], saved: [] };
    expect((await readRow('1,B,A,0,2024/03/09,2024/01/01,listened', { shelves })).items).toMatchObject([
      { action: 'consumed' },
    ]);
    expect((await readRow('1,B,A,0,2024/03/09,2024/01/01,to-read', { shelves })).skipped).toEqual({ other_shelf: 1 });
    expect((await readRow('1,B,A,0,,,listened', { shelves: { saved: ['listened'] } })).items).toMatchObject([
      { action: 'saved', consumedAt: new Date(0), rawMetadata: { undated: true } },
    ]);
  });
});

test('what has no date, and ratings, can be left out', async () => {
  const skip = { undated: true, ratings: true };
  const { items, skipped } = await readRow('1,Blue Door,A,4,,2024/01/01,read', { skip });
  expect({ items, skipped }).toEqual({ items: [], skipped: { undated: 1, rating_off: 1 } });
  expect(() => goodreads({ skip: { reviews: true } } as never)).toThrow(
    expect.objectContaining({ code: 'configuration' }),
  );
});

test('a rating of a book without any date is undated', async () => {
  const { items } = await readRow('1,Blue Door,A,4,,,read');
  expect(items.map(({ consumedAt, rawMetadata }) => [consumedAt.getTime(), rawMetadata])).toEqual([
    [0, { undated: true }],
    [0, { stars: 4, undated: true }],
  ]);
});

test('metadata stays within its limit, whatever the cells hold', async () => {
  for (const length of [2_000, 3_000]) {
    const { items } = await read(
      `Book Id,Title,Additional Authors,Binding,Date Read,Exclusive Shelf\n1,B,${'\u0001'.repeat(length)},${'\u0001'.repeat(100)},,read\n`,
    );
    expect(items).toHaveLength(1);
    expect(JSON.stringify(items[0]?.rawMetadata).length).toBeLessThan(16_384);
  }
});

describe('ISBN', () => {
  test.each([
    ['="0306406152"', '9780306406157'],
    ['="9780306406157"', '9780306406157'],
    ['978-0-306-40615-7', '9780306406157'],
    ['080442957X', '9780804429573'],
    ['=""', undefined],
    ['', undefined],
    ['="0306406153"', undefined],
    ['9780306406158', undefined],
    ['B00ABCDEFG', undefined],
    ['0'.repeat(100_000), undefined],
  ])('%s', (cell, isbn) => expect(isbn13Of(withoutFormula(cell))).toBe(isbn));
});

describe('rows that cannot be read', () => {
  const good = '1,Blue Door,Ines Vale,0,2024/03/09,2024/01/01,read';
  test.each([
    ['x7,Blue Door,A,4,2024/03/09,2024/01/01,read', 'invalid_id', 'Book Id', 0],
    ['2,,A,4,2024/03/09,2024/01/01,read', 'missing_title', 'Title', 0],
    [`2,${'a'.repeat(1_001)},A,4,2024/03/09,2024/01/01,read`, 'too_long', 'Title', 0],
    ['2,Blue Door,A,4,2024/02/30,2024/01/01,read', 'invalid_date', 'Date Read', 0],
    ['2,Blue Door,A,4,2024/13,2024/01/01,read', 'invalid_date', 'Date Read', 0],
    ['2,Blue Door,A,4,03/09/2024,2024/01/01,read', 'invalid_date', 'Date Read', 0],
    ['2,Blue Door,A,4,2031/01/01,2024/01/01,read', 'implausible_date', 'Date Read', 0],
    ['2,Blue Door,A,4,1812,2024/01/01,read', 'implausible_date', 'Date Read', 0],
    ['2,Blue Door,A,4,2024/03/09,lately,read', 'invalid_date', 'Date Added', 0],
    // The reading is sound, and stays.
    ['2,Blue Door,A,7,2024/03/09,2024/01/01,read', 'invalid_rating', 'My Rating', 1],
    ['2,Blue Door', 'malformed_row', undefined, 0],
  ])('%s', async (bad, reason, field, kept) => {
    const { read: count, items, rejected, errors } = await read([HEADER, good, bad, good].join('\n'));
    expect(errors).toEqual([]);
    expect([count, items.length]).toEqual([3 + kept, 2 + kept]);
    expect(rejected).toMatchObject([{ line: 3, record: 2, reason, ...(field && { field }) }]);
  });

  test('shelves that never end', async () => {
    const { rejected } = await read(`${HEADER},Bookshelves\n1,B,A,0,,,read,"${'a,'.repeat(3_000)}"\n`);
    expect(rejected).toMatchObject([{ reason: 'too_long', field: 'Bookshelves' }]);
  });
});
