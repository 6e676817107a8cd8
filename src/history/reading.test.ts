import {
  createRegistry,
  deleteItem,
  eraseUser,
  importFile,
  iterateItems,
  listImports,
  queryItems,
  readChanges,
  summarise,
  timeline,
  topGroups,
  undoImport,
} from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { netflix } from '@mca/core/providers/netflix';
import { spotify } from '@mca/core/providers/spotify';
import { describe, expect, test } from 'vitest';
import { accountData, history, play, plays } from '../../test/support/spotify-rows.ts';
import { fileOf } from '../testing/import-files.ts';

const userId = 'ana';
const open = () => createRegistry({ providers: [spotify(), netflix()], ...memory() });

describe('coarse and fine exports of one account', () => {
  const count = async (registry: ReturnType<typeof open>, resolve?: 'all') =>
    (await summarise(registry, { userId, resolve })).items;

  test('do not count twice in reads, in either order, and every row is kept', async () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const registry = open();
      const files = [history(plays(0, 200)), accountData(plays(100, 200))];
      for (const index of order) await importFile(registry, { userId, file: files[index] ?? [] });
      expect(await count(registry)).toBe(200);
      expect(await count(registry, 'all')).toBe(300);
      const months = await timeline(registry, { userId, by: 'month' });
      expect(months.reduce((sum, { items }) => sum + items, 0)).toBe(200);
    }
  });

  test('the coarse one shows outside what the fine one covers', async () => {
    const registry = open();
    await importFile(registry, { userId, file: accountData(plays(0, 300)) });
    await importFile(registry, { userId, file: history(plays(0, 100)) });
    await importFile(registry, { userId, file: history(plays(200, 250), 'Streaming_History_Audio_2021_1.json') });
    expect(await count(registry)).toBe(300);
    expect((await topGroups(registry, { userId, by: 'source' })).map(({ value, items }) => [value, items])).toEqual([
      ['account-data', 150],
      ['extended-history', 150],
    ]);
  });

  test('undoing the fine import brings the coarse rows back', async () => {
    const registry = open();
    await importFile(registry, { userId, file: accountData(plays(0, 50)) });
    const { importId = '' } = await importFile(registry, { userId, file: history(plays(0, 50)) });
    await undoImport(registry, { userId, importId });
    expect(await topGroups(registry, { userId, by: 'source' })).toMatchObject([{ value: 'account-data', items: 50 }]);
  });

  test('another account hides nothing', async () => {
    const registry = open();
    await importFile(registry, { userId, file: accountData(plays(0, 50)), account: 'home' });
    await importFile(registry, { userId, file: history(plays(0, 50)), account: 'work' });
    expect(await count(registry)).toBe(100);
  });

  test('Netflix: days of the short file against moments of the full one, whatever the zone', async () => {
    const header =
      'Profile Name,Start Time,Duration,Attributes,Title,Supplemental Video Type,Device Type,Bookmark,Latest Bookmark,Country';
    const view = (time: string, title: string) =>
      `Ana,${time},00:40:00,,"${title}",,TV,00:40:00,00:40:00,US (United States)`;
    // Seen in Los Angeles in the evening, which is the next day in UTC.
    const full = [
      view('2024-03-04 03:00:00', 'Sand Hill: Season 1: Wells (Episode 2)'),
      view('2024-03-02 04:00:00', 'Sand Hill: Season 1: Pilot (Episode 1)'),
    ];
    const short = [
      '"Blue Door","3/20/24"',
      '"Sand Hill: Season 1: Wells","3/3/24"',
      '"Sand Hill: Season 1: Pilot","3/1/24"',
      '"Low Water: Season 1: Neap","2/28/24"',
    ];
    const registry = open();
    await importFile(registry, {
      userId,
      file: fileOf('NetflixViewingHistory.csv', ['Title,Date', ...short, ''].join('\n')),
    });
    await importFile(registry, { userId, file: fileOf('ViewingActivity.csv', [header, ...full, ''].join('\n')) });
    const titles = (await Array.fromAsync(iterateItems(registry, { userId }))).map(
      ({ title, source }) => `${title} ${source}`,
    );
    expect(titles).toEqual([
      'Blue Door viewing-history',
      'Wells viewing-activity',
      'Pilot viewing-activity',
      'Neap viewing-history',
    ]);
  });
});

describe('timeline', () => {
  test('cuts at midnight of the zone, clock changes included, and leaves calendar days where they are', async () => {
    const registry = open();
    const at = (ts: string) => play(0, { ts, ms_played: 0, spotify_track_uri: `spotify:track:${ts}` });
    await importFile(registry, {
      userId,
      file: history([
        at('2024-03-30T22:59:59Z'),
        at('2024-03-30T23:00:00Z'),
        at('2024-03-31T21:59:59Z'),
        at('2024-03-31T22:00:00Z'),
      ]),
    });
    await importFile(registry, {
      userId,
      file: fileOf('NetflixViewingHistory.csv', 'Title,Date\n"Blue Door","31/3/24"\n'),
    });
    const days = async (timeZone: string) =>
      (await timeline(registry, { userId, by: 'day', timeZone })).map(({ date, items }) => `${date} ${items}`);
    expect(await days('Europe/Berlin')).toEqual(['2024-03-30 1', '2024-03-31 3', '2024-04-01 1']);
    expect(await days('UTC')).toEqual(['2024-03-30 2', '2024-03-31 3']);
    expect(await days('Pacific/Kiritimati')).toEqual(['2024-03-31 3', '2024-04-01 2']);
    await expect(days('Mars/Olympus')).rejects.toMatchObject({ code: 'invalid_data', reason: 'unknown_time_zone' });
  });

  test('has every bucket between first and last, and weeks begin on Monday', async () => {
    const registry = open();
    await importFile(registry, {
      userId,
      file: history([play(0, { ts: '2024-01-03T12:00:00Z' }), play(1, { ts: '2024-01-22T12:00:00Z' })]),
    });
    const weeks = await timeline(registry, { userId, by: 'week' });
    expect(weeks.map(({ date, items }) => `${date} ${items}`)).toEqual([
      '2024-01-01 1',
      '2024-01-08 0',
      '2024-01-15 0',
      '2024-01-22 1',
    ]);
    expect((await timeline(registry, { userId, by: 'year' })).map(({ date }) => date)).toEqual(['2024-01-01']);
    expect(await timeline(registry, { userId: 'nobody', by: 'day' })).toEqual([]);
  });
});

describe('query', () => {
  test('pages without gap or repeat, forwards and backwards', async () => {
    const registry = open();
    await importFile(registry, { userId, file: history(plays(0, 95)) });
    const walk = async (order: 'newest' | 'oldest') => {
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await queryItems(registry, { userId, order, limit: 10, cursor });
        seen.push(...page.items.map(({ externalId }) => externalId));
        cursor = page.nextCursor;
      } while (cursor);
      return seen;
    };
    const newest = await walk('newest');
    expect(newest).toHaveLength(95);
    expect(new Set(newest).size).toBe(95);
    expect(await walk('oldest')).toEqual(newest.toReversed());
  });

  test('refuses what makes no sense', async () => {
    const registry = open();
    await expect(queryItems(registry, { userId, limit: 0 })).rejects.toMatchObject({
      code: 'invalid_data',
      reason: 'invalid_limit',
    });
    await expect(queryItems(registry, { userId, cursor: 'e30' })).rejects.toMatchObject({
      code: 'invalid_data',
      reason: 'cursor_invalid',
    });
    await expect(queryItems(registry, { userId, from: new Date('?') })).rejects.toMatchObject({
      code: 'invalid_data',
      reason: 'invalid_date',
    });
  });
});

describe('taking back', () => {
  test('an import can be undone, once, and imported again', async () => {
    const registry = open();
    const before = await importFile(registry, { userId, file: history(plays(0, 40)) });
    const { importId = '' } = await importFile(registry, { userId, file: history(plays(30, 60)) });
    const report = await undoImport(registry, { userId, importId });
    expect(report.removed).toBe(20);
    expect(report.overlapping.map(({ id }) => id)).toEqual([before.importId]);
    expect((await undoImport(registry, { userId, importId })).removed).toBe(0);
    expect((await listImports(registry, { userId })).map(({ status }) => status).sort()).toEqual([
      'complete',
      'undone',
    ]);
    expect((await importFile(registry, { userId, file: history(plays(30, 60)) })).counts).toMatchObject({
      inserted: 20,
      unchanged: 10,
    });
    await expect(undoImport(registry, { userId, importId: 'nothing' })).rejects.toMatchObject({
      code: 'not_found',
      reason: 'unknown_import',
    });
  });

  test('an import that is undone while it runs stops', async () => {
    const registry = open();
    let undone = false;
    const report = await importFile(registry, {
      userId,
      file: history(plays(0, 20_000)),
      async onProgress({ importId, counts }) {
        if (counts.inserted === 0 || undone) return;
        undone = true;
        await undoImport(registry, { userId, importId });
      },
    });
    expect(report).toMatchObject({ status: 'failed', error: { code: 'storage', reason: 'lease_lost' } });
    expect((await summarise(registry, { userId })).items).toBe(0);
  });

  test('a deleted item stays deleted', async () => {
    const registry = open();
    const file = history(plays(0, 5));
    await importFile(registry, { userId, file });
    const [item] = (await queryItems(registry, { userId })).items;
    if (!item) throw new Error('nothing stored');
    expect(await deleteItem(registry, item)).toBe(true);
    expect(await deleteItem(registry, item)).toBe(false);
    expect((await importFile(registry, { userId, file })).counts).toMatchObject({ inserted: 0, unchanged: 5 });
    expect((await queryItems(registry, { userId })).items).toHaveLength(4);
  });

  test('the feed tells everything that happened', async () => {
    const registry = open();
    const { importId = '' } = await importFile(registry, { userId, file: history(plays(0, 10)) });
    const first = await readChanges(registry, { limit: 4 });
    expect(first.changes.map(({ type }) => type)).toEqual(['stored', 'stored', 'stored', 'stored']);
    const rest = await readChanges(registry, { after: first.nextSequence });
    expect(rest.changes).toHaveLength(6);
    await undoImport(registry, { userId, importId });
    const after = await readChanges(registry, { after: rest.nextSequence });
    expect(new Set(after.changes.map(({ type }) => type))).toEqual(new Set(['removed']));
    expect(after.changes).toHaveLength(10);
  });

  test('erasing leaves nothing of the user', async () => {
    const { storage, credentials } = memory();
    const registry = createRegistry({ providers: [spotify()], storage, credentials });
    const { connectionId = '' } = await importFile(registry, { userId, file: history(plays(0, 10)) });
    await importFile(registry, { userId: 'rui', file: history(plays(0, 3)) });
    await credentials.put(connectionId, 'mca1.sealed', undefined);
    expect(await eraseUser(registry, { userId })).toEqual({ items: 10 });
    expect(await credentials.get(connectionId)).toBeUndefined();
    expect(await listImports(registry, { userId })).toEqual([]);
    expect(
      (await readChanges(registry)).changes.every((change) => change.type === 'stored' && change.item.userId === 'rui'),
    ).toBe(true);
  });
});

describe('what reads must neither lose nor double', () => {
  const header =
    'Profile Name,Start Time,Duration,Attributes,Title,Supplemental Video Type,Device Type,Bookmark,Latest Bookmark,Country';
  const view = (profile: string, day: number) =>
    `${profile},2024-03-${String(day).padStart(2, '0')} 20:00:00,00:40:00,,"Sand Hill: Season 1: Part ${day}",,TV,00:40:00,00:40:00,US (United States)`;

  test('one profile hides nothing of another', async () => {
    const registry = open();
    const full = [header, ...[1, 5, 9].map((day) => view('Ana', day)), ...[2, 6].map((day) => view('Rui', day)), ''];
    const short = ['Title,Date', '"Blue Door","3/6/24"', '"Low Water","3/5/24"', '"Wells","3/13/24"', ''];
    await importFile(registry, {
      userId,
      provider: 'netflix',
      file: fileOf('ViewingActivity.csv', full.join('\n')),
      options: { profiles: ['Ana'] },
    });
    await importFile(registry, {
      userId,
      provider: 'netflix',
      file: fileOf('NetflixViewingHistory.csv', short.join('\n')),
      options: { profile: 'Rui' },
    });
    expect((await queryItems(registry, { userId })).items).toHaveLength(6);
  });

  test('a file with a few rows years apart claims nothing in between, and neither does one that broke off', async () => {
    const registry = open();
    const at = (ts: string, name: string) => play(0, { ts, spotify_track_uri: `spotify:track:${name}` });
    await importFile(registry, { userId, file: accountData(plays(0, 50)) });
    const sparse = history([at('2015-01-01T10:00:00Z', 'a'), at('2024-01-01T10:00:00Z', 'b')]);
    const damaged = fileOf('Streaming_History_Audio_2020.json', JSON.stringify(plays(0, 50)).slice(0, -20));
    await importFile(registry, { userId, file: [sparse, { ...damaged, name: 'endsong_7.json' }] });
    expect(
      (await topGroups(registry, { userId, by: 'source' })).map(({ value, items }) => `${value} ${items}`),
    ).toEqual(expect.arrayContaining(['extended-history 51']));
  });

  test('an import that was cancelled half-way still does not count twice', async () => {
    const registry = open();
    await importFile(registry, { userId, file: accountData(plays(0, 9_000)) });
    const controller = new AbortController();
    const report = await importFile(registry, {
      userId,
      file: history(plays(0, 9_000)),
      signal: controller.signal,
      onProgress: ({ counts }) => counts.inserted > 0 && controller.abort(),
    });
    expect(report.status).toBe('cancelled');
    expect((await summarise(registry, { userId })).items).toBe(9_000);
  });

  test('undoing one of two overlapping imports lets the coarse rows show again', async () => {
    const registry = open();
    await importFile(registry, { userId, file: accountData(plays(0, 300)) });
    const { importId = '' } = await importFile(registry, { userId, file: history(plays(0, 200)) });
    await importFile(registry, { userId, file: history(plays(100, 300)) });
    const { overlapping } = await undoImport(registry, { userId, importId });
    expect(overlapping).toHaveLength(2);
    expect((await summarise(registry, { userId })).items).toBe(300);
  });

  test('listImports is newest first', async () => {
    const registry = open();
    for (const name of ['endsong_0.json', 'endsong_1.json'])
      await importFile(registry, { userId, file: history(plays(0, 3), name) });
    expect((await listImports(registry, { userId })).map(({ files }) => files[0])).toEqual([
      'endsong_1.json',
      'endsong_0.json',
    ]);
  });

  test('a short CSV and its browser copy in one folder are one history', async () => {
    const registry = open();
    const csv = 'Title,Date\n"Blue Door","3/20/24"\n"Blue Door","3/20/24"\n"Wells","3/13/24"\n';
    const files = [fileOf('NetflixViewingHistory.csv', csv), fileOf('NetflixViewingHistory (1).csv', csv)];
    const report = await importFile(registry, { userId, file: files });
    expect(report.counts).toMatchObject({ read: 6, inserted: 3, unchanged: 3 });
  });

  test('two files of one name do not hide each other', async () => {
    const registry = open();
    const damaged = fileOf('endsong_0.json', JSON.stringify(plays(0, 9)).slice(0, -9));
    const report = await importFile(registry, { userId, file: [damaged, history(plays(20, 29), 'endsong_0.json')] });
    expect(report).toMatchObject({ status: 'partial', error: { reason: 'damaged_files' } });
    expect(report.files.map(({ name }) => name)).toEqual(['endsong_0.json', 'endsong_0.json (2)']);
  });

  test('a source that hangs while it is being recognised can be cancelled, one that fails is a typed error', async () => {
    const registry = open();
    const controller = new AbortController();
    const hanging = {
      name: 'upload',
      open: () => {
        controller.abort();
        return new Promise<never>(() => {});
      },
    };
    await expect(importFile(registry, { userId, file: hanging, signal: controller.signal })).rejects.toMatchObject({
      code: 'cancelled',
    });
    const failing = {
      name: 'upload',
      open: () => {
        throw new Error('EACCES /home/ana/secret');
      },
    };
    await expect(importFile(registry, { userId, file: failing })).rejects.toMatchObject({
      code: 'file_parse_error',
      reason: 'file_unreadable',
    });
    await expect(importFile(registry, { userId, provider: 'spotify', file: failing })).rejects.toMatchObject({
      code: 'file_parse_error',
      reason: 'file_unreadable',
    });
  });
});
