import { readFileSync } from 'node:fs';
import type { MediaItem } from '@mca/core/provider-kit';
import { describe, expect, test } from 'vitest';
import { collectImport, fileOf } from '../../src/testing/import-files.ts';
import { type TikTokOptions, tiktok } from './index.ts';

const capability = tiktok().capabilities.fileImport;

function fixture(name: string) {
  return fileOf(name, readFileSync(new URL(`__fixtures__/${name}`, import.meta.url)), 333);
}

const importOf = (file: ReturnType<typeof fileOf>, options?: TikTokOptions) =>
  collectImport(capability, [file], { options });
const importJson = (value: unknown, options?: TikTokOptions) =>
  importOf(fileOf('user_data_tiktok.json', JSON.stringify(value)), options);
const link = (id: string): string => `https://www.tiktokv.com/share/video/${id}/`;
const watched = (...rows: unknown[]) => ({ 'Your Activity': { 'Watch History': { VideoList: rows } } });

/** What matters of an item, in one line. */
function lineOf({ externalId, subtype, action, title, creator, rawMetadata }: MediaItem): string {
  return [rawMetadata.section, action, subtype, externalId, title, creator]
    .filter((part) => part !== undefined)
    .join(' | ');
}

describe('the three layouts', () => {
  test('G1, "Activity" (to about 2024)', async () => {
    const { items, skipped, rejected, errors, warnings } = await importOf(fixture('g1-user_data.json'));
    expect({ skipped, rejected, errors, warnings }).toEqual({ skipped: {}, rejected: [], errors: [], warnings: [] });
    expect(items.map(lineOf).sort()).toEqual([
      'favorites | saved | short_video | saved:7201234567890123458 | TikTok video 7201234567890123458',
      'likes | liked | short_video | liked:7201234567890123456 | TikTok video 7201234567890123456 | potter',
      'watch | consumed | short_video | 1678827720:7201234567890123456 | TikTok video 7201234567890123456',
      'watch | consumed | short_video | 1678827791:7201234567890123457 | TikTok video 7201234567890123457',
    ]);
  });

  test('G2, "Your Activity" with everything in it (about 2024 to 2025)', async () => {
    const { items, skipped } = await importOf(fixture('g2-user_data_tiktok.json'));
    expect(skipped).toEqual({ deleted: 1, placeholder: 1 });
    expect(items.map(lineOf).sort()).toEqual([
      'likes | liked | short_video | liked:7301234567890123457 | TikTok video 7301234567890123457',
      'watch | consumed | short_video | 1730500810:ZMabc1234 | TikTok video ZMabc1234',
      'watch | consumed | short_video | 1730531700:7301234567890123457 | How to tie a bowline',
    ]);
  });

  test('G3, likes under "Likes and Favorites" (2026)', async () => {
    const { items, skipped, rejected } = await importOf(fixture('g3-user_data_tiktok.json'));
    expect({ skipped, rejected }).toEqual({ skipped: { placeholder: 1 }, rejected: [] });
    expect(items.map(lineOf).sort()).toEqual([
      'favorites | saved | short_video | saved:7301234567890123458 | TikTok video 7301234567890123458',
      'likes | liked | photo | liked:7301234567890123999 | TikTok video 7301234567890123999 | potter',
      'likes | liked | short_video | liked:7301234567890123456 | TikTok video 7301234567890123456',
      'live | consumed | live | 1775073600:7643768707189771030 | TikTok live 7643768707189771030 | singer',
      'watch | consumed | short_video | 1778792520:7301234567890123457 | Knots for sailors',
      'watch | consumed | short_video | 1778792591:7301234567890123456 | TikTok video 7301234567890123456',
    ]);
    expect(items.find(({ subtype }) => subtype === 'live')?.url).toBe('https://www.tiktok.com/@singer/live');
  });

  test('an item in full', async () => {
    const { items } = await importJson(
      watched({ Date: '2026-05-14 21:03:11', Link: `${link('7301234567890123456')}?u_code=me`, Title: '' }),
    );
    expect(items).toEqual([
      {
        platform: 'tiktok',
        externalId: '1778792591:7301234567890123456',
        type: 'video',
        subtype: 'short_video',
        action: 'consumed',
        title: 'TikTok video 7301234567890123456',
        consumedAt: new Date('2026-05-14T21:03:11Z'),
        tags: [],
        url: link('7301234567890123456'),
        contentId: '7301234567890123456',
        ids: { tiktok: '7301234567890123456' },
        source: 'user-data',
        precision: 'second',
        rawMetadata: { section: 'watch' },
      },
    ]);
  });

  test('messages, comments, searches, own posts, addresses and names of the account never reach an item', async () => {
    for (const name of ['g1-user_data.json', 'g2-user_data_tiktok.json', 'g3-user_data_tiktok.json']) {
      const { items } = await importOf(fixture(name));
      expect(JSON.stringify(items)).not.toMatch(/canary|203\.0\.113|7100000000000000001|enter_from/);
    }
  });

  test('a byte order mark does no harm', async () => {
    const text = readFileSync(new URL('__fixtures__/g3-user_data_tiktok.json', import.meta.url), 'utf8');
    expect((await importOf(fileOf('user_data_tiktok.json', `\uFEFF${text}`))).items).toHaveLength(6);
  });
});

describe('sections', () => {
  const row = (id: string) => ({ date: '2026-05-14 21:04:00', link: link(id) });

  test('one that stands under two roots counts once, from the newer place, whatever their order', async () => {
    const old = {
      'Your Activity': { 'Like List': { ItemFavoriteList: [row('7301234567890123451'), row('7301234567890123452')] } },
    };
    const now = {
      'Likes and Favorites': {
        'Like List': { ItemFavoriteList: [row('7301234567890123452'), row('7301234567890123453')] },
      },
    };
    for (const value of [
      { ...old, ...now },
      { ...now, ...old },
    ]) {
      const { read, items, skipped } = await importJson(value);
      expect([read, skipped, items.map(({ contentId }) => contentId)]).toEqual([
        4,
        { duplicate_section: 2 },
        ['7301234567890123452', '7301234567890123453'],
      ]);
    }
  });

  test.each([[null], [[]], [{}], [''], ['N/A'], ['None'], [undefined]])(
    '%j in the newer place leaves it to the older one',
    async (empty) => {
      const value = {
        'Likes and Favorites': { 'Like List': { App: 1233, ItemFavoriteList: empty } },
        'Your Activity': { 'Like List': { ItemFavoriteList: [row('7301234567890123451')] }, 'Watch History': empty },
      };
      const { items, errors, warnings } = await importJson(value);
      expect([items.length, errors, warnings]).toEqual([1, [], []]);
    },
  );

  test.each([[null], [[]], [{}], [''], ['N/A'], [undefined]])(
    'all %j is a success without items, with a warning',
    async (empty) => {
      const { read, errors, warnings } = await importJson({
        'Your Activity': { 'Watch History': { VideoList: empty } },
        'TikTok Live': empty,
      });
      expect([read, errors]).toEqual([0, []]);
      expect(warnings).toEqual([expect.stringContaining('empty')]);
    },
  );

  test('a list that stands twice, and unknown siblings, do no harm', async () => {
    const text = `{"Your Activity":{"Off TikTok Activity":{},"Off TikTok Activity":{"x":[{}]},"Who can see your following list::":"a",
      "Watch History":{"IsFastLane":true,"VideoList":[{"Date":"2026-05-14 21:03:11","Link":"${link('7301234567890123456')}"}]}}}`;
    expect((await importOf(fileOf('user_data_tiktok.json', text))).items).toHaveLength(1);
  });

  test('each can be turned off', async () => {
    const sections = { watch: false, live: false };
    const { items, skipped } = await importOf(fixture('g3-user_data_tiktok.json'), { sections });
    expect(items.map(({ action }) => action).sort()).toEqual(['liked', 'liked', 'saved']);
    expect(skipped).toEqual({ section_off: 4 });
  });

  test('junk among the live streams is left out', async () => {
    const WatchLiveMap = {
      '-1': { WatchTime: '2026-04-01 19:00:00' },
      '7643768707189771031': { WatchTime: 'N/A' },
      '7643768707189771032': { WatchTime: 'soon' },
      abc: { WatchTime: '2026-04-01 19:00:00' },
      '7643768707189771033': {
        WatchTime: '2026-04-01 19:00:00 UTC',
        Link: '',
        Comments: [{ CommentContent: 'canary' }],
      },
    };
    const { items, skipped, rejected } = await importJson({
      'Tiktok Live': { 'Watch Live History': { WatchLiveMap } },
    });
    expect(items.map(({ contentId }) => contentId)).toEqual(['7643768707189771033']);
    expect(skipped).toEqual({ placeholder: 2 });
    expect(rejected.map(({ reason }) => reason)).toEqual(['invalid_date', 'invalid_id']);
  });
});

describe('rows', () => {
  test.each([
    ['2026-05-14 21:03:11'],
    ['2026-05-14 21:03:11 UTC'],
    ['2026-05-14T21:03:11Z'],
    ['2026-05-14T21:03:11.000Z'],
    [' 2026-05-14 21:03:11 '],
  ])('R-061 %j is UTC', async (date) => {
    const { items } = await importJson(watched({ Date: date, Link: link('7301234567890123456') }));
    expect(items[0]?.consumedAt.toISOString()).toBe('2026-05-14T21:03:11.000Z');
  });

  test.each([
    '2026-02-30 21:03:11',
    '2026-05-14 24:03:11',
    '2026-05-14',
    '2026-05-14 21:03',
    '14.05.2026 21:03:11',
    '26-05-14 21:03:11 UTC',
    'yesterday',
    1778792591,
    true,
    {},
  ])('R-061 the date %j is rejected, not guessed', async (date) => {
    const { items, rejected } = await importJson(
      watched(
        { Date: '2026-05-14 21:03:11', Link: link('7301234567890123456') },
        { Date: date, Link: link('7301234567890123456') },
      ),
    );
    expect(items).toHaveLength(1);
    expect(rejected).toEqual([
      expect.objectContaining({ reason: 'invalid_date', field: 'Date', record: 2, file: 'user_data_tiktok.json' }),
    ]);
  });

  test.each([
    [{ Date: 'N/A', Link: link('7301234567890123456') }, 'placeholder'],
    [{ Date: '', Link: '' }, 'placeholder'],
    [{}, 'placeholder'],
    [{ Date: '2026-05-14 21:03:11', Link: '' }, 'deleted'],
    [{ Date: '2026-05-14 21:03:11', Link: 'N/A' }, 'deleted'],
    [{ Date: '2026-05-14 21:03:11', Link: null }, 'deleted'],
    [{ Date: '2026-05-14 21:03:11' }, 'deleted'],
  ])('%j is left out as %s', async (row, reason) => {
    expect(await importJson(watched(row))).toMatchObject({ items: [], rejected: [], skipped: { [reason]: 1 } });
  });

  test.each([
    ['https://www.tiktokv.com/share/video/7301234567890123456/', '7301234567890123456', undefined, 'short_video'],
    ['https://www.tiktok.com/@potter/video/7301234567890123456', '7301234567890123456', 'potter', 'short_video'],
    [
      'https://www.tiktok.com/@po.tter_1/photo/7301234567890123456?lang=en',
      '7301234567890123456',
      'po.tter_1',
      'photo',
    ],
    ['https://www.tiktok.com/@_/video/7301234567890123456', '7301234567890123456', undefined, 'short_video'],
    ['https://m.tiktok.com/v/7301234567890123456.html', '7301234567890123456', undefined, 'short_video'],
    ['https://vm.tiktok.com/ZMabc1234/', 'ZMabc1234', undefined, 'short_video'],
    ['https://www.tiktok.com/t/ZTabc1234/', 'ZTabc1234', undefined, 'short_video'],
  ])('reads the link %s', async (Link, id, creator, subtype) => {
    const { items } = await importJson(watched({ Date: '2026-05-14 21:03:11', Link }));
    expect(items).toMatchObject([{ contentId: id, subtype }]);
    expect(items[0]?.creator).toBe(creator);
    expect(items[0]?.ids).toEqual(/^\d+$/.test(id) ? { tiktok: id } : {});
  });

  test.each([
    'https://www.tiktok.com/foryou',
    'https://evil.example/video/7301234567890123456',
    'https://tiktok.com.evil.example/video/7301234567890123456',
    'javascript:alert(1)//www.tiktok.com/v/7301234567890123456',
    'https://www.tiktok.com/@potter',
    17,
    [],
  ])('the link %j is rejected', async (Link) => {
    const good = { Date: '2026-05-14 21:03:11', Link: link('7301234567890123456') };
    const { items, rejected } = await importJson(watched(good, { ...good, Link }));
    expect(items).toHaveLength(1);
    expect(rejected).toEqual([expect.objectContaining({ reason: 'invalid_link', record: 2, field: 'Link' })]);
  });

  test('records that are no objects, or no JSON, are reported with their place', async () => {
    const good = `{"Date":"2026-05-14 21:03:11","Link":"${link('7301234567890123456')}"}`;
    const text = `{"Your Activity":{"Watch History":{"VideoList":[\n${good},\n"text",\n{"Date": oops},\n${good}]}}}`;
    const { read, items, rejected } = await importOf(fileOf('user_data_tiktok.json', text));
    expect([read, items.length]).toEqual([4, 2]);
    expect(rejected.map(({ reason, record, line }) => [reason, record, line]).sort()).toEqual([
      ['malformed_json', 3, 4],
      ['not_an_object', 2, undefined],
    ]);
  });

  test('replays are kept unless the host says otherwise', async () => {
    const at = (time: string, id = '7301234567890123456') => ({ Date: `2026-05-14 ${time}`, Link: link(id) });
    const rows = watched(
      at('21:05:00'),
      at('21:04:30'),
      at('21:04:00'),
      at('21:03:50', '7301234567890123457'),
      at('21:03:45'),
    );
    expect((await importJson(rows)).items).toHaveLength(5);
    const { items, skipped } = await importJson(rows, { skip: { replaysWithinMs: 60_000 } });
    expect([items.map(({ consumedAt }) => consumedAt.toISOString().slice(14, 19)), skipped]).toEqual([
      ['05:00', '03:50', '03:45'],
      { replay: 2 },
    ]);
  });
});

test.each([
  { sections: { posts: true } },
  { skips: {} },
  { skip: { replaysWithinMs: -1 } },
  { sections: { watch: 'yes' } },
])('the option %j is refused', async (options) => {
  const checked = await capability.options['~standard'].validate(options);
  expect(checked.issues?.length).toBeGreaterThan(0);
});
