import { collectImport, fileOf, makeZip } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { parseHtmlDate } from './html-dates.ts';
import { textOf } from './html-text.ts';
import { youtube } from './index.ts';
import { learnVerb } from './verbs.ts';

const importer = youtube().capabilities.fileImport;
const read = (name: string, content: unknown) =>
  collectImport(importer, [fileOf(name, typeof content === 'string' ? content : JSON.stringify(content))]);
/** A hang guard; each takes a few milliseconds. */
const HANGS_AFTER_MS = 2_000;

const id = (index: number): string => String(index).padStart(11, 'a');
const row = (index: number, overrides: Record<string, unknown> = {}) => ({
  header: 'YouTube',
  title: `Watched Knot ${index}`,
  titleUrl: `https://www.youtube.com/watch?v=${id(index)}`,
  subtitles: [{ name: 'Rope Lab', url: 'https://www.youtube.com/channel/UCropelab0000' }],
  time: `2026-01-15T10:${String(index % 60).padStart(2, '0')}:00Z`,
  products: ['YouTube'],
  ...overrides,
});
const rows = Array.from({ length: 30 }, (_, index) => row(index));
const cell = (
  line = `Watched&nbsp;<a href="https://www.youtube.com/watch?v=${id(1)}">Knot</a>`,
  date = 'Jan 15, 2026, 11:30:00 AM CET',
  header = 'YouTube',
) =>
  `<div class="outer-cell mdl-cell"><div class="header-cell"><p class="mdl-typography--title">${header}<br></p></div>` +
  `<div class="content-cell mdl-cell mdl-cell--6-col mdl-typography--body-1">${line}<br><a href="https://www.youtube.com/channel/UCropelab0000">Rope Lab</a><br>${date}<br></div></div>`;
const page = (cells: readonly string[], style = '') =>
  `<!DOCTYPE html><html><head><style>${style}</style></head><body>${cells.join('')}</body></html>`;

describe('input that was quadratic', () => {
  test.each(['<', '>', '&', '<a href="x">', '<a href="', '<br', ' ', '&#1', '"'])('cells of %j', async (part) => {
    const text = part.repeat(Math.floor((256 * 1024) / part.length));
    const startedAt = performance.now();
    for (const html of [cell(text), cell(undefined, text), cell(undefined, undefined, text), text]) {
      const { errors } = await read('watch-history.html', page([cell(), html]));
      expect(errors).toEqual([]);
    }
    textOf(text);
    expect(performance.now() - startedAt).toBeLessThan(HANGS_AFTER_MS);
  });

  test('dates and cells that never end', async () => {
    const startedAt = performance.now();
    for (const part of [' ', 'x', '\n', '1'])
      expect(parseHtmlDate(`Jan 15, 2026, 11:30:00${part.repeat(256 * 1024)}x\nx`)).toBeUndefined();
    const { items, errors } = await collectImport(importer, [
      fileOf('watch-history.html', page([cell(), cell('<'.repeat(2 * 1024 * 1024))]), 1_024),
    ]);
    expect(items).toHaveLength(1);
    expect(errors).toMatchObject([{ reason: 'record_too_large' }]);
    expect(performance.now() - startedAt).toBeLessThan(HANGS_AFTER_MS);
  });
});

describe('records that cannot be', () => {
  test.each(['2099-01-01T00:00:00Z', '1000-01-01T00:00:00Z', '2004-12-31T00:00:00Z'])('JSON of %s', async (time) => {
    const { items, rejected } = await read('watch-history.json', [row(1), row(2, { time })]);
    expect(items).toHaveLength(1);
    expect(rejected).toMatchObject([{ record: 2, field: 'time', reason: 'implausible_date' }]);
  });

  test('HTML and the form of before 2017', async () => {
    const html = await read('watch-history.html', page([cell(), cell(undefined, 'Jan 15, 2099, 11:30:00 AM CET')]));
    expect(html.rejected).toMatchObject([{ record: 2, field: 'date', reason: 'implausible_date' }]);
    const old = { snippet: { title: 'Old', publishedAt: '1999-01-01T00:00:00Z', resourceId: { videoId: id(1) } } };
    expect((await read('watch-history.json', [row(1), old])).rejected).toMatchObject([
      { record: 2, field: 'snippet.publishedAt', reason: 'implausible_date' },
    ]);
  });

  test.each([
    { title: 'x'.repeat(3_000) },
    { subtitles: [{ name: 'x'.repeat(3_000) }] },
    { titleUrl: `https://${'x'.repeat(3_000)}` },
  ])('texts too long: %#', async (overrides) => {
    const { items, rejected } = await read('watch-history.json', [row(1), row(2, overrides)]);
    expect(items).toHaveLength(1);
    expect(rejected).toMatchObject([{ record: 2, reason: 'too_long' }]);
  });
});

describe('My Activity', () => {
  const chrome = [row(1, { header: 'Chrome', products: ['Chrome'], title: 'Visited Knot 1 - YouTube' })];

  test('of other products is not read, alone or beside the history', async () => {
    expect((await read('MyActivity.json', chrome)).errors).toMatchObject([{ reason: 'unknown_format' }]);
    const zip = makeZip([
      { name: 'Takeout/My Activity/Chrome/MyActivity.json', content: JSON.stringify(chrome) },
      { name: 'Takeout/My Activity/Chrome/MyActivity.html', content: page([cell(undefined, undefined, 'Chrome')]) },
      { name: 'Takeout/My Activity/YouTube/MyActivity.json', content: JSON.stringify(rows) },
    ]);
    expect(await collectImport(importer, [fileOf('takeout.zip', zip)])).toMatchObject({ read: 30, errors: [] });
  });

  test('rows of other products are left out and counted', async () => {
    const { items, skipped } = await read('MyActivity.json', [...rows, ...chrome]);
    expect(items).toHaveLength(30);
    expect(skipped).toEqual({ other_product: 1 });
    const html = await read('watch-history.html', page([cell(), cell(undefined, undefined, 'Chrome')]));
    expect(html.skipped).toEqual({ other_product: 1 });
  });

  const others = ['Liked Knot', 'Disliked Knot', 'Saved Knot', 'Commented on Knot'].map((title, index) =>
    row(40 + index, { title }),
  );

  test('likes and comments are no watches once the verb is known; bare addresses are', async () => {
    const bare = row(50, { title: `https://www.youtube.com/watch?v=${id(50)}` });
    const dutch = row(51, { title: 'Knoop bekeken' });
    const { items, skipped } = await read('MyActivity.json', [...rows, ...others, bare, dutch]);
    expect(items.slice(-2).map(({ title }) => title)).toEqual([`YouTube video ${id(50)}`, 'Knoop']);
    expect({ count: items.length, skipped }).toEqual({ count: 32, skipped: { not_a_watch: 4 } });
    const html = await read(
      'watch-history.html',
      page([
        ...rows.map((_, index) =>
          cell(`Watched&nbsp;<a href="https://www.youtube.com/watch?v=${id(index)}">Knot ${index}</a>`),
        ),
        cell(`Liked <a href="https://www.youtube.com/watch?v=${id(7)}">Knot</a>`),
      ]),
    );
    expect({ count: html.items.length, skipped: html.skipped }).toEqual({ count: 30, skipped: { not_a_watch: 1 } });
  });

  test('without a known verb every watched address counts', async () => {
    const unknown = rows.map((each, index) => ({ ...each, title: `${'abcdefghij'[index % 10]} Katsottu ${index}` }));
    expect((await read('MyActivity.json', unknown)).items).toHaveLength(30);
  });

  test('a clear majority makes a verb, a bare one does not', () => {
    const titles = (watched: number) =>
      Array.from({ length: 100 }, (_, index) => `${index < watched ? 'Watched' : 'Liked'} Knot ${index}`);
    expect(learnVerb(titles(60)).prefix).toBe('Watched ');
    expect(learnVerb(titles(59)).prefix).toBe('');
    expect(learnVerb(['Watched A', 'Liked B']).prefix).toBe('');
  });
});

describe('what a file is', () => {
  const search = '<a href="https://www.youtube.com/results?search_query=knots">knots</a>';

  test('a style sheet longer than the sample hides no cells', async () => {
    expect((await read('watch-history.html', page([cell()], '.x{}'.repeat(20_000)))).items).toHaveLength(1);
  });

  test('a page without cells says so', async () => {
    expect((await read('watch-history.html', page([]))).errors).toMatchObject([
      { code: 'file_parse_error', reason: 'no_activity_cells', hint: expect.stringContaining('JSON') },
    ]);
  });

  test('a search among the watches changes nothing; a search history is none', async () => {
    const mixed = page([cell(), cell(`Searched for ${search}`)]);
    expect(await read('watch-history.html', mixed)).toMatchObject({ read: 2, skipped: { search: 1 } });
    expect(await read('renamed.html', mixed)).toMatchObject({ read: 2 });
    for (const name of ['search-history.html', 'zoekgeschiedenis.html', 'Suchverlauf.html'])
      expect((await read(name, mixed)).errors).toMatchObject([{ reason: 'unknown_format' }]);
    const searches = page(Array.from({ length: 10 }, () => cell(`Searched for ${search}`)));
    expect((await read('renamed.html', searches)).errors).toMatchObject([{ reason: 'unknown_format' }]);
  });

  test('a list of likes of before 2017 is no history', async () => {
    const likes = [{ snippet: { title: 'x', publishedAt: '2014-05-01T10:00:00Z', description: '/watch?v=x' } }];
    expect((await read('likes.json', likes)).errors).toMatchObject([{ reason: 'unknown_format' }]);
  });
});
