import { fileImportConformance, makeZip } from '@mca/core/testing';
import { test } from 'vitest';
import { tiktok } from './index.ts';

const watch = (index: number) => ({
  Date: `2026-05-14 21:03:${String(index + 10)}`,
  Link: `https://www.tiktokv.com/share/video/73012345678901234${String(index + 10)}/`,
});
const rows = Array.from({ length: 20 }, (_, index) => watch(index));
const data = (list: readonly unknown[], activity: string, history: string) =>
  JSON.stringify({
    [activity]: {
      [history]: { VideoList: list },
      'Login History': { LoginHistoryList: [{ IP: '192.0.2.13', DeviceModel: 'Phone of Ana' }] },
    },
    Profile: {
      'Profile Information': { ProfileMap: { userName: 'ana-the-user', emailAddress: 'ana@example.invalid' } },
    },
  });
const current = (list: readonly unknown[]) => ({
  name: 'user_data_tiktok.json',
  content: data(list, 'Your Activity', 'Watch History'),
});

const suite = fileImportConformance({
  provider: tiktok(),
  exports: [
    current(rows),
    { name: 'user_data.json', content: data(rows, 'Activity', 'Video Browsing History') },
    { name: 'TikTok_Data_1768473000.zip', content: makeZip([current(rows)]) },
  ],
  withBadRecord: {
    ...current([...rows, { Date: '2026-13-45 99:99:99', Link: rows[0]?.Link }]),
    badValue: '2026-13-45',
  },
  overlapping: [current(rows.slice(0, 12)), current(rows.slice(8))],
  personal: ['192.0.2.13', 'Phone of Ana', 'ana-the-user', 'ana@example.invalid'],
});
for (const { id, title, run } of suite) test(`${id} ${title}`, run);
