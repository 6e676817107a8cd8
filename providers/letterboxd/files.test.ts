import { readFileSync } from 'node:fs';
import { collectImport, fileOf, hostileZips, makeZip, type ZipEntrySpec } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { letterboxd } from './index.ts';

const capability = letterboxd().capabilities.fileImport;
const contentOf = (name: string): Buffer => readFileSync(new URL(`__fixtures__/${name}`, import.meta.url));
const entry = (name: string, path = name): ZipEntrySpec => ({ name: path, content: contentOf(name) });
const whole = (folder = ''): readonly ZipEntrySpec[] => [
  entry('watched.csv', `${folder}watched.csv`),
  entry('watchlist.csv', `${folder}watchlist.csv`),
  entry('diary.csv', `${folder}diary.csv`),
  entry('ratings.csv', `${folder}ratings.csv`),
  entry('films.csv', `${folder}likes/films.csv`),
];
/** Entries that fail when they are read to their end: an import without errors proves that nobody did. */
const traps = (folder = ''): readonly ZipEntrySpec[] => [
  ...['profile.csv', 'comments.csv', 'reviews.csv', 'likes/reviews.csv', 'likes/lists.csv'].map((name) => ({
    name: `${folder}${name}`,
    content: 'Date,Name\n',
    crc32: 1,
  })),
];
const leftOut = (folder = ''): readonly ZipEntrySpec[] => [
  entry('diary.csv', `${folder}deleted/diary.csv`),
  entry('ratings.csv', `${folder}orphaned/ratings.csv`),
  entry('list.csv', `${folder}lists/doors.csv`),
  entry('list.csv', `${folder}lists/ratings.csv`),
  entry('films.csv', `${folder}deleted/likes/films.csv`),
];
const importZip = (entries: readonly ZipEntrySpec[]) =>
  collectImport(capability, [fileOf('letterboxd-ana-2026-11-01.zip', makeZip(entries))]);
const importFile = (name: string, content: string | Uint8Array) => collectImport(capability, [fileOf(name, content)]);

test.each(['', 'letterboxd-ana/'])('the zip is read, in folder %j, and nothing else in it is', async (folder) => {
  const { read, items, skipped, rejected, errors } = await importZip([
    ...traps(folder),
    ...leftOut(folder),
    ...whole(folder),
  ]);
  expect({ rejected, errors, skipped }).toEqual({ rejected: [], errors: [], skipped: { in_diary: 4 } });
  expect(read).toBe(6 + 3 + 1 + 1 + 6);
  expect(items).toHaveLength(read - 4);
});

test('loose files give the same items as the zip', async () => {
  const zipped = await importZip(whole());
  const names = ['diary.csv', 'ratings.csv', 'films.csv', 'watchlist.csv', 'watched.csv'];
  const loose = await collectImport(
    capability,
    names.map((name) => fileOf(name, contentOf(name))),
  );
  expect(loose.items).toEqual(zipped.items);
});

test('only what was deleted is nothing to import, and no error', async () => {
  expect(await importZip(leftOut())).toMatchObject({ read: 0, items: [], errors: [] });
});

test('folders above the export may be called anything', async () => {
  for (const folder of ['lists/letterboxd/', 'deleted/2026/', 'orphaned/x/']) {
    const { items } = await importZip(whole(folder));
    expect(items, folder).toHaveLength(13);
  }
});

test('of two films of one name and year the diary tells the first viewing of one', async () => {
  const head = 'Date,Name,Year,Letterboxd URI';
  const marks = ['https://boxd.it/4b1', 'https://boxd.it/4b2'].map((uri) => `2025-01-01,Home,2019,${uri}`);
  const watched = fileOf('watched.csv', [head, ...marks, ...marks, ''].join('\n'));
  const diary = fileOf(
    'diary.csv',
    `${head},Rating,Rewatch,Tags,Watched Date\n2025-01-02,Home,2019,https://boxd.it/9d1,,,,2025-01-01\n`,
  );
  const { items, skipped } = await collectImport(capability, [watched, diary]);
  expect(skipped).toEqual({ in_diary: 2 });
  expect(new Set(items.map(({ externalId }) => externalId))).toEqual(new Set(['diary:9d1', 'film:4b2']));
});

test.each(['films I have watched.csv', 'watched films.csv', 'watchlist of ana.csv'])(
  'what is called "%s" may be anything',
  async (name) => {
    const { items, errors } = await importFile(name, contentOf('films.csv'));
    expect({ items, errors }).toMatchObject({ items: [], errors: [{ reason: 'renamed_file' }] });
  },
);

test.each(['films.csv', 'Films (1).csv', 'films-2.csv', 'films 3.csv'])('"%s" is likes', async (name) => {
  const { items } = await importFile(name, contentOf('films.csv'));
  expect(new Set(items.map(({ action }) => action))).toEqual(new Set(['liked']));
});

test('lines that end with a carriage return alone are refused, not taken for an empty file', async () => {
  const content = contentOf('diary.csv').toString('utf8').replaceAll(/\r?\n/g, '\r');
  const { errors, read } = await importFile('diary.csv', content);
  expect({ errors, read }).toMatchObject({ read: 0, errors: [{ code: 'file_parse_error', reason: 'csv_line_ends' }] });
});

test('reviews alone are counted, and their text is not kept', async () => {
  const { read, items, skipped, errors } = await importFile('reviews.csv', contentOf('reviews.csv'));
  expect({ read, items, skipped, errors }).toEqual({ read: 1, items: [], skipped: { review: 1 }, errors: [] });
});

test.each([
  ['a byte order mark', (csv: string) => `\uFEFF${csv}`],
  [
    'semicolons',
    (csv: string) =>
      csv
        .replaceAll('"cinema, with subtitles"', 'cinema')
        .replaceAll('"Salt, Pepper & Co"', 'Salt')
        .replaceAll(',', ';'),
  ],
  [
    'tabs',
    (csv: string) =>
      csv
        .replaceAll('"cinema, with subtitles"', 'cinema')
        .replaceAll('"Salt, Pepper & Co"', 'Salt')
        .replaceAll(',', '\t'),
  ],
  ['CRLF', (csv: string) => csv.replaceAll('\n', '\r\n')],
  [
    'a header in other letters',
    (csv: string) => csv.replace(/^.*\n/, (header) => header.toUpperCase().replaceAll(',', ' ,')),
  ],
  ['a new column', (csv: string) => csv.replace(/^(.*)\n/, '$1,Mood\n').replace(/(\d|,)\n/g, '$1,fine\n')],
  ['another name', (csv: string) => csv],
])('%s', async (what, change) => {
  const csv = contentOf('diary.csv').toString();
  const { items, rejected, errors } = await importFile(
    what === 'another name' ? 'films seen.csv' : 'diary.csv',
    change(csv),
  );
  expect({ rejected, errors }).toEqual({ rejected: [], errors: [] });
  expect(items.map(({ externalId }) => externalId)).toEqual([1, 2, 3, 4, 5, 6].map((n) => `diary:9aAa${n}`));
});

test('a diary with fewer columns', async () => {
  const { items } = await importFile(
    'diary.csv',
    'Name,Letterboxd URI,Watched Date\nBlue Door,https://boxd.it/9a,2025-03-01\n',
  );
  expect(items).toMatchObject([{ title: 'Blue Door', externalId: 'diary:9a', tags: [], rawMetadata: {} }]);
});

test.each(['diary.csv', 'ratings.csv', 'watched.csv', 'films.csv', 'watchlist.csv'])(
  '%s without rows is a success without items',
  async (name) => {
    const [header = ''] = contentOf(name).toString().split('\n');
    expect(await importFile(name, `${header}\n`)).toMatchObject({ read: 0, items: [], rejected: [], errors: [] });
  },
);

describe('files that are something else', () => {
  test.each([
    ['diary.csv', '', 'empty_file'],
    ['diary.csv', '<!DOCTYPE html>\n<html><title>Letterboxd</title>', 'html_page'],
    ['doors.csv', contentOf('list.csv').toString(), 'film_list'],
    ['my films.csv', contentOf('watched.csv').toString(), 'renamed_file'],
    ['diary.csv', 'Date,Name,Year\n2025-03-01,Blue Door,2019\n', 'unknown_format'],
    ['diary.csv', '{"diary": []}', 'unknown_format'],
    [
      'diary.csv',
      'Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date\n2025-03-01,"Blue,2019\n',
      'csv_unclosed_quote',
    ],
  ])('%s is a typed error with a hint', async (name, content, reason) => {
    const { items, errors } = await importFile(name, content);
    expect(items).toEqual([]);
    expect(errors).toMatchObject([
      { code: 'file_parse_error', reason, hint: expect.any(String), position: { file: name } },
    ]);
  });

  test('a file that is mostly bad is given up on', async () => {
    const rows = Array.from({ length: 30 }, () => '2025-03-01,Blue Door,2019,https://boxd.it/a,,,,01.03.25');
    const header = 'Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date';
    const { read, errors } = await importFile('diary.csv', [header, ...rows].join('\n'));
    expect(read).toBe(20);
    expect(errors).toMatchObject([{ reason: 'too_many_bad_records', position: { line: 21 } }]);
  });
});

describe('damaged archives', () => {
  test.each([
    ['a password', [{ ...entry('diary.csv'), flags: 1 }], 'zip_encrypted'],
    ['damage', [{ ...entry('diary.csv'), crc32: 1 }], 'zip_damaged'],
    ['nothing of ours', [{ name: 'photo.jpg', content: 'x' }], 'nothing_to_import'],
    ['a web page under the right name', [{ name: 'diary.csv', content: '<html><body>Sign in' }], 'html_page'],
  ] satisfies [string, ZipEntrySpec[], string][])('a zip with %s is a typed error', async (_, entries, reason) => {
    const { items, errors } = await importZip(entries);
    expect(items).toEqual([]);
    expect(errors).toMatchObject([{ code: 'file_parse_error', reason, hint: expect.any(String) }]);
  });

  test('an unknown table under the name of the diary is reported, the rest arrives', async () => {
    const { items, errors } = await importZip([{ name: 'diary.csv', content: 'Day,Film\n' }, entry('ratings.csv')]);
    expect(items).toHaveLength(3);
    expect(errors).toMatchObject([
      { reason: 'unknown_format', position: { file: 'letterboxd-ana-2026-11-01.zip!diary.csv' } },
    ]);
  });

  test('a zip that was cut anywhere gives a typed error, and no raw one', async () => {
    const zip = makeZip([...whole(), ...leftOut()]);
    for (let length = 1; length < zip.length; length += 41) {
      const { items, errors } = await importFile('letterboxd.zip', zip.slice(0, length));
      expect(items).toEqual([]);
      expect(errors).toMatchObject([{ code: 'file_parse_error' }]);
    }
  });

  test('hostile archives are refused, and not claimed', async () => {
    for (const { build } of hostileZips().filter(({ name }) => !name.startsWith('bomb'))) {
      const file = fileOf('letterboxd.zip', build());
      const { items, errors } = await collectImport(capability, [file]);
      expect(items).toEqual([]);
      expect(errors).toMatchObject([{ code: 'file_parse_error' }]);
      expect(await capability.recognise(file)).toBeUndefined();
    }
  });
});

describe('input that could be quadratic', () => {
  test.each([',', ';', '"', '"",', ' ', '/', 'a,', '-'])('%j', async (part) => {
    const startedAt = performance.now();
    const long = part.repeat(60_000 / part.length);
    const header = 'Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date';
    const quoted = `"${long.replaceAll('"', '""')}"`;
    const cells = ['2025-03-01', 'Blue Door', '2019', 'https://letterboxd.com/', '3', '', '', '2025-03-01'];
    for (const index of cells.keys()) {
      const row = cells.map((cell, at) => (at === index ? quoted : cell)).join(',');
      const { errors } = await importFile('diary.csv', `${header}\n${row}\n`);
      for (const error of errors) expect(error.code).toBe('file_parse_error');
    }
    for (const content of [long, `${header}\n${long}`]) {
      await importFile('diary.csv', content);
      await capability.recognise(fileOf('diary.csv', content));
    }
    // A hang guard; each takes a few milliseconds.
    expect(performance.now() - startedAt).toBeLessThan(4_000);
  });
});
