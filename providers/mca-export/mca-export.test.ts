import { createRegistry, exportItems, importFile, iterateItems, type MediaItem } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { fileImportConformance, fileOf } from '@mca/core/testing';
import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { recordFigure } from '../../test/support/reliability.ts';
import { mcaExport } from './index.ts';

const userId = 'ana';
const open = () => createRegistry({ providers: [mcaExport()], ...memory() });

const item = (index: number, overrides: Partial<MediaItem> = {}): MediaItem => ({
  platform: index % 2 ? 'spotify' : 'netflix',
  externalId: `${1_700_000_000 + index}:x`,
  type: 'music',
  subtype: undefined,
  action: 'consumed',
  title: `Title ${index}`,
  creator: undefined,
  consumedAt: new Date(1_700_000_000_000 + index * 1000),
  durationMs: undefined,
  timeSpentMs: 1000 * index,
  tags: [],
  url: undefined,
  contentId: undefined,
  ids: {},
  rating: undefined,
  source: 'extended-history',
  precision: 'second',
  account: undefined,
  rawMetadata: {},
  ...overrides,
});
const lines = (items: readonly MediaItem[]) => ({
  name: 'history.jsonl',
  content: items.map((each) => `${JSON.stringify(each)}\n`).join(''),
});

async function stored(registry: ReturnType<typeof open>): Promise<unknown[]> {
  const items = await Array.fromAsync(iterateItems(registry, { userId, resolve: 'all', order: 'oldest' }));
  return items.map(({ sequence, connectionId, importId, ...content }) => content);
}

async function exported(registry: ReturnType<typeof open>, format: 'jsonl' | 'csv'): Promise<string> {
  return (await Array.fromAsync(exportItems(registry, { userId, format }))).join('');
}

/** Texts that spreadsheets take for formulas, and texts that break careless CSV. */
const nasty = [
  '=1+1',
  '+1',
  '-1',
  '@SUM(A1)',
  '\tx',
  '\rx',
  "'quoted",
  "''",
  'a,b',
  'say "hi"',
  'two\nlines',
  'two\r\nlines',
  ' =x',
  '',
  'ünïcödé 🎧 日本',
  "=cmd|' /C calc'!A0",
  '"',
  ';',
  '\u202e',
];

describe('export and import', () => {
  for (const format of ['jsonl', 'csv'] as const) {
    test(`R-062 ${format}: what was exported comes back to the same set, whatever the text`, async () => {
      const items = Array.from({ length: 200 }, (_, index) => {
        const text = `${nasty[index % nasty.length]}${index > nasty.length ? index : ''}`;
        return item(index, {
          title: text === '' ? 'x' : text,
          creator: nasty[(index * 7) % nasty.length] || undefined,
          account: nasty[(index * 3) % nasty.length] || undefined,
          tags: index % 3 ? [] : ['a', '=b'],
          ids: index % 4 ? {} : { imdb: 'tt0111161' },
          rating: index % 5 ? undefined : 7.5,
          action: index % 5 ? 'consumed' : 'rated',
          durationMs: index % 2 ? 5 : undefined,
          url: index % 6 ? undefined : 'https://example.invalid/?a=1,2',
          subtype: index % 8 ? undefined : 'movie',
          rawMetadata: index % 3 ? {} : { album: '=x', deep: { list: [1, null, 'ü"'] } },
        });
      });
      const first = open();
      await importFile(first, { userId, file: fileOf('history.jsonl', lines(items).content) });
      const text = await exported(first, format);
      const second = open();
      const report = await importFile(second, { userId, file: fileOf(`history.${format}`, text) });
      expect(report).toMatchObject({ status: 'complete', counts: { read: 200, inserted: 200 } });
      expect(await stored(second)).toEqual(await stored(first));
      expect(await exported(second, format)).toBe(text);
      recordFigure('R-062', `${format}: 200 payloads exported and imported again, equal set`);
    });
  }

  test('R-062 no cell of the CSV begins like a formula', async () => {
    const registry = open();
    const items = nasty
      .filter((text) => text !== '')
      .map((text, index) => item(index, { title: text, creator: text, contentId: text }));
    await importFile(registry, { userId, file: fileOf('history.jsonl', lines(items).content) });
    const rows = parse(await exported(registry, 'csv'), { bom: false }) as string[][];
    const cells = rows.flat();
    expect(rows).toHaveLength(items.length + 1);
    expect(cells.filter((cell) => /^[=+\-@\t\r\0]/.test(cell))).toEqual([]);
    recordFigure('R-062', `${cells.length} cells of the CSV, 0 begin with = + - @ TAB CR NUL`);
  });

  test('an empty history exports to an empty file, or a header', async () => {
    expect(await exported(open(), 'jsonl')).toBe('');
    expect((await exported(open(), 'csv')).split(',')).toHaveLength(19);
  });

  test('a line that is no item is told with its number', async () => {
    const report = await importFile(open(), {
      userId,
      file: fileOf('history.jsonl', `${lines([item(1), item(2)]).content}{"platform":"x"}\nnot json\n`),
    });
    expect(report.rejections.map(({ line, reason }) => [line, reason])).toEqual([
      [3, 'invalid_item'],
      [4, 'malformed_json'],
    ]);
  });
});

describe('conformance', () => {
  const items = Array.from({ length: 20 }, (_, index) => item(index));
  const suite = fileImportConformance({
    provider: mcaExport(),
    exports: [lines(items)],
    withBadRecord: {
      name: 'history.jsonl',
      content: `${lines(items).content}{"title":"what Ana saw"}\n`,
      badValue: 'what Ana saw',
    },
    overlapping: [lines(items.slice(0, 12)), lines(items.slice(8))],
    personal: ['nothing personal: exports hold what the store holds'],
  });
  for (const { id, title, run } of suite) test(`${id} ${title}`, run);
});
