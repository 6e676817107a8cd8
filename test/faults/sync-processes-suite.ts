import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { addConnection, createRegistry, syncDue } from '@mca/core';
import { FakeService, fakeProvider, seededRandom } from '@mca/core/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FaultStore, openFaultStore, type StorePlace, setDatabaseClock } from '../support/fault-store.ts';
import { realTime } from '../support/postgres-setup.ts';
import { recordFigure } from '../support/reliability.ts';
import { serve } from '../support/serve.ts';
import { WORKER_ENV } from '../support/worker-env.ts';

/** How much of {@link syncProcessesSuite} runs. */
export interface SyncProcessesCounts {
  readonly stopped: number;
  readonly killed: number;
  readonly ended: number;
}

const WORKER = fileURLToPath(new URL('sync-worker.ts', import.meta.url));
const MINUTE = 60_000;

interface Said {
  readonly status: string;
  readonly reason?: string;
}

/** Hosts in processes of their own that are stopped, killed and ended while they sync. */
export function syncProcessesSuite(place: StorePlace, counts: SyncProcessesCounts): void {
  const { name } = place;
  let where = '';
  let server: Awaited<ReturnType<typeof serve>>;
  let service: FakeService;
  let store: FaultStore;
  let clockOffsetMs = 0;
  const children = new Set<ChildProcess>();

  beforeEach(async () => {
    where = place.fresh();
    clockOffsetMs = 0;
    store = await openFaultStore(where, { clock: { now: () => Date.now() + clockOffsetMs } });
    await store.storage.migrate();
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
    await store.close();
    await server.close();
    await place.clear();
  });

  /** Moves the clock of everybody who starts from now on, and that of the database. */
  async function moveClock(offsetMs: number): Promise<void> {
    clockOffsetMs = offsetMs;
    await setDatabaseClock(where, realTime(offsetMs));
  }

  /** A host in this process. */
  function host() {
    const offsetMs = clockOffsetMs;
    return createRegistry({
      providers: [fakeProvider({ baseUrl: `${server.origin}/v1`, intervalMs: MINUTE })],
      storage: store.storage,
      credentials: store.credentials,
      insecurePlaintextForTests: true,
      env: { clock: { now: () => Date.now() + offsetMs } },
    });
  }

  function start(mode: 'once' | 'schedule', userId: string, variant = 'real'): ChildProcess {
    const args = ['--conditions=@mca/source', '--no-warnings', WORKER, mode, where, server.origin];
    const child = spawn(process.execPath, [...args, userId, String(clockOffsetMs), variant], {
      env: WORKER_ENV,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.add(child);
    return child;
  }

  async function reportOf(child: ChildProcess): Promise<Said> {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    await once(child, 'close');
    children.delete(child);
    return JSON.parse(text) as Said;
  }

  async function connect(account: string, plays: number): Promise<void> {
    service.add(
      account,
      ...Array.from({ length: plays }, (_, index) => ({
        id: `${account}-${index}`,
        // Long ago, so that all of it is old history and comes in pages.
        playedAt: Date.UTC(2025, 0, 1) + index * MINUTE,
        title: `${account} ${index}`,
      })),
    );
    await addConnection(host(), { userId: account, provider: 'fake', credentials: { fields: { token: account } } });
  }

  async function titles(userId: string): Promise<readonly string[]> {
    const rows = await store.look<{ readonly title: string }>(
      `SELECT i.title FROM %items i JOIN %users u ON u.user_no = i.user_no WHERE u.user_id = '${userId}'`,
    );
    return rows.map(({ title }) => title).sort();
  }

  /** Stops a worker in the middle of a sync until another one has finished it, and answers what it wrote then. */
  async function stopPastLease(account: string, variant: 'real' | 'no-fence') {
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
      const marked = [
        { id: `stale-${account}`, played_at: Date.UTC(2025, 5, 1), title: `stale ${account}`, artist: null },
      ];
      return Response.json({ plays: marked, next: null, total: 1 });
    };
    const slow = start('once', account, variant);
    const slowReport = reportOf(slow);
    await held.promise;
    slow.kill('SIGSTOP');
    service.handle = handle;
    // Two minutes later another worker finds the lease run out.
    await moveClock(2 * MINUTE);
    expect(await reportOf(start('once', account))).toMatchObject({ status: 'complete' });
    await moveClock(0);
    const before = await titles(account);
    expect(before).toHaveLength(60);
    goOn.resolve();
    slow.kill('SIGCONT');
    const { reason } = await slowReport;
    const known = new Set(before);
    return { reason, written: (await titles(account)).filter((title) => !known.has(title)) };
  }

  test(`R-077 a worker on ${name} that was stopped past its lease, while another finished, writes nothing`, async () => {
    const rounds = counts.stopped;
    for (let round = 0; round < rounds; round += 1) {
      expect(await stopPastLease(`stopped-${round}`, 'real')).toEqual({ reason: 'lease_lost', written: [] });
      expect(await titles(`stopped-${round}`)).toHaveLength(60);
    }
    recordFigure('R-077', `${name}, ${rounds} rounds of SIGSTOP past the lease: 0 rows by the stale worker`);
  });

  test(`R-077 a store of ${name} that lets such a worker write is caught`, async () => {
    const { written } = await stopPastLease('caught', 'no-fence');
    expect(written).toEqual(['stale caught']);
  });

  test(`R-079 after kill -9 of the holder another worker on ${name} takes over in at most 75 seconds`, async () => {
    const rounds = counts.killed;
    let [worstMs, soonestMs] = [0, Number.POSITIVE_INFINITY];
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
        await moveClock(laterMs);
        const { byStatus } = await syncDue(host());
        if (byStatus.complete === undefined) continue;
        worstMs = Math.max(worstMs, laterMs);
        soonestMs = Math.min(soonestMs, laterMs);
        break;
      }
      await moveClock(0);
      expect(await titles(account)).toHaveLength(60);
    }
    // At once would mean that there was no lease to wait for.
    expect(soonestMs).toBeGreaterThan(0);
    recordFigure('R-079', `${name}, ${rounds} holders killed: taken over after ${worstMs / 1_000} s at most`);
  });

  test(`R-093 SIGTERM at any moment on ${name}: the page ends or never was, the lease is given back, the process goes`, async () => {
    const rounds = counts.ended;
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
      await new Promise((later) => setTimeout(later, random() * (name === 'SQLite' ? 30 : 60)));
      const signalledAt = performance.now();
      worker.kill('SIGTERM');
      const [code] = (await once(worker, 'close')) as [number];
      worstExitMs = Math.max(worstExitMs, performance.now() - signalledAt);
      service.handle = handle;
      expect(code).toBe(0);
      expect(await store.look('SELECT resource FROM %leases')).toEqual([]);
      const stored = (await titles(account)).length;
      expect(stored % 10).toBe(0);
      if (stored > 0 && stored < 100) midway += 1;
      // Whoever comes next need not wait.
      expect((await syncDue(host())).synced + Number(stored === 100)).toBeGreaterThan(0);
      expect(await titles(account)).toHaveLength(100);
    }
    expect(worstExitMs).toBeLessThan(10_000);
    // Few rounds may all be over too soon or too late.
    if (rounds >= 50) expect(midway).toBeGreaterThan(rounds / 10);
    recordFigure(
      'R-093',
      `${name}, ${rounds} times SIGTERM, ${midway} of them half-way: exit after ${Math.round(worstExitMs)} ms at most, taken up at once`,
    );
  });
}
