import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { makeZip, type ZipEntrySpec } from '../../src/testing/hostile-files.ts';
import { collectImport, fileOf } from '../../src/testing/import-files.ts';
import { type NetflixOptions, netflix } from './index.ts';

const capability = netflix().capabilities.fileImport;
const contentOf = (name: string): Buffer => readFileSync(new URL(`__fixtures__/${name}`, import.meta.url));
const activity = (folder = ''): ZipEntrySpec => ({
  name: `${folder}CONTENT_INTERACTION/ViewingActivity.csv`,
  content: contentOf('ViewingActivity.csv'),
});
const ratings = (folder = ''): ZipEntrySpec => ({
  name: `${folder}CONTENT_INTERACTION/Ratings.csv`,
  content: contentOf('Ratings.csv'),
});

/** Entries that fail when they are read: an import without errors proves that nobody opened them. */
const traps: readonly ZipEntrySpec[] = [
  'IP_ADDRESSES/IpAddressesLogin.csv',
  'DEVICES/Devices.csv',
  'MESSAGES/MessagesSentByNetflix.csv',
  'PAYMENT_AND_BILLING/BillingHistory.csv',
  'CLICKSTREAM/Clickstream.csv',
  'PROFILES/Profiles.csv',
  'CONTENT_INTERACTION/PlaybackRelatedEvents.csv',
  'CONTENT_INTERACTION/SearchHistory.csv',
  'Cover Sheet.pdf',
  '__MACOSX/CONTENT_INTERACTION/._ViewingActivity.csv',
].map((name) => ({ name, content: 'Esn,203.0.113.7\n', crc32: 1 }));

const importZip = (entries: readonly ZipEntrySpec[], options?: NetflixOptions) =>
  collectImport(capability, [fileOf('netflix-report.zip', makeZip(entries))], { options });

test.each(['', '1234567890/', 'netflix-report/1234567890/'])(
  'finds its files in folder %j, and opens no others',
  async (folder) => {
    const { read, items, errors } = await importZip([...traps, ratings(folder), activity(folder)]);
    expect(errors).toEqual([]);
    expect(read).toBe(13);
    expect(items.map(({ source }) => source)).toEqual([
      ...Array(4).fill('viewing-activity'),
      ...Array(3).fill('ratings'),
    ]);
  },
);

test('a viewing history in a zip is read, too', async () => {
  const { items } = await importZip([
    { name: 'NetflixViewingHistory (1).csv', content: contentOf('NetflixViewingHistory.csv') },
  ]);
  expect(items).toHaveLength(6);
});

test('notes in place of empty tables are no data', async () => {
  const note = { name: 'CONTENT_INTERACTION/ViewingActivity.txt', content: 'No data.' };
  expect(await importZip([note, ratings()])).toMatchObject({
    errors: [],
    warnings: [expect.stringContaining('no data')],
    read: 6,
  });
});

test('an unknown profile is refused before the ratings are stored', async () => {
  await expect(importZip([ratings(), activity()], { profiles: ['Anna'] })).rejects.toMatchObject({ code: 'not_found' });
});

test.each([
  ['only the cover sheet', [{ name: 'Cover Sheet.pdf', content: '%PDF-1.7' }], 'nothing_to_import'],
  ['a password', [{ ...activity(), flags: 1 }], 'zip_encrypted'],
  ['damage', [{ ...activity(), crc32: 1 }], 'zip_damaged'],
  ['a web page under the right name', [{ name: 'ViewingActivity.csv', content: '<html><body>Sign in' }], 'html_page'],
] satisfies [string, ZipEntrySpec[], string][])('a zip with %s is a typed error', async (_, entries, reason) => {
  const { items, errors } = await importZip(entries);
  expect(items).toEqual([]);
  expect(errors).toEqual([expect.objectContaining({ code: 'file_parse_error', reason, hint: expect.any(String) })]);
  expect(errors[0]?.position?.file).toContain('netflix-report.zip');
});

test('a damaged table beside a good one is reported, the good one arrives', async () => {
  const { items, errors } = await importZip([ratings(), { name: 'ViewingActivity.csv', content: 'Artist,Track\n' }]);
  expect(items.map(({ source }) => source)).toEqual(Array(3).fill('ratings'));
  expect(errors).toEqual([
    expect.objectContaining({ reason: 'unknown_format', position: { file: 'netflix-report.zip!ViewingActivity.csv' } }),
  ]);
});

describe('files that are something else', () => {
  test.each([
    ['an empty file', '', 'empty_file'],
    ['a web page saved as CSV', '<!DOCTYPE html>\n<html lang="en"><title>Netflix, viewing</title>', 'html_page'],
    ['another CSV', 'Artist,Track,Played\nA,B,2024-01-01\n', 'unknown_format'],
    ['two columns without dates', 'Name,Place\nA,B\nC,D\n', 'unknown_format'],
    ['rows without a header', '"Blue Door","9/14/24"\n"Green Gate","9/13/24"\n', 'unknown_format'],
    ['JSON', '{"a": 1}', 'unknown_format'],
    ['an unclosed quote', 'Title,Date\n"Blue Door","9/14/24"\n"Green Gate,9/13/24\n', 'csv_unclosed_quote'],
    ['unknown dates', 'Title,Date\n"Blue Door","14 sept"\n', 'unknown_date_format'],
  ])('%s is a typed error', async (_, content, reason) => {
    const { items, errors } = await collectImport(capability, [fileOf('NetflixViewingHistory.csv', content)]);
    expect(items).toEqual([]);
    expect(errors).toEqual([
      expect.objectContaining({
        code: 'file_parse_error',
        reason,
        position: expect.objectContaining({ file: 'NetflixViewingHistory.csv' }),
      }),
    ]);
    expect(errors[0]?.hint).toBeTruthy();
  });

  test('recognise knows its own files by content, and no others', async () => {
    const ask = async (name: string, content: string) => (await capability.recognise(fileOf(name, content)))?.format;
    expect(await ask('renamed.csv', 'Title,Date\n')).toBe('viewing-history');
    expect(await ask('renamed.csv', contentOf('ViewingActivity.csv').toString())).toBe('viewing-activity');
    expect(await ask('renamed.csv', 'Profile Name,Title Name,Star Value,Thumbs Value,Event Utc Ts\n')).toBe('ratings');
    expect(await ask('other.csv', 'Date,Name,Year,Letterboxd URI\n')).toBeUndefined();
    expect(await ask('empty.csv', '')).toBeUndefined();
  });

  test('a file that is mostly bad is given up on', async () => {
    const rows = Array.from({ length: 200 }, (_, index) => `"Title ${index}",${index < 30 ? '9/14/24' : 'never'}`);
    const { errors, read } = await collectImport(capability, [fileOf('h.csv', ['Title,Date', ...rows].join('\n'))]);
    expect(errors).toEqual([
      expect.objectContaining({ reason: 'too_many_bad_records', position: expect.objectContaining({ line: 82 }) }),
    ]);
    expect(read).toBe(81);
  });
});
