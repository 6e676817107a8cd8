import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { makeZip, type ZipEntrySpec } from '../../src/testing/hostile-files.ts';
import { collectImport, fileOf } from '../../src/testing/import-files.ts';
import { tiktok } from './index.ts';

const capability = tiktok().capabilities.fileImport;
const contentOf = (name: string): Buffer => readFileSync(new URL(`__fixtures__/${name}`, import.meta.url));
const importZip = (...entries: ZipEntrySpec[]) =>
  collectImport(capability, [fileOf('TikTok_Data_1790000000.zip', makeZip(entries))]);
const importFile = (name: string, content: string) => collectImport(capability, [fileOf(name, content)]);
const newer = { name: 'user_data_tiktok.json', content: contentOf('g3-user_data_tiktok.json') };
const older = { name: 'user_data.json', content: contentOf('g1-user_data.json') };

const txt = 'Date: 2026-05-14 21:03:11 UTC\nLink: https://www.tiktokv.com/share/video/7301234567890123456/\n\n';
const txtEntries: readonly ZipEntrySpec[] = [
  { name: 'TikTok/Comment/Comments.txt', content: 'Date: 2026-05-01 09:00:00 UTC\nComment: nice\n' },
  { name: 'TikTok/Your Activity/Watch History.txt', content: txt },
  { name: 'TikTok/Likes and Favorites/Like List.txt', content: 'You have no data in this section' },
];

test.each([
  ['its one file', [newer], 6],
  ['the older name', [older], 4],
  ['both names, of which the newer wins', [older, newer], 6],
  ['another name', [{ ...newer, name: 'export/my tiktok.json' }], 6],
  ['text files beside it', [...txtEntries, newer], 6],
  ['other JSON beside it', [{ name: 'a.json', content: '{"a":1}' }, newer], 6],
] satisfies [string, ZipEntrySpec[], number][])('a zip with %s is read', async (_, entries, count) => {
  const { items, errors } = await importZip(...entries);
  expect(errors).toEqual([]);
  expect(items).toHaveLength(count);
});

test.each([
  ['English text files', txtEntries, 'txt_export'],
  [
    'older text files',
    [{ name: 'TikTok/Activity/Video Browsing History.txt', content: txt.replace('Link:', 'Video Link:') }],
    'txt_export',
  ],
  [
    'Dutch text files',
    [{ name: 'TikTok/Je activiteit/Kijkgeschiedenis.txt', content: txt.replace('Date:', 'Datum:') }],
    'txt_export',
  ],
  ['nothing useful', [{ name: 'photo.jpg', content: 'x' }], 'nothing_to_import'],
  ['a password', [{ ...newer, flags: 1 }], 'zip_encrypted'],
  ['damage', [{ ...newer, crc32: 1 }], 'zip_damaged'],
  [
    'an export of another service',
    [{ name: 'liked_posts.json', content: '{"likes_media_likes": []}' }],
    'unknown_format',
  ],
] satisfies [string, readonly ZipEntrySpec[], string][])(
  'a zip with %s is a typed error',
  async (_, entries, reason) => {
    const { items, errors } = await importZip(...entries);
    expect(items).toEqual([]);
    expect(errors).toEqual([expect.objectContaining({ code: 'file_parse_error', reason, hint: expect.any(String) })]);
  },
);

test('the error of a text export says how to get JSON', async () => {
  for (const { errors } of [
    await importZip(...txtEntries),
    await importFile('Watch History.txt', txt),
    await importFile('renamed', txt),
  ]) {
    expect(errors).toEqual([expect.objectContaining({ reason: 'txt_export', hint: expect.stringContaining('JSON') })]);
  }
});

test.each([
  ['an empty file', '', 'empty_file', undefined],
  ['a web page', '<!doctype html><html><body>Session expired', 'html_page', undefined],
  ['JSON of another service', '{"likes_media_likes":[{"title":"x"}]}', 'unknown_format', undefined],
  ['an empty object', '{}', 'unknown_format', undefined],
  ['a list', '[{"Date":"2026-05-14 21:03:11"}]', 'unknown_format', undefined],
  ['a cut file', '{"Your Activity":{"Watch History":{"VideoList":[\n{"Date":"2026-05-14 21:0', 'json_truncated', 2],
  ['broken JSON', '{"Your Activity":{"Watch History":{"VideoList":[]]\n}}}', 'json_syntax', 1],
])('%s is a typed error', async (_, content, reason, line) => {
  const { items, errors } = await importFile('user_data_tiktok.json', content);
  expect(items).toEqual([]);
  expect(errors).toEqual([expect.objectContaining({ code: 'file_parse_error', reason, hint: expect.any(String) })]);
  expect(errors[0]?.position).toMatchObject({ file: 'user_data_tiktok.json', ...(line ? { line } : {}) });
});

test('a cut file gives nothing rather than a part', async () => {
  const text = contentOf('g3-user_data_tiktok.json').toString();
  const { items, errors } = await importFile('user_data_tiktok.json', text.slice(0, -20));
  expect(items).toEqual([]);
  expect(errors[0]?.reason).toBe('json_truncated');
});

test('a long unknown section in front hides nothing, thanks to the name', async () => {
  const value = {
    Novelties: ['x'.repeat(100_000)],
    'Your Activity': {
      'Watch History': {
        VideoList: [{ Date: '2026-05-14 21:03:11', Link: 'https://www.tiktokv.com/share/video/7301234567890123456/' }],
      },
    },
  };
  expect((await importFile('user_data_tiktok.json', JSON.stringify(value))).items).toHaveLength(1);
});

test('recognise knows its own files, and no others', async () => {
  const ask = async (name: string, content: string | Uint8Array) => capability.recognise(fileOf(name, content));
  expect(await ask('renamed.json', contentOf('g1-user_data.json'))).toMatchObject({
    format: 'user-data',
    confidence: 0.95,
  });
  expect(await ask('renamed.zip', makeZip([newer]))).toMatchObject({ format: 'user-data', confidence: 0.95 });
  expect(await ask('other.json', '[{"title":"Watched x","products":["YouTube"]}]')).toBeUndefined();
  expect(await ask('other.json', '{"ts":"2024-01-01"}')).toBeUndefined();
  expect(await ask('Watch History.txt', txt)).toBeUndefined();
  expect(await ask('cut.zip', makeZip([newer]).subarray(0, 500))).toBeUndefined();
});
