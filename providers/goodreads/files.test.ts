import { readFileSync } from 'node:fs';
import type { ImportFile } from '@mca/core/provider-kit';
import { collectImport, fileOf, hostileZips, makeZip, type ZipEntrySpec } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { goodreads } from './index.ts';

const capability = goodreads().capabilities.fileImport;
const NAME = 'goodreads_library_export.csv';
const content = readFileSync(new URL(`__fixtures__/${NAME}`, import.meta.url));
const entry: ZipEntrySpec = { name: `backup/${NAME}`, content };
const importFile = (name: string, bytes: string | Uint8Array) => collectImport(capability, [fileOf(name, bytes)]);
const importZip = (entries: readonly ZipEntrySpec[]) => importFile('books.zip', makeZip(entries));

test('a zip gives what the file gives', async () => {
  const zipped = await importZip([{ name: 'notes.txt', content: 'x' }, entry]);
  expect(zipped.errors).toEqual([]);
  expect(zipped.items).toEqual((await importFile(NAME, content)).items);
});

test('under any name, as the README says: by itself, in a zip and in a folder; files of others are left alone', async () => {
  const expected = (await importFile(NAME, content)).items;
  const others = [
    { name: 'films.csv', content: 'Name,Year\nSand Hill,2020\n' },
    { name: 'read me.txt', content: 'x' },
  ];
  const renamed = { name: 'my books (2).csv', content };
  const folder: ImportFile = {
    name: 'backup',
    open: () => fileOf('backup', '').open(),
    list: async () => [renamed, ...others].map(({ name, content: bytes }) => fileOf(`backup/${name}`, bytes)),
  };
  for (const file of [fileOf('my books.csv', content), fileOf('a.zip', makeZip([...others, renamed])), folder]) {
    const { items, errors } = await collectImport(capability, [file]);
    expect({ items, errors }).toEqual({ items: expected, errors: [] });
  }
});

/** Quoted cells are what other delimiters would change. */
const plain =
  'Book Id,Title,Author,My Rating,Date Read,Exclusive Shelf\n1,Blue Door,Ines Vale,4,2024/03/09,read\n2,Green Gate,Tom Arden,0,2024/03,read\n';
test.each([
  ['a byte order mark', (csv: string) => `\uFEFF${csv}`],
  ['semicolons', (csv: string) => csv.replaceAll(',', ';')],
  ['tabs', (csv: string) => csv.replaceAll(',', '\t')],
  ['CRLF', (csv: string) => csv.replaceAll('\n', '\r\n')],
  [
    'a header in other letters',
    (csv: string) => csv.replace(/^.*\n/, (header) => header.toUpperCase().replaceAll(',', ' , ')),
  ],
  ['a new column in front', (csv: string) => csv.replace(/^/gm, 'new,').replace(/new,$/, '')],
  ['another name', (csv: string) => csv],
])('%s', async (what, change) => {
  const { items, rejected, errors } = await importFile(what === 'another name' ? 'my books.csv' : NAME, change(plain));
  expect({ rejected, errors }).toEqual({ rejected: [], errors: [] });
  expect(items.map(({ externalId }) => externalId)).toEqual(['book:1', 'rated:book:1', 'book:2']);
});

test('reviews of several lines stay within their row', async () => {
  const csv =
    'Book Id,Title,Date Read,Exclusive Shelf,My Review\n1,Blue Door,2024/03/09,read,"A\n""blue""\n\ndoor, she said"\n2,Green Gate,never,read,\n';
  const { items, rejected } = await importFile(NAME, csv);
  expect(items).toHaveLength(1);
  expect(JSON.stringify(items)).not.toContain('said');
  expect(rejected).toMatchObject([{ record: 2, line: 6, reason: 'invalid_date' }]);
});

test('a library without books is a success without items', async () => {
  const [header = ''] = content.toString().split('\n');
  expect(await importFile(NAME, `${header}\n`)).toMatchObject({ read: 0, items: [], rejected: [], errors: [] });
});

describe('files that are something else', () => {
  test.each([
    ['', 'empty_file'],
    ['<!DOCTYPE html>\n<html><title>Goodreads</title>', 'html_page'],
    ['Title,Authors,Contributors,ISBN/UID,Format,Read Status,Star Rating\nBlue Door,A,,,,read,4\n', 'unknown_format'],
    ['Book Id,Title\n1,Blue Door\n', 'unknown_format'],
    ['Book Id,Title,Date Read,Exclusive Shelf\n1,"Blue Door,2024/03/09,read\n', 'csv_unclosed_quote'],
  ])('%s is a typed error with a hint', async (text, reason) => {
    const { items, errors } = await importFile(NAME, text);
    expect(items).toEqual([]);
    expect(errors).toMatchObject([
      { code: 'file_parse_error', reason, hint: expect.any(String), position: { file: NAME } },
    ]);
  });

  test('a file that is mostly bad is given up on', async () => {
    const rows = Array.from({ length: 30 }, () => '1,Blue Door,9.3.2024,read');
    const { read, errors } = await importFile(NAME, ['Book Id,Title,Date Read,Exclusive Shelf', ...rows].join('\n'));
    expect(read).toBe(20);
    expect(errors).toMatchObject([{ reason: 'too_many_bad_records', position: { line: 21 } }]);
  });
});

describe('damaged archives', () => {
  test.each([
    ['a password', [{ ...entry, flags: 1 }], 'zip_encrypted'],
    ['damage', [{ ...entry, crc32: 1 }], 'zip_damaged'],
    ['nothing of ours', [{ name: 'photo.jpg', content: 'x' }], 'nothing_to_import'],
    ['another table under its name', [{ name: NAME, content: 'Day,Book\n' }], 'unknown_format'],
  ] satisfies [string, ZipEntrySpec[], string][])('a zip with %s is a typed error', async (_, entries, reason) => {
    const { items, errors } = await importZip(entries);
    expect(items).toEqual([]);
    expect(errors).toMatchObject([{ code: 'file_parse_error', reason, hint: expect.any(String) }]);
  });

  test('a zip that was cut anywhere gives a typed error, and no raw one', async () => {
    const zip = makeZip([entry]);
    for (let length = 1; length < zip.length; length += 13) {
      const { items, errors } = await importFile('books.zip', zip.slice(0, length));
      expect(items).toEqual([]);
      expect(errors).toMatchObject([{ code: 'file_parse_error' }]);
    }
  });

  test('hostile archives are refused, and not claimed', async () => {
    for (const { build } of hostileZips().filter(({ name }) => !name.startsWith('bomb'))) {
      const file = fileOf('books.zip', build());
      const { items, errors } = await collectImport(capability, [file]);
      expect(items).toEqual([]);
      expect(errors).toMatchObject([{ code: 'file_parse_error' }]);
      expect(await capability.recognise(file)).toBeUndefined();
    }
  });
});

describe('input that could be quadratic', () => {
  test.each([',', ';', '"', '"",', ' ', '1', 'a,', '-', '/', '=', '='])('%j', async (part) => {
    const startedAt = performance.now();
    const long = part.repeat(60_000 / part.length);
    const header =
      'Book Id,Title,Author,Additional Authors,ISBN,ISBN13,My Rating,Binding,Number of Pages,Year Published,Date Read,Date Added,Bookshelves,Exclusive Shelf,Read Count';
    const cells = [
      '1',
      'B',
      'A',
      '',
      '',
      '',
      '4',
      'Paperback',
      '3',
      '2020',
      '2024/03/09',
      '2024/03/09',
      'sea',
      'read',
      '1',
    ];
    for (const index of cells.keys()) {
      const row = cells.map((cell, at) => (at === index ? `"${long.replaceAll('"', '""')}"` : cell)).join(',');
      const { errors } = await importFile(NAME, `${header}\n${row}\n`);
      for (const error of errors) expect(error.code).toBe('file_parse_error');
    }
    for (const text of [long, `${header}\n${long}`]) {
      await importFile(NAME, text);
      await capability.recognise(fileOf(NAME, text));
    }
    // A hang guard; each takes a few milliseconds.
    expect(performance.now() - startedAt).toBeLessThan(4_000);
  });
});
