import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import type { PageResult } from '@mca/core/adapter-kit';
import { sqlite } from '@mca/core/adapters/sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MIGRATIONS } from '../../adapters/sqlite/migrations/index.ts';
import { recordFigure } from '../support/reliability.ts';
import { PAGE_ITEMS } from './reference-pages.ts';

const isFull = process.env.MCA_TEST_FULL === '1';
const PROCESSES = 8;
const COMMIT_ROUNDS = isFull ? 1_000 : 50;
const MIGRATION_ROUNDS = isFull ? 50 : 5;
const PAGE_WORKER = fileURLToPath(new URL('page-worker.ts', import.meta.url));
const CLAIM_WORKER = fileURLToPath(new URL('claim-worker.ts', import.meta.url));
const CLAIM_ROUNDS = isFull ? 500 : 50;

let folder = '';
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mca-many-'));
});

afterEach(async () => {
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
});

/** Starts the processes at once and answers when all have migrated the file and found their connection. */
async function startAll(file: string, worker = PAGE_WORKER): Promise<void> {
  for (let index = 0; index < PROCESSES; index += 1) {
    const execArgv = ['--conditions=@mca/source', '--no-warnings'];
    children.push(
      fork(worker, [file, `process-${index}`], { execArgv, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
    );
  }
  await Promise.all(children.map(answer));
}

async function stopAll(): Promise<void> {
  const stopping = children.splice(0).filter((child) => child.exitCode === null && child.signalCode === null);
  await Promise.all(
    stopping.map((child) => {
      child.kill('SIGKILL');
      return once(child, 'exit');
    }),
  );
}

/** The next message of a process; its death is a failure, not a wait without end. */
function answer(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`A worker ended with ${code}.`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(message);
    });
  });
}

function query(file: string, sql: string): Record<string, unknown> {
  const database = new DatabaseSync(file);
  try {
    return { ...database.prepare(sql).get() };
  } finally {
    database.close();
  }
}

describe(`${PROCESSES} processes on one SQLite file`, () => {
  test(`R-071 the same page committed by all of them, ${COMMIT_ROUNDS} times, is one row per item`, async () => {
    const file = join(folder, 'store.db');
    await startAll(file);
    let inserted = 0;
    let updated = 0;
    for (let page = 0; page < COMMIT_ROUNDS; page += 1) {
      const answers = children.map(answer);
      for (const child of children) child.send(page);
      const results = (await Promise.all(answers)) as PageResult[];
      for (const result of results) {
        // every commit balances, whoever won.
        expect(result.inserted + result.updated + result.unchanged).toBe(PAGE_ITEMS);
        inserted += result.inserted;
        updated += result.updated;
      }
    }
    const rows = query(
      file,
      'SELECT count(*) AS rows, count(DISTINCT external_id) AS ids, max(sequence) AS last FROM mca_items',
    );
    // Four items of each page but the first repeat ones of the page before, two of them with more time spent.
    const expected = PAGE_ITEMS + (COMMIT_ROUNDS - 1) * (PAGE_ITEMS - 4);
    expect(rows).toMatchObject({ rows: expected, ids: expected });
    expect([inserted, updated]).toEqual([expected, (COMMIT_ROUNDS - 1) * 2]);
    expect(query(file, 'SELECT sequence FROM mca_counters')).toEqual({ sequence: inserted + updated });
    expect(query(file, 'PRAGMA integrity_check')).toEqual({ integrity_check: 'ok' });
    recordFigure('R-071', `${PROCESSES} processes, ${COMMIT_ROUNDS} rounds: ${expected} items, ${expected} rows`);
  });

  test(`SYNC-5 STATE-1 what all of them want at once goes to one of them, ${CLAIM_ROUNDS} times`, async () => {
    const file = join(folder, 'store.db');
    // One schedule for each process in each round, one connect flow for all of them.
    const ids = Array.from({ length: CLAIM_ROUNDS * PROCESSES }, (_, index) => `c${index}`);
    const hashes = Array.from({ length: CLAIM_ROUNDS }, (_, index) => `${index}`.padStart(64, '0'));
    const database = new DatabaseSync(file);
    const { storage } = sqlite({ database, synchronous: 'normal' });
    for (const [dueAt, id] of ids.entries()) {
      await storage.ensureConnection({ id, userId: 'ada', provider: 'spotify', kind: 'api', account: id });
      await storage.putSchedule({ connectionId: id, capability: 'history', dueAt, blocked: false, failures: 0 });
    }
    const expiresAt = Date.now() + 3_600_000;
    for (const hash of hashes) await storage.putConnectState({ hash, userId: 'ada', sealed: 's', expiresAt });
    database.close();

    await startAll(file, CLAIM_WORKER);
    const claimed: string[] = [];
    for (const hash of hashes) {
      const answers = children.map(answer);
      for (const child of children) child.send(hash);
      const got = (await Promise.all(answers)) as { readonly claimed: readonly string[]; readonly taken?: string }[];
      expect(got.flatMap(({ taken }) => taken ?? [])).toEqual([hash]);
      claimed.push(...got.flatMap((each) => each.claimed));
    }
    expect(claimed.sort()).toEqual(ids.sort());
  });

  test(`R-090 all of them start on a new file, ${MIGRATION_ROUNDS} times: it is migrated once`, async () => {
    for (let round = 0; round < MIGRATION_ROUNDS; round += 1) {
      const file = join(folder, `${round}.db`);
      await startAll(file);
      expect(query(file, 'SELECT count(*) AS versions, max(version) AS newest FROM mca_schema')).toEqual({
        versions: MIGRATIONS.length,
        newest: MIGRATIONS.length,
      });
      expect(query(file, 'SELECT count(*) AS connections FROM mca_connections')).toEqual({ connections: 1 });
      expect(query(file, 'PRAGMA journal_mode')).toEqual({ journal_mode: 'wal' });
      await stopAll();
    }
    recordFigure(
      'R-090',
      `${PROCESSES} processes, ${MIGRATION_ROUNDS} new files: ${MIGRATION_ROUNDS} migrations, 0 errors`,
    );
  });
});
