import { DatabaseSync } from 'node:sqlite';
import { addConnection, createRegistry, importFile, queryItems, recogniseFile, syncHistory } from '@mca/core';
import { sqlite } from '@mca/core/adapters/sqlite';
import { listenbrainz } from '@mca/core/providers/listenbrainz';
import { mcaExport } from '@mca/core/providers/mca-export';
import { collectImport, fakeClock, fileImportConformance, fileOf, makeZip } from '@mca/core/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { type FakeListen, ListenBrainzServer, TOKEN, wireForm } from './__fixtures__/server.ts';

const NOW = Date.UTC(2026, 0, 10);
const T0 = NOW / 1_000 - 40 * 86_400;
const fileImport = listenbrainz().capabilities.fileImport;

// Loaded when first needed: a fake clock would take that for a service that keeps one waiting.
beforeAll(() => Promise.all([import('ky'), import('p-retry')]));

const listens = (count: number, from = 0): FakeListen[] =>
  Array.from({ length: count }, (_, index) => ({ at: T0 + (from + index) * 180, msid: `msid-${from + index}` }));
const lines = (all: readonly unknown[]): string => all.map((each) => `${JSON.stringify(each)}\n`).join('');
/** A month as the export has it now: the line of the API, with what else is in the table. */
const jsonl = (all: readonly FakeListen[], name = 'listens/2025/12.jsonl') => ({
  name,
  content: lines(all.map(wireForm)),
});
/** The same as exports have it that are some years old: times as decimals, the msid within the track. */
const olderJsonl = (all: readonly FakeListen[]) => ({
  name: 'listens/2025/11.jsonl',
  content: all
    .map(({ at, msid }) => {
      const track = { artist_name: 'Björk', track_name: `Song ${msid}`, additional_info: {}, recording_msid: msid };
      return `{"inserted_at":${at + 5}.25,"listened_at":${at}.000000,"track_metadata":${JSON.stringify(track)}}\n`;
    })
    .join(''),
});
const read = (...all: readonly unknown[]) =>
  collectImport(fileImport, [fileOf('listens.jsonl', lines(all))], { now: NOW });
const good = wireForm({ at: T0, msid: 'good' });

/** What an account's export holds besides. */
const beside = [
  { name: 'user.json', content: '{"user_id":7,"username":"ana-the-user"}' },
  { name: 'feedback.jsonl', content: '{"recording_msid":"b5a1f0fe-0000-4000-8000-000000000001","score":1}\n' },
  {
    name: 'pinned_recording.jsonl',
    content: '{"recording_msid":"b5a1f0fe-0000-4000-8000-000000000001","blurb_content":"x"}\n',
  },
  { name: 'listens/2026/1.jsonl', content: '' },
];

describe('conformance', () => {
  const all = listens(20);
  const suite = fileImportConformance({
    provider: listenbrainz(),
    exports: [jsonl(all), { name: 'listenbrainz_ana.zip', content: makeZip([jsonl(all), ...beside]) }],
    withBadRecord: {
      ...jsonl(all),
      content: `${jsonl(all).content}{"listened_at":"the day before"}\n`,
      badValue: 'the day before',
    },
    overlapping: [jsonl(all.slice(0, 12)), jsonl(all.slice(8))],
    personal: ['alice', 'ana-the-user'],
  });
  for (const { id, title, run } of suite) test(`${id} ${title}`, run);
});

describe.each([
  ['now', jsonl],
  ['some years ago', olderJsonl],
])('an export of %s and the API tell the same listens', (_, month) => {
  const rig = () => {
    const time = fakeClock(NOW);
    const server = new ListenBrainzServer(listens(30));
    const registry = createRegistry({
      providers: [listenbrainz()],
      ...sqlite({ database: new DatabaseSync(':memory:') }),
      insecurePlaintextForTests: true,
      env: { clock: time.clock, timers: time.timers, fetch: server.fetch },
    });
    const ana = { userId: 'ana', provider: 'listenbrainz' } as const;
    const sync = async () => {
      await time.until(addConnection(registry, { ...ana, credentials: { fields: { token: TOKEN } } }));
      return await time.until(syncHistory(registry, ana));
    };
    const file = fileOf('export.zip', makeZip([month(listens(25)), jsonl2, ...beside]));
    const bring = () => importFile(registry, { ...ana, file });
    const shown = async () => (await queryItems(registry, { userId: 'ana', limit: 100 })).items.length;
    return { sync, bring, shown };
  };
  /** What was deleted at the service since. */
  const jsonl2 = jsonl(listens(5, 100), 'listens/2024/1.jsonl');

  test('file first, then live', async () => {
    const { sync, bring, shown } = rig();
    expect(await bring()).toMatchObject({ status: 'complete', counts: { read: 30, inserted: 30, rejected: 0 } });
    expect(await sync()).toMatchObject({ status: 'complete', counts: { inserted: 5 } });
    expect(await shown()).toBe(35);
  });

  test('live first, then the file, twice', async () => {
    const { sync, bring, shown } = rig();
    expect(await sync()).toMatchObject({ counts: { inserted: 30 } });
    expect(await bring()).toMatchObject({ status: 'complete', counts: { read: 30, inserted: 5 } });
    expect(await bring()).toMatchObject({ counts: { inserted: 0, updated: 0, unchanged: 30 } });
    expect(await shown()).toBe(35);
  });
});

describe('lines', () => {
  test('the msid may stand in additional_info only, or nowhere', async () => {
    const { items } = await read(
      wireForm({ at: T0, msid: '', info: { recording_msid: 'of the submission' } }),
      wireForm({ at: T0 + 1, msid: '', track: 'Jóga' }),
      wireForm({ at: T0 + 2, msid: 'x'.repeat(101), track: 'Jóga' }),
    );
    expect(items[0]?.contentId).toBe('of the submission');
    expect(items[1]?.contentId).toMatch(/^[0-9a-z-]{10,40}$/i);
    expect(items[2]?.contentId).toBe(items[1]?.contentId);
  });

  test.each([
    ['malformed_json', undefined, '{"listened_at":17'],
    ['unexpected_shape', 'the line', '"a text"'],
    ['unexpected_shape', 'listened_at', { listened_at: 'x', track_metadata: { artist_name: 'A', track_name: 'T' } }],
    [
      'unexpected_shape',
      'track_metadata.track_name',
      { listened_at: T0, track_metadata: { artist_name: 'A', track_name: '' } },
    ],
    [
      'implausible_date',
      'listened_at',
      { listened_at: 1_033_430_399, track_metadata: { artist_name: 'A', track_name: 'T' } },
    ],
    [
      'implausible_date',
      'listened_at',
      { listened_at: NOW / 1_000 + 3 * 86_400, track_metadata: { artist_name: 'A', track_name: 'T' } },
    ],
  ])('%s (%s) is told with its line, and the others are read', async (reason, field, bad) => {
    const text = `${lines([good])}${typeof bad === 'string' ? bad : JSON.stringify(bad)}\n${lines([good])}`;
    const { items, rejected } = await collectImport(fileImport, [fileOf('x.jsonl', text)], { now: NOW });
    expect(items).toHaveLength(2);
    expect(rejected).toMatchObject([
      { line: 2, reason, ...(field !== undefined && field !== 'the line' && { field }) },
    ]);
  });

  test('a month that begins with a bad line is read, and one of bad lines only is told', async () => {
    const months = [
      jsonl(listens(2), 'listens/2025/10.jsonl'),
      { name: 'listens/2025/11.jsonl', content: `{broken\n${jsonl(listens(3, 50)).content}` },
      { name: 'listens/2025/12.jsonl', content: '{broken\n' },
    ];
    const { items, rejected, errors } = await collectImport(fileImport, [fileOf('x.zip', makeZip(months))], {
      now: NOW,
    });
    expect(items).toHaveLength(5);
    expect(rejected.map(({ file, line }) => [file.split('!').at(-1), line])).toEqual([
      ['listens/2025/11.jsonl', 1],
      ['listens/2025/12.jsonl', 1],
    ]);
    expect(errors).toMatchObject([{ reason: 'too_many_bad_records' }]);
  });

  test('a line without an end ends the file, and what was read before is kept', async () => {
    const text = `${lines([good])}{"listened_at":${' '.repeat(1_100_000)}`;
    const { items, errors } = await collectImport(fileImport, [fileOf('x.jsonl', text)], { now: NOW });
    expect(items).toHaveLength(1);
    expect(errors).toMatchObject([{ code: 'file_parse_error', reason: 'record_too_large', position: { line: 2 } }]);
  });

  test('what programs submit is cut to a size', async () => {
    const long = 'x'.repeat(5_000);
    const info = {
      tags: [...Array.from({ length: 100 }, () => 'x'.repeat(300)), 7],
      origin_url: `https://example.invalid/${long}`,
    };
    const [item] = (await read(wireForm({ at: T0, msid: 'm', artist: long, track: long, release: long, info }))).items;
    expect(item).toMatchObject({ title: long.slice(0, 2_000), creator: long.slice(0, 2_000) });
    expect(item).not.toHaveProperty('url');
    expect(item?.tags).toHaveLength(50);
    expect(JSON.stringify(item).length).toBeLessThan(20_000);
  });
});

describe('whose file it is', () => {
  const registry = createRegistry({
    providers: [mcaExport(), listenbrainz()],
    ...sqlite({ database: new DatabaseSync(':memory:') }),
    insecurePlaintextForTests: true,
  });

  test('listens are ours, what exportItems wrote is not', async () => {
    const own = '{"platform":"listenbrainz","externalId":"1:x","type":"music","title":"listened_at"}\n';
    expect(await recogniseFile(registry, fileOf('a.jsonl', lines([good])))).toMatchObject([
      { provider: 'listenbrainz' },
    ]);
    expect(await recogniseFile(registry, fileOf('a.jsonl', own))).toMatchObject([{ provider: 'mca-export' }]);
    for (const other of [{ listens: [good] }, { listen_type: 'import', payload: [good] }, [good]])
      expect(await recogniseFile(registry, fileOf('a.jsonl', lines([other])))).toEqual([]);
  });

  test.each([
    ['a zip without listens', makeZip(beside), 'unknown_format'],
    ['something else', 'artist,track\n', 'unknown_format'],
  ])('%s is refused with what to do', async (_, content, reason) => {
    const file = fileOf(typeof content === 'string' ? 'x.jsonl' : 'x.zip', content);
    await expect(importFile(registry, { userId: 'ana', provider: 'listenbrainz', file })).rejects.toMatchObject({
      code: 'file_parse_error',
      reason,
      hint: expect.stringContaining('Export data'),
    });
  });
});
