import { fileImportConformance } from '@mca/core/testing';
import { test } from 'vitest';
import { netflix } from './index.ts';

const header =
  'Profile Name,Start Time,Duration,Attributes,Title,Supplemental Video Type,Device Type,Bookmark,Latest Bookmark,Country';
const views = Array.from(
  { length: 20 },
  (_, index) =>
    `Ana,2026-02-${String(index + 1).padStart(2, '0')} 20:31:07,00:41:12,,"Sand Hill: Season 2: Road ${index} (Episode ${index})",,Phone of Ana,00:42:00,00:42:00,FR (France)`,
);
const full = (from: number, to: number) => ({
  name: 'ViewingActivity.csv',
  content: [header, ...views.slice(from, to), ''].join('\n'),
});
const days = Array.from(
  { length: 20 },
  (_, index) => `"Sand Hill: Season 2: Road ${index % 3}","${20 - (index >> 1) + 10}/03/24"`,
);
const short = (from: number, to: number) => ({
  name: 'NetflixViewingHistory.csv',
  content: ['Title,Date', ...days.slice(from, to), ''].join('\n'),
});

const formats = {
  full: {
    exports: [full(0, 20)],
    bad: 'Ana,some evening,00:41:12,,"Blue Door",,TV,,,',
    badValue: 'some evening',
    overlapping: [full(0, 12), full(8, 20)],
    header,
    rows: views,
  },
  short: {
    exports: [short(0, 20)],
    bad: '"Blue Door","99/99/24"',
    badValue: '99/99/24',
    overlapping: [short(0, 12), short(8, 20)],
    header: 'Title,Date',
    rows: days,
  },
};

for (const [format, { exports, bad, badValue, overlapping, header: first, rows }] of Object.entries(formats)) {
  const suite = fileImportConformance({
    provider: netflix({ dateOrder: 'DMY' }),
    exports,
    withBadRecord: { name: exports[0]?.name ?? '', content: [first, ...rows, bad, ''].join('\n'), badValue },
    overlapping,
    personal: ['Phone of Ana'],
  });
  for (const { id, title, run } of suite) test(`${id} ${format}: ${title}`, run);
}
