import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { collectImport, fileOf } from '../../src/testing/import-files.ts';
import { type NetflixOptions, netflix } from './index.ts';

const capability = netflix().capabilities.fileImport;
const csv = readFileSync(new URL('__fixtures__/Ratings.csv', import.meta.url), 'utf8');
const importRatings = (content: string, options?: NetflixOptions) =>
  collectImport(capability, [fileOf('Ratings.csv', content)], { options });

test('the newest of each title counts, a removed one counts as none', async () => {
  const { read, items, skipped } = await importRatings(csv);
  expect([read, skipped]).toEqual([6, { superseded: 2, rating_removed: 1 }]);
  expect(
    items.map(({ account, title, rating, rawMetadata, consumedAt }) => [
      account,
      title,
      rating,
      rawMetadata,
      consumedAt.toISOString(),
    ]),
  ).toEqual([
    ['Ana', 'Sand Hill', 10, { thumbs: 3 }, '2026-02-02T10:00:00.123Z'],
    ['Ana', 'Blue Door', 8, { thumbs: 2 }, '2026-01-31T10:00:00.000Z'],
    ['Ben', 'Blue Door', 8, { stars: 4 }, '2014-03-01T08:00:00.000Z'],
  ]);
  expect(items[0]).toMatchObject({
    action: 'rated',
    source: 'ratings',
    precision: 'second',
    externalId: `Ana/rated:${items[0]?.contentId}`,
  });
});

test('the order of the rows does not matter', async () => {
  const [header = '', ...rows] = csv.trim().split('\n');
  const sorted = await importRatings([header, ...rows].join('\n'));
  const reversed = await importRatings([header, ...rows.reverse()].join('\n'));
  expect(reversed.items.toReversed()).toEqual(sorted.items);
});

test('profiles filter, bad rows are reported', async () => {
  expect(await importRatings(csv, { profiles: ['Ben'] })).toMatchObject({
    skipped: { other_profile: 5 },
    warnings: [],
  });
  expect((await importRatings(csv, { profiles: ['Ben', 'Cem'] })).warnings).toEqual([expect.stringContaining('Cem')]);
  const rows = [
    'Ana,Sand Hill,thumb,,7,TV,2026-02-02 10:00:00,',
    'Ana,,thumb,,1,TV,2026-02-02 10:00:00,',
    'Ana,Sand Hill,thumb,,1,TV,yesterday,',
    'Ana,Sand Hill,star,9,,TV,2026-02-02 10:00:00,',
  ];
  const [header] = csv.split('\n');
  const { items, rejected } = await importRatings([header, ...rows].join('\n'));
  expect(items).toEqual([]);
  expect(rejected.map(({ reason, record }) => [reason, record])).toEqual([
    ['invalid_rating', 1],
    ['missing_title', 2],
    ['invalid_date', 3],
    ['invalid_rating', 4],
  ]);
});
