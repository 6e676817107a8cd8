import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { addConnection, createRegistry, syncDue } from '@mca/core';
import { sqlite } from '@mca/core/adapters/sqlite';
import { FakeService, fakeProvider, seededRandom } from '@mca/core/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { recordFigure } from '../support/reliability.ts';
import { serve } from '../support/serve.ts';

const isFull = process.env.MCA_TEST_FULL === '1';
const WORKER = fileURLToPath(new URL('sync-worker.ts', import.meta.url));
const MINUTE = 60_000;

let folder = '';
let server: Awaited<ReturnType<typeof serve>>;
let service: FakeService;
let database: DatabaseSync;
const children = new Set<ChildProcess>();

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mca-sync-'));
  database = new DatabaseSync(join(folder, 'store.db'));
  service = new FakeService({
    now: () => Date.now(),
    maxLimit: 10,
    authorise: (request) => request.headers.get('authorization')?.replace('Bearer ', ''),
  });
  server = await serve((request) => service.handle(request));
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
  database.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A host in this process, on a clock that may be ahead. */
function hostOf(offsetMs = 0) {
  const clock = { now: () => Date.now() + offsetMs };
  return createRegistry({
    providers: [fakeProvider({ baseUrl: `${server.origin}/v1`, intervalMs: MINUTE })],
    ...sqlite({ database, clock }),
    insecurePlaintextForTests: true,
    env: { clock },
  });
}

function start(mode: 'once' | 'schedule', userId: string, offsetMs = 0): ChildProcess {
  const args = ['--conditions=@mca/source', '--no-warnings', WORKER, mode, join(folder, 'store.db'), server.origin];
  const child = spawn(process.execPath, [...args, userId, String(offsetMs)], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  return child;
}

async function reportOf(child: ChildProcess): Promise<{ readonly status: string; readonly reason?: string }> {
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await once(child, 'close');
  children.delete(child);
  return JSON.parse(text) as { status: string; reason?: string };
}

async function connect(account: string, plays: number): Promise<void> {
  const registry = hostOf();
  service.add(
    account,
    ...Array.from({ length: plays }, (_, index) => ({
      id: `${account}-${index}`,
      // Long ago, so that all of it is old history and comes in pages.
      playedAt: Date.UTC(2025, 0, 1) + index * MINUTE,
      title: `${account} ${index}`,
    })),
  );
  await addConnection(registry, { userId: account, provider: 'fake', credentials: { fields: { token: account } } });
}

function titles(userId: string): string[] {
  const rows = database
    .prepare('SELECT i.title FROM mca_items i JOIN mca_users u ON u.user_no = i.user_no WHERE u.user_id = ?')
    .all(userId);
  return rows.map((row) => String(row.title)).sort();
}

test('R-077 a worker that was stopped past its lease, while another finished, writes nothing', async () => {
  const rounds = isFull ? 50 : 4;
  for (let round = 0; round < rounds; round += 1) {
    const account = `stopped-${round}`;
    await connect(account, 60);
    const held = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    let pages = 0;
    const handle = service.handle.bind(service);
    service.handle = async (request) => {
      if (!request.url.includes('/plays')) return handle(request);
      pages += 1;
      if (pages !== 4) return handle(request);
      held.resolve();
      await goOn.promise;
      const marked = [{ id: `stale-${round}`, played_at: Date.UTC(2025, 5, 1), title: `stale ${round}`, artist: null }];
      return Response.json({ plays: marked, next: null, total: 1 });
    };
    const slow = start('once', account);
    const slowReport = reportOf(slow);
    await held.promise;
    slow.kill('SIGSTOP');
    service.handle = handle;
    // Two minutes later, by its clock, another worker finds the lease run out.
    expect(await reportOf(start('once', account, 2 * MINUTE))).toMatchObject({ status: 'complete' });
    const before = titles(account);
    goOn.resolve();
    slow.kill('SIGCONT');
    const { reason } = await slowReport;
    expect(reason, `round ${round}`).toBe('lease_lost');
    expect(titles(account)).toEqual(before);
    expect(before).toHaveLength(60);
  }
  recordFigure('R-077', `SQLite, ${rounds} rounds of SIGSTOP past the lease: 0 rows by the stale worker`);
});

test('R-079 after kill -9 of the holder another worker takes over in at most 75 seconds', async () => {
  const rounds = isFull ? 10 : 2;
  let worstMs = 0;
  for (let round = 0; round < rounds; round += 1) {
    const account = `killed-${round}`;
    await connect(account, 60);
    const held = Promise.withResolvers<void>();
    const handle = service.handle.bind(service);
    service.handle = async (request) => {
      if (!request.url.includes('/plays')) return handle(request);
      held.resolve();
      return new Promise(() => {});
    };
    const holder = start('schedule', account);
    await held.promise;
    holder.kill('SIGKILL');
    await once(holder, 'close');
    service.handle = handle;
    // How far ahead a clock has to be for the work to be found.
    for (let laterMs = 0; ; laterMs += 5_000) {
      expect(laterMs).toBeLessThanOrEqual(75_000);
      const { byStatus } = await syncDue(hostOf(laterMs));
      if (byStatus.complete === undefined) continue;
      worstMs = Math.max(worstMs, laterMs);
      break;
    }
    expect(titles(account)).toHaveLength(60);
  }
  recordFigure('R-079', `SQLite, ${rounds} holders killed: taken over after ${worstMs / 1_000} s at most`);
});

test('R-093 SIGTERM at any moment: the page ends or never was, the lease is given back, the process goes', async () => {
  const rounds = isFull ? 200 : 6;
  const random = seededRandom(93);
  let [worstExitMs, midway] = [0, 0];
  for (let round = 0; round < rounds; round += 1) {
    const account = `ended-${round}`;
    await connect(account, 100);
    const seen = Promise.withResolvers<void>();
    const handle = service.handle.bind(service);
    service.handle = (request) => {
      if (request.url.includes('/plays')) seen.resolve();
      return handle(request);
    };
    const worker = start('schedule', account);
    await seen.promise;
    await new Promise((later) => setTimeout(later, random() * 30));
    const signalledAt = performance.now();
    worker.kill('SIGTERM');
    const [code] = (await once(worker, 'close')) as [number];
    worstExitMs = Math.max(worstExitMs, performance.now() - signalledAt);
    service.handle = handle;
    expect(code).toBe(0);
    expect(database.prepare('SELECT count(*) AS leases FROM mca_leases').get()).toEqual({ leases: 0 });
    const stored = titles(account).length;
    expect(stored % 10).toBe(0);
    if (stored > 0 && stored < 100) midway += 1;
    // Whoever comes next need not wait.
    expect((await syncDue(hostOf())).synced + Number(stored === 100)).toBeGreaterThan(0);
    expect(titles(account)).toHaveLength(100);
  }
  expect(worstExitMs).toBeLessThan(10_000);
  recordFigure(
    'R-093',
    `${rounds} times SIGTERM, ${midway} of them half-way: exit after ${Math.round(worstExitMs)} ms at most, taken up at once`,
  );
});
