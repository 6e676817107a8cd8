import { readFileSync } from 'node:fs';
import { collectImport, fileOf, hostileZips, makeZip, type ZipEntrySpec } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { imdb } from './index.ts';

const capability = imdb().capabilities.fileImport;
const contentOf = (name: string): Buffer => readFileSync(new URL(`__fixtures__/${name}`, import.meta.url));
const entry = (name: string, path = name): ZipEntrySpec => ({ name: path, content: contentOf(name) });
const importFile = (name: string, content: string | Uint8Array) => collectImport(capability, [fileOf(name, content)]);
const importZip = (entries: readonly ZipEntrySpec[]) => importFile('imdb.zip', makeZip(entries));

test('a zip gives what its files give, also of lists with names of their own, and leaves other tables alone', async () => {
  const zipped = await importZip([
    { name: 'notes.csv', content: 'a,b\n1,2\n' },
    entry('watchlist.csv', 'imdb/Films of my childhood.csv'),
    entry('ratings.csv', 'imdb/ratings.csv'),
  ]);
  const loose = await collectImport(
    capability,
    ['ratings.csv', 'watchlist.csv'].map((name) => fileOf(name, contentOf(name))),
  );
  expect({ errors: zipped.errors, read: zipped.read }).toEqual({ errors: [], read: 8 });
  expect(zipped.items).toEqual(loose.items);
});

const unquoted = (csv: string): string => csv.replace(/"[^"]*"/g, 'Drama');
test.each([
  ['a byte order mark', (csv: string) => `\uFEFF${csv}`],
  ['semicolons', (csv: string) => unquoted(csv).replaceAll(',', ';')],
  ['tabs', (csv: string) => unquoted(csv).replaceAll(',', '\t')],
  ['CRLF', (csv: string) => csv.replaceAll('\n', '\r\n')],
  [
    'a header in other letters',
    (csv: string) => csv.replace(/^.*\n/, (header) => header.toUpperCase().replaceAll(',', ' , ')),
  ],
  ['a new column in front', (csv: string) => csv.replace(/^/gm, 'new,').replace(/new,$/, '')],
  ['another name', (csv: string) => csv],
])('%s', async (what, change) => {
  const csv = contentOf('ratings.csv').toString();
  const { items, rejected, errors } = await importFile(
    what === 'another name' ? 'b7c1.csv' : 'ratings.csv',
    change(csv),
  );
  expect({ rejected, errors }).toEqual({ rejected: [], errors: [] });
  expect(items.map(({ externalId }) => externalId)).toEqual([1, 2, 3, 4, 6].map((n) => `rated:tt9900000${n}`));
});

test.each(['ratings.csv', 'ratings-older.csv', 'watchlist.csv'])(
  '%s without rows is a success without items',
  async (name) => {
    const [header = ''] = contentOf(name).toString().split('\n');
    expect(await importFile(name, `${header}\n`)).toMatchObject({ read: 0, items: [], rejected: [], errors: [] });
  },
);

describe('files that are something else', () => {
  const old = 'position,const,created,modified,description,Title,Title type,Directors,You rated,IMDb Rating\n';
  test.each([
    ['ratings.csv', '', 'empty_file'],
    ['ratings.csv', '<!DOCTYPE html>\n<html><title>Your ratings</title>', 'html_page'],
    [
      'ratings.csv',
      `${old}1,tt99000001,Mon Jan 7 00:00:00 2013,,,Blue Door,Feature Film,Ines Vale,9,7\n`,
      'old_export',
    ],
    ['ratings.csv', 'Const,Name\ntt99000001,Blue Door\n', 'unknown_format'],
    [
      'people.csv',
      'Position,Const,Created,Modified,Description,Name,Known For,Birth Date\n1,nm1,,,,A,,\n',
      'unknown_format',
    ],
    [
      'tmdb.csv',
      'TMDb ID,IMDb ID,Type,Name,Release Date,Season Number,Episode Number,Rating,Your Rating,Date Rated\n',
      'unknown_format',
    ],
    ['ratings.csv', 'Const,Your Rating,Date Rated,Title\ntt99000001,9,2025-03-01,"Blue\n', 'csv_unclosed_quote'],
  ])('%s is a typed error with a hint', async (name, content, reason) => {
    const { items, errors } = await importFile(name, content);
    expect(items).toEqual([]);
    expect(errors).toMatchObject([
      { code: 'file_parse_error', reason, hint: expect.any(String), position: { file: name } },
    ]);
  });

  test('a file that is mostly bad is given up on', async () => {
    const rows = Array.from({ length: 30 }, () => 'tt99000001,9,1.3.2025,Blue Door');
    const { read, errors } = await importFile(
      'ratings.csv',
      ['Const,Your Rating,Date Rated,Title', ...rows].join('\n'),
    );
    expect(read).toBe(20);
    expect(errors).toMatchObject([{ reason: 'too_many_bad_records', position: { line: 21 } }]);
  });
});

describe('damaged archives', () => {
  test.each([
    ['a password', [{ ...entry('ratings.csv'), flags: 1 }], 'zip_encrypted'],
    ['damage', [{ ...entry('ratings.csv'), crc32: 1 }], 'zip_damaged'],
    ['nothing of ours', [{ name: 'photo.jpg', content: 'x' }], 'nothing_to_import'],
  ] satisfies [string, ZipEntrySpec[], string][])('a zip with %s is a typed error', async (_, entries, reason) => {
    const { items, errors } = await importZip(entries);
    expect(items).toEqual([]);
    expect(errors).toMatchObject([{ code: 'file_parse_error', reason, hint: expect.any(String) }]);
  });

  test('a zip that was cut anywhere gives a typed error, and no raw one', async () => {
    const zip = makeZip([entry('ratings.csv'), entry('watchlist.csv')]);
    for (let length = 1; length < zip.length; length += 23) {
      const { items, errors } = await importFile('imdb.zip', zip.slice(0, length));
      expect(items).toEqual([]);
      expect(errors).toMatchObject([{ code: 'file_parse_error' }]);
    }
  });

  test('hostile archives are refused, and not claimed', async () => {
    for (const { build } of hostileZips().filter(({ name }) => !name.startsWith('bomb'))) {
      const file = fileOf('imdb.zip', build());
      const { items, errors } = await collectImport(capability, [file]);
      expect(items).toEqual([]);
      expect(errors).toMatchObject([{ code: 'file_parse_error' }]);
      expect(await capability.recognise(file)).toBeUndefined();
    }
  });
});

describe('input that could be quadratic', () => {
  test.each([',', ';', '"', '"",', ' ', '1', 'a,', '-'])('%j', async (part) => {
    const startedAt = performance.now();
    const long = part.repeat(60_000 / part.length);
    const header = 'Const,Your Rating,Date Rated,Title,Original Title,Title Type,Runtime (mins),Year,Genres,Directors';
    const cells = ['tt99000001', '9', '2025-03-01', 'Blue Door', '', 'Movie', '90', '2019', 'Drama', 'Ines Vale'];
    for (const index of cells.keys()) {
      const row = cells.map((cell, at) => (at === index ? `"${long.replaceAll('"', '""')}"` : cell)).join(',');
      const { errors } = await importFile('ratings.csv', `${header}\n${row}\n`);
      for (const error of errors) expect(error.code).toBe('file_parse_error');
    }
    for (const content of [long, `${header}\n${long}`]) {
      await importFile('ratings.csv', content);
      await capability.recognise(fileOf('ratings.csv', content));
    }
    // A hang guard; each takes a few milliseconds.
    expect(performance.now() - startedAt).toBeLessThan(4_000);
  });
});
