import {
  createRegistry,
  type ImportReport,
  importFile,
  iterateItems,
  listImports,
  McaError,
  queryItems,
} from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { defineProvider } from '@mca/core/provider-kit';
import { netflix } from '@mca/core/providers/netflix';
import { spotify } from '@mca/core/providers/spotify';
import { describe, expect, test } from 'vitest';
import { recordFigure } from '../../test/support/reliability.ts';
import { history, play, plays } from '../../test/support/spotify-rows.ts';
import { fileOf } from '../testing/import-files.ts';
import { seededRandom } from '../testing/kill-loop.ts';

const userId = 'ana';
const full = process.env.MCA_TEST_FULL === '1';
const open = () => createRegistry({ providers: [spotify(), netflix()], ...memory() });

/** whatever happened, every record is accounted for. */
function expectBalanced({ counts, skipped, rejected, files }: ImportReport): void {
  const sum = (reasons: Readonly<Record<string, number>>) => Object.values(reasons).reduce((a, b) => a + b, 0);
  expect(counts.read).toBe(counts.inserted + counts.updated + counts.unchanged + counts.skipped + counts.rejected);
  expect(sum(skipped)).toBe(counts.skipped);
  expect(sum(rejected)).toBe(counts.rejected);
  expect(files.length).toBeGreaterThan(0);
}

async function refusal(promise: Promise<unknown>): Promise<McaError> {
  const error = await promise.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (!McaError.isInstance(error)) throw new Error(`Expected an McaError, got ${String(error)}`);
  return error;
}

describe('a whole file', () => {
  test('R-094 every record is inserted, and a second import inserts none', async () => {
    const registry = open();
    const file = history(plays(0, 120));
    const first = await importFile(registry, { userId, file });
    expect(first).toMatchObject({
      status: 'complete',
      provider: 'spotify',
      counts: { read: 120, inserted: 120, unchanged: 0 },
    });
    expect(first.byType).toEqual({ music: 120 });
    expectBalanced(first);
    const second = await importFile(registry, { userId, file });
    expect(second.counts).toMatchObject({ read: 120, inserted: 0, updated: 0, unchanged: 120 });
    expectBalanced(second);
  });

  test('two plays of one song stay two, one play twice in the file stays one', async () => {
    const registry = open();
    const same = { spotify_track_uri: 'spotify:track:0000000000000000000001' };
    const report = await importFile(registry, { userId, file: history([play(1, same), play(2, same), play(2, same)]) });
    expect(report.counts).toMatchObject({ read: 3, inserted: 2, unchanged: 1 });
  });

  test('R-094 skipped records are counted by reason, rejected ones told with their position', async () => {
    const rows = [
      play(0),
      play(1, { incognito_mode: true }),
      play(2, { ts: 'yesterday' }),
      play(3, { master_metadata_track_name: null, spotify_track_uri: null }),
      ...plays(4, 80),
    ];
    const report = await importFile(open(), { userId, file: history(rows) });
    expect(report.status).toBe('partial');
    expect(report.error).toMatchObject({ code: 'partial_sync', reason: 'rejected_records' });
    expect(report.skipped).toEqual({ incognito: 1, no_content: 1 });
    expect(report.rejections).toMatchObject([
      { file: 'Streaming_History_Audio_2020_0.json', record: 3, field: 'ts', reason: 'invalid_date' },
    ]);
    expect(JSON.stringify(report.rejections)).not.toContain('yesterday');
    expectBalanced(report);
  });

  test('a dry run counts as a real one would, shows a preview and stores nothing', async () => {
    const registry = open();
    await importFile(registry, { userId, file: history(plays(0, 10)) });
    const file = history([...plays(5, 40), play(39)]);
    const dry = await importFile(registry, { userId, file, dryRun: true });
    expect(dry).toMatchObject({ dryRun: true, importId: undefined, counts: { read: 36, inserted: 30, unchanged: 6 } });
    expect(dry.preview).toHaveLength(20);
    expect(await listImports(registry, { userId })).toHaveLength(1);
    const real = await importFile(registry, { userId, file });
    expect(real.counts).toEqual(dry.counts);
    expect(real.preview).toEqual([]);
  });

  test('progress grows to the end and never past it', async () => {
    const seen: { read: number; bytesRead: number; bytesTotal: number | undefined }[] = [];
    const file = history(plays(0, 12_000));
    await importFile(open(), {
      userId,
      file,
      onProgress: ({ counts, bytesRead, bytesTotal }) => seen.push({ read: counts.read, bytesRead, bytesTotal }),
    });
    expect(seen.at(-1)).toMatchObject({ read: 12_000 });
    expect(seen.map(({ read }) => read)).toEqual(seen.map(({ read }) => read).toSorted((a, b) => a - b));
    expect(seen.every(({ bytesRead, bytesTotal = 0 }) => bytesRead <= bytesTotal)).toBe(true);
    expect(seen.at(-1)?.bytesRead).toBe(seen.at(-1)?.bytesTotal);
  });

  test('the account label separates connections', async () => {
    const registry = open();
    const one = await importFile(registry, { userId, file: history(plays(0, 3)), account: 'home' });
    const two = await importFile(registry, { userId, file: history(plays(3, 6)), account: 'work' });
    const three = await importFile(registry, { userId, file: history(plays(6, 9)), account: 'home' });
    expect(one.connectionId).toBe(three.connectionId);
    expect(one.connectionId).not.toBe(two.connectionId);
  });

  test('users never see one another', async () => {
    const registry = open();
    await importFile(registry, { userId: 'ana', file: history(plays(0, 5)) });
    const report = await importFile(registry, { userId: 'rui', file: history(plays(0, 5)) });
    expect(report.counts.inserted).toBe(5);
    expect((await queryItems(registry, { userId: 'ana' })).items).toHaveLength(5);
  });
});

describe('several files', () => {
  test('are one import, and a damaged one does not spoil the others', async () => {
    const registry = open();
    const broken = fileOf('Streaming_History_Audio_2021_1.json', JSON.stringify(plays(50, 60)).slice(0, -40));
    const report = await importFile(registry, { userId, file: [history(plays(0, 50)), broken] });
    expect(report.status).toBe('partial');
    expect(report.error).toMatchObject({ code: 'partial_sync', reason: 'damaged_files' });
    expect(report.files[1]).toMatchObject({
      name: broken.name,
      error: { code: 'file_parse_error', reason: 'json_truncated' },
    });
    expect(report.coverage).toHaveLength(1);
    expectBalanced(report);
    expect(await listImports(registry, { userId })).toHaveLength(1);
  });

  test('R-063 three overlapping exports give the same set in all six orders', async () => {
    const exports = [
      history(plays(0, 60)),
      history(plays(40, 100)),
      history([...plays(20, 50), play(10, { ms_played: 200_000 })]),
    ];
    const orders = [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ];
    const sets = await Promise.all(
      orders.map(async (order) => {
        const registry = open();
        for (const index of order) expectBalanced(await importFile(registry, { userId, file: exports[index] ?? [] }));
        const items = await Array.fromAsync(iterateItems(registry, { userId }));
        return items.map(({ sequence, importId, connectionId, ...content }) => content);
      }),
    );
    expect(sets[0]).toHaveLength(100);
    for (const set of sets) expect(set).toEqual(sets[0]);
    expect(sets[0]?.filter(({ timeSpentMs }) => timeSpentMs === 200_000)).toHaveLength(1);
    recordFigure(
      'R-063',
      `importFile: 3 overlapping exports in ${sets.length}/6 orders give the identical ${sets[0]?.length} items`,
    );
  });
});

describe('a file that cannot be imported', () => {
  test('is refused before its first page, and leaves no trace', async () => {
    const registry = open();
    const file = fileOf('Streaming_History_Audio_2020_0.json', JSON.stringify(plays(0, 30)).slice(0, -30));
    const error = await refusal(importFile(registry, { userId, file }));
    expect(error).toMatchObject({
      code: 'file_parse_error',
      reason: 'json_truncated',
      position: { file: file.name, record: 30 },
    });
    expect(await listImports(registry, { userId })).toEqual([]);
    expect(await registry.storage.listConnections({ userId })).toEqual([]);
  });

  test('after the first page the report says failed, and what was read before the damage is stored', async () => {
    const registry = open();
    const file = fileOf('Streaming_History_Audio_2020_0.json', JSON.stringify(plays(0, 11_000)).slice(0, -30));
    const report = await importFile(registry, { userId, file });
    expect(report).toMatchObject({ status: 'failed', error: { code: 'file_parse_error', reason: 'json_truncated' } });
    expect(report.counts.inserted).toBe(10_999);
    expect(report.coverage).toHaveLength(1);
    expectBalanced(report);
    expect(await listImports(registry, { userId })).toMatchObject([{ status: 'failed', counts: report.counts }]);
    expect(await Array.fromAsync(iterateItems(registry, { userId }))).toHaveLength(10_999);
  });

  test('of too many bad records is refused, of few is not', async () => {
    const bad = (count: number) => [
      ...plays(0, 1_500),
      ...Array.from({ length: count }, (_, index) => play(index, { ts: '?' })),
    ];
    expect(await importFile(open(), { userId, file: history(bad(30)) })).toMatchObject({
      status: 'partial',
      counts: { rejected: 30 },
    });
    const error = await refusal(importFile(open(), { userId, file: history(bad(60)) }));
    expect(error).toMatchObject({ code: 'file_parse_error', reason: 'too_many_bad_records' });
    expect(await refusal(importFile(open(), { userId, file: history(bad(1)), strict: true }))).toMatchObject({
      reason: 'bad_record',
      position: { record: 1_501 },
    });
  });

  test('is told apart: unknown, mixed, wrong provider, missing, empty', async () => {
    const registry = open();
    const csv = fileOf('NetflixViewingHistory.csv', 'Title,Date\n"Sand Hill","13/3/24"\n');
    const cases: [Promise<unknown>, object][] = [
      [
        importFile(registry, { userId, file: fileOf('notes.txt', 'hello') }),
        { code: 'file_parse_error', reason: 'unrecognised_file' },
      ],
      [
        importFile(registry, { userId, file: [history(plays(0, 2)), csv] }),
        { code: 'file_parse_error', reason: 'mixed_files' },
      ],
      [
        importFile(registry, { userId, provider: 'netflix', file: history(plays(0, 2)) }),
        { code: 'file_parse_error', reason: 'unknown_format' },
      ],
      [
        importFile(registry, { userId, provider: 'spotify', file: fileOf('endsong_0.json', '') }),
        { code: 'file_parse_error', reason: 'empty_file' },
      ],
      [importFile(registry, { userId, file: '/no/such/file.zip' }), { code: 'not_found', reason: 'no_such_file' }],
      [importFile(registry, { userId, file: [] }), { code: 'invalid_data', reason: 'no_files' }],
      [importFile(registry, { userId, file: 42 as never }), { code: 'invalid_data', reason: 'invalid_source' }],
      [importFile(registry, { userId: '', file: csv }), { code: 'invalid_data', reason: 'invalid_user_id' }],
      [
        importFile(registry, {
          userId,
          provider: 'spotify',
          file: csv,
          options: { skip: { incognita: true } } as never,
        }),
        { code: 'invalid_data', reason: 'invalid_options' },
      ],
      [
        importFile(registry, { userId, provider: 'nobody' as never, file: csv }),
        { code: 'not_found', reason: 'unknown_provider' },
      ],
    ];
    for (const [promise, expected] of cases) {
      const error = await refusal(promise);
      expect(error).toMatchObject(expected);
      expect(error.hint).toBeTruthy();
    }
  });

  test('a provider without importer is unsupported', async () => {
    const silent = defineProvider({ id: 'silent', name: 'Silent', capabilities: {} });
    const registry = createRegistry({ providers: [spotify(), silent], ...memory() });
    // @ts-expect-error the compiler refuses it, too
    const error = await refusal(importFile(registry, { userId, provider: 'silent', file: history([]) }));
    expect(error).toMatchObject({ code: 'unsupported', reason: 'missing_capability' });
  });
});

describe('cancelling', () => {
  test('R-065 stops wherever it is, and committed pages stay', async () => {
    const random = seededRandom(65);
    const rounds = full ? 100 : 8;
    let slowestMs = 0;
    for (let round = 0; round < rounds; round += 1) {
      const registry = open();
      const controller = new AbortController();
      const stopAt = Math.floor(random() * 18_000);
      let abortedAt = 0;
      const report = await importFile(registry, {
        userId,
        file: history(plays(0, 20_000)),
        signal: controller.signal,
        onProgress({ counts }) {
          if (counts.read < stopAt || abortedAt > 0) return;
          abortedAt = performance.now();
          controller.abort();
        },
      });
      slowestMs = Math.max(slowestMs, performance.now() - abortedAt);
      expect(report.status).toBe('cancelled');
      expect(report.error?.code).toBe('cancelled');
      expectBalanced(report);
      expect(await Array.fromAsync(iterateItems(registry, { userId }))).toHaveLength(report.counts.inserted);
      if (report.importId)
        expect(await listImports(registry, { userId })).toMatchObject([{ status: 'cancelled', counts: report.counts }]);
      const again = await importFile(registry, { userId, file: history(plays(0, 20_000)) });
      expect(again.counts).toMatchObject({
        read: 20_000,
        unchanged: report.counts.inserted,
        inserted: 20_000 - report.counts.inserted,
      });
    }
    expect(slowestMs).toBeLessThan(5_000);
    recordFigure(
      'R-065',
      `${rounds} imports cancelled at random points: slowest stop ${Math.round(slowestMs)} ms, store equal to the report every time`,
    );
  });

  test('before the first page nothing is stored', async () => {
    const registry = open();
    const report = await importFile(registry, {
      userId,
      provider: 'spotify',
      file: history(plays(0, 10)),
      signal: AbortSignal.abort(),
    });
    expect(report).toMatchObject({ status: 'cancelled', importId: undefined, counts: { read: 0 } });
    expect(await listImports(registry, { userId })).toEqual([]);
  });
});
