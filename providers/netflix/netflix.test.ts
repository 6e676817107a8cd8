import { readFileSync } from 'node:fs';
import type { MediaItem } from '@mca/core/provider-kit';
import { describe, expect, test } from 'vitest';
import { collectImport, fileOf } from '../../src/testing/import-files.ts';
import { type NetflixOptions, netflix } from './index.ts';

const capability = netflix().capabilities.fileImport;

function fixture(name: string) {
  return fileOf(name, readFileSync(new URL(`__fixtures__/${name}`, import.meta.url)), 777);
}

function history(rows: readonly string[], header = 'Title,Date') {
  return fileOf('NetflixViewingHistory.csv', [header, ...rows, ''].join('\n'));
}

const activityHeader =
  'Profile Name,Start Time,Duration,Attributes,Title,Supplemental Video Type,Device Type,Bookmark,Latest Bookmark,Country';

function activity(rows: readonly string[], header = activityHeader) {
  return fileOf('ViewingActivity.csv', [header, ...rows, ''].join('\n'));
}

/** What matters of an item, in one line. */
function lineOf({ consumedAt, title, creator, subtype, timeSpentMs, account, rawMetadata }: MediaItem): string {
  const { season, episode, confidence } = rawMetadata;
  const spent = timeSpentMs && `${timeSpentMs} ms`;
  return [
    consumedAt.toISOString(),
    title,
    creator,
    subtype,
    season && `season ${season}`,
    episode && `episode ${episode}`,
    spent,
    confidence,
    account,
  ]
    .filter((part) => part !== undefined)
    .join(' | ');
}

const importOf = (file: ReturnType<typeof fileOf>, options?: NetflixOptions) =>
  collectImport(capability, [file], { options });

describe('viewing history', () => {
  test('becomes items of day precision', async () => {
    const { items, rejected, errors, skipped, warnings } = await importOf(fixture('NetflixViewingHistory.csv'));
    expect({ rejected, errors, skipped, warnings }).toEqual({ rejected: [], errors: [], skipped: {}, warnings: [] });
    expect(items.map(lineOf)).toEqual([
      '2024-09-14T00:00:00.000Z | The Long Road | Sand Hill | tv_episode | season 2 | high',
      '2024-09-14T00:00:00.000Z | The Long Road | Sand Hill | tv_episode | season 2 | high',
      '2024-09-03T00:00:00.000Z | Sand Hill: The First Step | Sand Hill | tv_episode | medium',
      '2024-09-01T00:00:00.000Z | The "Other" One | movie | medium',
      '2024-08-31T00:00:00.000Z | Knight Tale: Legend of the Lake | low',
      '2024-08-30T00:00:00.000Z | Salt, Pepper & Co | movie | medium',
    ]);
    expect(items[0]).toEqual({
      platform: 'netflix',
      externalId: '1726272000:f61b813a00f0eb78',
      type: 'video',
      subtype: 'tv_episode',
      action: 'consumed',
      title: 'The Long Road',
      creator: 'Sand Hill',
      consumedAt: new Date('2024-09-14T00:00:00Z'),
      tags: [],
      contentId: 'f61b813a00f0eb78',
      ids: {},
      source: 'viewing-history',
      precision: 'day',
      rawMetadata: { rawTitle: 'Sand Hill: Season 2: The Long Road', confidence: 'high', season: 2 },
    });
  });

  test('the same title twice on a day is two items, the same file again the same two', async () => {
    const first = await importOf(fixture('NetflixViewingHistory.csv'));
    const again = await importOf(fixture('NetflixViewingHistory.csv'));
    expect(again.items).toEqual(first.items);
    expect(new Set(first.items.map(({ externalId }) => externalId)).size).toBe(6);
    expect(first.items[1]?.externalId).toBe(`${first.items[0]?.externalId}#2`);
  });

  test('a profile named by the host separates people', async () => {
    const { items } = await importOf(history(['"Blue Door","9/14/24"']), { profile: 'Ana' });
    expect(items[0]).toMatchObject({
      account: 'Ana',
      externalId: expect.stringMatching(/^Ana\/1726272000:[0-9a-f]{16}$/),
    });
  });

  test.each([
    ['localised header', 'Titel,Datum', ['"Blaue Tür","14.09.24"']],
    ['unknown localised header', 'Otsikko,Päivämäärä', ['"Blue Door","14.9.2024"', '"Blue Door","13.9.2024"']],
    ['columns the other way round', 'Date,Title', ['"9/14/24","Blue Door"']],
    ['semicolons', 'Title;Date', ['"Blue Door";"14/09/24"']],
    ['tabs', 'Title\tDate', ['Blue Door\t2024-09-14']],
    ['byte order mark and CRLF', '\uFEFFTitle,Date', ['"Blue Door","2024-09-14"\r']],
  ])('reads a %s', async (_, header, rows) => {
    const { items, errors, rejected } = await importOf(history(rows, header));
    expect([errors, rejected]).toEqual([[], []]);
    expect(items[0]?.consumedAt.toISOString()).toBe('2024-09-14T00:00:00.000Z');
  });

  test('header only is a success without items', async () => {
    expect(await importOf(history([]))).toMatchObject({ read: 0, items: [], errors: [], warnings: [] });
    expect(await importOf(fileOf('h.csv', 'Title,Date'))).toMatchObject({ read: 0, items: [], errors: [] });
  });

  test('bad rows are reported with their place; the others arrive', async () => {
    const { read, items, rejected } = await importOf(
      history([
        '"Blue Door","9/14/24"',
        '"Green Gate","2/30/24"',
        '"","9/13/24"',
        'one field',
        '"Red "Roof","9/12/24"',
        '"Last","tomorrow"',
        '"Ok","9/1/24"',
      ]),
    );
    expect([read, items.length]).toEqual([7, 2]);
    expect(
      rejected
        .map(({ reason, record, line }) => ({ reason, record, line }))
        .sort((a, b) => (a.record ?? 0) - (b.record ?? 0)),
    ).toEqual([
      { reason: 'invalid_date', record: 2, line: 3 },
      { reason: 'missing_title', record: 3, line: 4 },
      { reason: 'malformed_row', record: 4, line: 5 },
      { reason: 'malformed_row', record: 5, line: 6 },
      { reason: 'invalid_date', record: 6, line: 7 },
    ]);
    expect(JSON.stringify(rejected)).not.toMatch(/Green|Roof|Last|tomorrow/);
  });

  test('many bad rows behind good ones are all reported', async () => {
    const rows = [
      ...Array.from({ length: 5 }, () => '"Blue Door","9/14/24"'),
      ...Array.from({ length: 30 }, () => 'one field'),
    ];
    const { items, rejected, errors } = await importOf(history(rows));
    expect([items.length, rejected.length, errors]).toEqual([5, 30, []]);
  });

  test('strict mode refuses the first bad row', async () => {
    const file = history(['"Blue Door","9/14/24"', '"Green Gate","2/30/24"']);
    const { errors } = await collectImport(capability, [file], { strict: true });
    expect(errors).toEqual([
      expect.objectContaining({
        reason: 'bad_record',
        position: expect.objectContaining({ record: 2, line: 3, field: 'Date' }),
      }),
    ]);
  });

  test('ambiguous dates are refused before anything is read, unless the host decides', async () => {
    const file = history(['"Blue Door","3/2/24"', '"Green Gate","1/2/24"']);
    const refused = await importOf(file);
    expect(refused.items).toEqual([]);
    expect(refused.errors).toEqual([expect.objectContaining({ code: 'file_parse_error', reason: 'ambiguous_date' })]);
    expect((await importOf(file, { dateOrder: 'DMY' })).items[0]?.consumedAt).toEqual(new Date('2024-02-03T00:00:00Z'));
    const guessed = await importOf(file, { allowAmbiguous: true });
    expect(guessed.items[0]?.consumedAt).toEqual(new Date('2024-03-02T00:00:00Z'));
    expect(guessed.warnings).toHaveLength(1);
  });

  test('trailers are left out by name', async () => {
    const rows = [
      '"Season 2 Trailer: Sand Hill","9/14/24"',
      '"Sand Hill_hook_primary_16x9","9/14/24"',
      '"Paper Clip: A Story","9/14/24"',
    ];
    expect(await importOf(history(rows))).toMatchObject({
      skipped: { trailer: 2 },
      items: [{ title: 'Paper Clip: A Story' }],
    });
  });
});

describe('viewing activity', () => {
  test('becomes items to the second, with trailers and previews left out', async () => {
    const { read, items, rejected, errors, skipped } = await importOf(fixture('ViewingActivity.csv'));
    expect({ read, rejected, errors, skipped }).toEqual({
      read: 7,
      rejected: [],
      errors: [],
      skipped: { trailer: 2, autoplay_preview: 1 },
    });
    expect(items.map(lineOf)).toEqual([
      '2026-02-01T20:31:07.000Z | The Long Road | Sand Hill | tv_episode | season 2 | episode 3 | 2472000 ms | high | Ana',
      '2026-01-30T19:00:00.000Z | Blue Door | movie | 600000 ms | medium | Ana',
      '2026-01-28T18:05:09.000Z | King Arthur: Legend of the Sword | 7080000 ms | low | Ben',
      '2026-01-27T18:05:09.000Z | Sand Hill: The First Step | Sand Hill | tv_episode | episode 1 | 93601000 ms | medium | Ben',
    ]);
    expect(items[0]).toEqual({
      platform: 'netflix',
      externalId: 'Ana/1769977867:f61b813a00f0eb78',
      type: 'video',
      subtype: 'tv_episode',
      action: 'consumed',
      title: 'The Long Road',
      creator: 'Sand Hill',
      consumedAt: new Date('2026-02-01T20:31:07Z'),
      timeSpentMs: 2_472_000,
      tags: [],
      contentId: 'f61b813a00f0eb78',
      ids: {},
      source: 'viewing-activity',
      precision: 'second',
      account: 'Ana',
      rawMetadata: {
        rawTitle: 'Sand Hill: Season 2: The Long Road (Episode 3)',
        confidence: 'high',
        season: 2,
        episode: 3,
      },
    });
    expect(
      items.slice(1).map(({ rawMetadata: { autoplayed, hidden, branched } }) => ({ autoplayed, hidden, branched })),
    ).toEqual([{ autoplayed: 'User_Interaction' }, { hidden: true }, { branched: true }]);
  });

  test.each([
    [{ skip: { trailers: false } }, 5, { autoplay_preview: 2 }],
    [{ skip: { autoplayed: false } }, 5, { trailer: 2 }],
    [{ skip: { trailers: false, autoplayed: false } }, 7, {}],
    [{ skip: { hidden: true } }, 3, { trailer: 2, autoplay_preview: 1, hidden: 1 }],
    [{ skip: { shorterThanMs: 900_000 } }, 3, { trailer: 2, autoplay_preview: 1, too_short: 1 }],
    [{ profiles: ['Ben'] }, 2, { other_profile: 5 }],
    [{ profiles: ['Ben', 'Ana'] }, 4, { trailer: 2, autoplay_preview: 1 }],
  ] satisfies [NetflixOptions, number, Record<string, number>][])(
    '%j leaves %i items',
    async (options, count, skipped) => {
      const result = await importOf(fixture('ViewingActivity.csv'), options);
      expect([result.items.length, result.skipped]).toEqual([count, skipped]);
    },
  );

  test('trailers that are kept are called so', async () => {
    const { items } = await importOf(fixture('ViewingActivity.csv'), { skip: { trailers: false, autoplayed: false } });
    expect(
      items
        .filter(({ subtype }) => subtype === 'trailer')
        .map(({ title, rawMetadata }) => [title, rawMetadata.supplementalType]),
    ).toEqual([
      ['Sand Hill_hook_primary_16x9', 'HOOK'],
      ['Season 1 Trailer: Sand Hill', undefined],
    ]);
  });

  test('factory defaults hold, options of the import go on top', async () => {
    const strict = netflix({ skip: { hidden: true, trailers: false } }).capabilities.fileImport;
    const file = fixture('ViewingActivity.csv');
    expect((await collectImport(strict, [file])).skipped).toEqual({ autoplay_preview: 2, hidden: 1 });
    expect((await collectImport(strict, [file], { options: { skip: { hidden: false } } })).skipped).toEqual({
      autoplay_preview: 2,
    });
  });

  test('an unknown profile is refused before the first item, naming those there are', async () => {
    await expect(importOf(fixture('ViewingActivity.csv'), { profiles: ['Anna', 'Ben'] })).rejects.toMatchObject({
      code: 'not_found',
      reason: 'unknown_profile',
      message: expect.stringContaining('Anna'),
      hint: 'Profiles in the file: Ana, Ben.',
    });
  });

  test('columns are found by name, in any order, and by position when the names are unknown', async () => {
    const moved = activity(['2026-02-01 20:31:07,Blue Door,Ana'], 'Start Time,Title,Profile Name');
    expect((await importOf(moved)).items).toMatchObject([{ title: 'Blue Door', account: 'Ana' }]);
    const translated = activity(
      ['Ana,2026-02-01 20:31:07,00:41:12,,Blaue Tür,,TV,00:42:00,00:42:00,DE'],
      'Profil,Startzeit,Dauer,Merkmale,Titel,Art,Gerät,Lesezeichen,Letztes,Land',
    );
    expect((await importOf(translated)).items).toMatchObject([
      { title: 'Blaue Tür', account: 'Ana', timeSpentMs: 2_472_000 },
    ]);
  });

  test.each([
    ['Ana,2026-02-30 20:31:07,00:41:12,,Blue Door,,TV,,,', 'invalid_date', 'Start Time'],
    ['Ana,2026-02-01 24:31:07,00:41:12,,Blue Door,,TV,,,', 'invalid_date', 'Start Time'],
    ['Ana,2026-02-01 20:31,00:41:12,,Blue Door,,TV,,,', 'invalid_date', 'Start Time'],
    ['Ana,2/1/2026 20:31:07,00:41:12,,Blue Door,,TV,,,', 'invalid_date', 'Start Time'],
    ['Ana,1999-02-01 20:31:07,00:41:12,,Blue Door,,TV,,,', 'implausible_date', 'Start Time'],
    ['Ana,2031-02-01 20:31:07,00:41:12,,Blue Door,,TV,,,', 'implausible_date', 'Start Time'],
    ['Ana,2026-02-01 20:31:07,41 min,,Blue Door,,TV,,,', 'invalid_duration', 'Duration'],
    ['Ana,2026-02-01 20:31:07,00:41:60,,Blue Door,,TV,,,', 'invalid_duration', 'Duration'],
    ['Ana,2026-02-01 20:31:07,00:41:12,, ,,TV,,,', 'missing_title', 'Title'],
    [`Ana,2026-02-01 20:31:07,00:41:12,,${'x'.repeat(2000)},,TV,,,`, 'title_too_long', 'Title'],
    [`${'x'.repeat(300)},2026-02-01 20:31:07,00:41:12,,Blue Door,,TV,,,`, 'invalid_profile', 'Profile Name'],
    ['Ana,2026-02-01 20:31:07,00:41:12,,Blue Door', 'malformed_row', undefined],
  ])('%s is %s', async (row, reason, field) => {
    const good = 'Ana,2026-02-01 20:31:07,00:41:12,,Blue Door,,TV,,,';
    const { items, rejected } = await importOf(activity([good, row, good]));
    expect(items).toHaveLength(2);
    expect(rejected).toEqual([expect.objectContaining({ reason, field, record: 2, line: 3 })]);
  });

  test('a file without data, also as a text note, is a success without items', async () => {
    expect(await importOf(activity([]))).toMatchObject({ read: 0, items: [], errors: [] });
    const note = await importOf(fileOf('ViewingActivity.txt', 'You have no data of this kind.\nReally, "none.\n'));
    expect(note).toMatchObject({ read: 0, items: [], errors: [], warnings: [expect.stringContaining('no data')] });
  });

  test('device, country and addresses never reach an item', async () => {
    const { items } = await importOf(fixture('ViewingActivity.csv'), { skip: { trailers: false, autoplayed: false } });
    expect(JSON.stringify(items)).not.toMatch(/Samsung|Chrome|iPhone|France|Germany|FR \(/);
  });
});

test('short and full format agree on title and content of one view', async () => {
  const short = await importOf(
    history([
      '"Sand Hill: Season 2: The Long Road","9/14/24"',
      '"Sand Hill: The First Step","9/13/24"',
      '"Lupin\u00a0: Chapitre 1","9/12/24"',
    ]),
  );
  const row = (title: string) => `Ana,2024-09-14 20:31:07,00:41:12,,"${title} (Episode 3)",,TV,,,`;
  const full = await importOf(
    activity(['Sand Hill: Season 2: The Long Road', 'Sand Hill: The First Step', 'Lupin : Chapitre 1'].map(row)),
  );
  const contentOf = ({ items }: typeof full) => items.map(({ contentId, title, type }) => ({ contentId, title, type }));
  expect(contentOf(full)).toEqual(contentOf(short));
});

test.each([{ dateOrder: 'DYM' }, { skip: { short: true } }, { dateordr: 'MDY' }, { profiles: [] }])(
  'the option %j is refused',
  async (options) => {
    const checked = await capability.options['~standard'].validate(options);
    expect(checked.issues?.length).toBeGreaterThan(0);
  },
);

test('sources are declared', () => {
  expect(Object.entries(capability.sources).map(([id, { rank, precision }]) => [id, rank, precision])).toEqual([
    ['viewing-activity', 2, 'second'],
    ['viewing-history', 1, 'day'],
    ['ratings', 3, 'second'],
  ]);
});
