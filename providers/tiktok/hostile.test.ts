import { collectImport, fileOf } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { tiktok } from './index.ts';

const link = 'https://www.tiktokv.com/share/video/7301234567890123456/';
const good = { Date: '2026-05-14 21:03:11', Link: link };
const read = (row: Record<string, unknown>) =>
  collectImport(tiktok().capabilities.fileImport, [
    fileOf(
      'user_data_tiktok.json',
      JSON.stringify({ 'Your Activity': { 'Watch History': { VideoList: [good, { ...good, ...row }] } } }),
    ),
  ]);

/** A hang guard; each takes a few milliseconds. */
const HANGS_AFTER_MS = 2_000;
const N = 80_000;

describe('input that was quadratic', () => {
  test.each([
    ['Date', `${' '.repeat(N)}x`, 'invalid_date'],
    ['Date', `2026-05-14 21:03:11${' '.repeat(N)}x`, 'invalid_date'],
    ['Date', '1'.repeat(N), 'invalid_date'],
    ['Link', `${'?'.repeat(N)}\n`, 'invalid_link'],
    ['Link', `${link}${'?'.repeat(N)}\n`, 'invalid_link'],
    ['Link', `https://${'a.'.repeat(N)}`, 'invalid_link'],
    ['Title', `${' '.repeat(N)}x${' '.repeat(N)}x`, 'too_long'],
  ])('%s %#', async (field, value, reason) => {
    const startedAt = performance.now();
    const { items, rejected } = await read({ [field]: value });
    expect(items).toHaveLength(1);
    expect(rejected).toMatchObject([{ record: 2, field, reason }]);
    expect(performance.now() - startedAt).toBeLessThan(HANGS_AFTER_MS);
  });
});

test.each(['2099-01-01 00:00:00', '1000-01-01 00:00:00', '2013-12-31 23:59:59'])(
  'the date %s cannot be',
  async (date) => {
    const { items, rejected } = await read({ Date: date });
    expect(items).toHaveLength(1);
    expect(rejected).toMatchObject([{ record: 2, field: 'Date', reason: 'implausible_date' }]);
  },
);

test('a live stream of 2099 is rejected', async () => {
  const { rejected } = await collectImport(tiktok().capabilities.fileImport, [
    fileOf(
      'user_data_tiktok.json',
      JSON.stringify({
        'TikTok Live': { 'Watch Live History': { WatchLiveMap: { 7: { WatchTime: '2099-01-01 00:00:00' } } } },
      }),
    ),
  ]);
  expect(rejected).toMatchObject([{ field: 'WatchTime', reason: 'implausible_date' }]);
});

test('long captions are cut', async () => {
  const { items } = await read({ Title: 'x'.repeat(4_000), Date: '2026-05-14 21:03:12' });
  expect(items[1]?.title).toHaveLength(2_000);
});
