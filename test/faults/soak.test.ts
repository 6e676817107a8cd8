import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CURSORS_KEPT, SYNC_LOG_KEPT } from '@mca/core/adapter-kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recordFigure } from '../support/reliability.ts';
import type { SoakReport } from './soak-worker.ts';

const WORKER = fileURLToPath(new URL('soak-worker.ts', import.meta.url));
const MIB = 2 ** 20;
const CONNECTIONS = 4;
/** 31 plays each; one of all cannot be understood. */
const ITEMS = CONNECTIONS * 31 - 1;
/** SQLite moves the log into the file at 1,000 pages of 4 KiB; one commit may come on top. */
const WAL_MAX_BYTES = 6 * MIB;
const GROWTH_MAX_BYTES = 5 * MIB;

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mca-soak-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function syncsWanted(): number {
  if (process.env.MCA_TEST_SOAK === '1') return 100_000;
  return process.env.MCA_TEST_FULL === '1' ? 5_000 : 300;
}

async function soak(mode: string, syncs: number): Promise<SoakReport> {
  const flags = ['--expose-gc', '--conditions=@mca/source', '--no-warnings'];
  const args = [...flags, WORKER, mode, join(folder, `${mode}.db`), String(syncs)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as SoakReport;
}

/** V8 forgets compiled code after a while; what that frees must not hide what grows. */
function heapGrowth({ early, middle, end }: SoakReport): number {
  return end.heapBytes - Math.min(early.heapBytes, middle.heapBytes);
}

/** What was left behind that should not be; nothing, if all is well. */
function leftBehind(report: SoakReport): readonly string[] {
  const { early, end, walBytes, mostRows } = report;
  const most: Readonly<Record<string, number>> = {
    mca_sync_log: CONNECTIONS * SYNC_LOG_KEPT,
    // What is new and what is old have a position each.
    mca_cursors: CONNECTIONS * 2 * CURSORS_KEPT,
    // Counted between syncs: none is held.
    mca_leases: 0,
    mca_schedules: CONNECTIONS,
    mca_parked: 1,
    mca_items: ITEMS,
  };
  return [
    ...(heapGrowth(report) < GROWTH_MAX_BYTES ? [] : ['heap']),
    ...(end.externalBytes - early.externalBytes < GROWTH_MAX_BYTES ? [] : ['external memory']),
    ...(end.handles.join() === early.handles.join() ? [] : ['handles']),
    ...(end.timers === 0 ? [] : ['timers']),
    ...(walBytes <= WAL_MAX_BYTES ? [] : ['write-ahead log']),
    ...Object.entries(most).flatMap(([table, rows]) => ((mostRows[table] ?? 0) <= rows ? [] : [table])),
  ];
}

describe('R-095 soak', () => {
  const syncs = syncsWanted();

  test('R-095 syncs without end leave nothing behind', async () => {
    const report = await soak('real', syncs);
    const { end, byStatus, requests, walBytes, mostRows } = report;
    expect(leftBehind(report), JSON.stringify(report)).toEqual([]);
    // Nothing would be proven by syncs that did nothing, or that never failed.
    expect(end.syncs).toBeGreaterThanOrEqual(syncs);
    expect(requests).toBeGreaterThan(syncs * 0.9);
    expect(Object.keys(byStatus)).toEqual(expect.arrayContaining(['complete', 'partial', 'failed', 'skipped']));
    expect(mostRows).toMatchObject({ mca_items: ITEMS, mca_parked: 1 });
    const mebibytes = (bytes: number): string => `${(bytes / MIB).toFixed(1)} MiB`;
    recordFigure(
      'R-095',
      `${end.syncs} syncs, ${requests} requests: heap +${mebibytes(heapGrowth(report))} after the first tenth, ` +
        `handles constant, log of SQLite ${mebibytes(walBytes)} at most, ${mostRows.mca_sync_log} log entries, 0 leases`,
    );
  });

  test.for([
    ['leak-memory', 'heap'],
    ['leak-handles', 'handles'],
    ['leak-rows', 'mca_leases'],
  ] as const)('R-095 the harness notices %s', async ([mode, what]) => {
    expect(leftBehind(await soak(mode, 1_000))).toEqual([what]);
  });
});
