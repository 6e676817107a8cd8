import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { addConnection, createRegistry, syncDue } from '@mca/core';
import { FakeService, fakeProvider, seededRandom } from '@mca/core/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { hasFaketime, onClock } from '../support/faketime.ts';
import { type FaultStore, onPostgres, openFaultStore } from '../support/fault-store.ts';
import { postgresServer } from '../support/postgres.ts';
import { recordFigure } from '../support/reliability.ts';
import { serve } from '../support/serve.ts';
import { WORKER_ENV } from '../support/worker-env.ts';
import { answer, workers } from '../support/workers.ts';
import type { ClockQuestion } from './clock-worker.ts';

const isFull = process.env.MCA_TEST_FULL === '1';
const server = await postgresServer();
const canRun = server !== undefined && hasFaketime();
const CLOCK_WORKER = fileURLToPath(new URL('clock-worker.ts', import.meta.url));
const SYNC_WORKER = fileURLToPath(new URL('sync-worker.ts', import.meta.url));
const NODE_ARGS = ['--conditions=@mca/source', '--no-warnings'];
const MINUTE = 60_000;
/** How far the clocks of the processes are ahead, in minutes. */
const CLOCKS = [10, -10, 0];

type Time = 'database-clock' | 'own-clock';

describe.skipIf(!canRun)('processes on one Postgres whose clocks differ by ten minutes and more', () => {
  const place = onPostgres(server);
  const processes = workers();
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await processes.stop();
    for (const close of closing.splice(0).reverse()) await close();
    await place.clear();
  });

  async function open(where: string): Promise<FaultStore> {
    const store = await openFaultStore(where);
    closing.push(store.close);
    await store.storage.migrate();
    return store;
  }

  async function ask<Got>(child: ChildProcess, question: ClockQuestion): Promise<Got> {
    const said = answer<{ readonly got: Got }>(child);
    child.send(question);
    return (await said).got;
  }

  /** Starts a process for each of the clocks, and makes sure that its clock is what it should be. */
  async function startAll(where: string, time: Time): Promise<readonly ChildProcess[]> {
    const children = CLOCKS.map((minutes) => {
      const { command, args, env } = onClock(minutes, process.execPath, NODE_ARGS);
      const options = { execPath: command, execArgv: [...args], env: { ...WORKER_ENV, ...env } };
      return processes.start(CLOCK_WORKER, [where, `${minutes} minutes`, time], options);
    });
    await Promise.all(children.map((child) => answer(child)));
    for (const [index, child] of children.entries()) {
      const ahead = (await ask<number>(child, { ask: 'now' })) - Date.now();
      expect(Math.abs(ahead - (CLOCKS[index] ?? 0) * MINUTE), `clock ${index}`).toBeLessThan(MINUTE / 2);
    }
    return children;
  }

  interface Outcome {
    readonly grants: number;
    /** How often a second process became an owner while there was one. */
    readonly doubles: number;
    /** How often work or a connect flow went to none, to two, or to one too early. */
    readonly misled: number;
  }

  async function compete(time: Time, rounds: number): Promise<Outcome> {
    const where = place.fresh();
    const { storage } = await open(where);
    const children = [...(await startAll(where, time))];
    const random = seededRandom(78);
    let [doubles, misled, grants] = [0, 0, 0];
    for (let round = 0; round < rounds; round += 1) {
      const [holder, ...others] = children.sort(() => random() - 0.5) as [ChildProcess, ...ChildProcess[]];
      const resource = `r${round}`;
      const fence = await ask<number | undefined>(holder, { ask: 'acquire', resource, ttlMs: MINUTE });
      expect(fence).toBeDefined();
      grants += 1;
      for (const other of others) {
        if ((await ask(other, { ask: 'acquire', resource, ttlMs: MINUTE })) !== undefined) doubles += 1;
      }
      // What is due goes to one of them, and what is due in five minutes to none, whatever they think the time is.
      const now = Date.now();
      const [due, later] = [`due-${round}`, `later-${round}`];
      const plan = (id: string, dueAt: number) =>
        storage.putSchedule({ connectionId: id, capability: 'history', dueAt, blocked: false, failures: 0 });
      for (const id of [due, later]) {
        await storage.ensureConnection({ id, userId: 'ada', provider: 'spotify', kind: 'api', account: id });
        await plan(id, id === due ? now - 1_000 : now + 5 * MINUTE);
      }
      const claims: string[] = [];
      for (const child of [holder, ...others]) claims.push(...(await ask<string[]>(child, { ask: 'claim' })));
      if (claims.length !== 1 || claims[0] !== due) misled += 1;
      // Done with: the leases of a long run would end.
      for (const id of [due, later]) await plan(id, now + 86_400_000);
      // A connect flow that ends in five minutes is good for one of them.
      const hash = `${round}`.padStart(64, '0');
      await storage.putConnectState({ hash, userId: 'ada', sealed: 's', expiresAt: now + 5 * MINUTE });
      const taken: unknown[] = [];
      for (const child of [holder, ...others]) taken.push(await ask(child, { ask: 'take', hash }));
      if (taken.filter(Boolean).length !== 1) misled += 1;
      if (time === 'own-clock') continue;
      expect(await ask(holder, { ask: 'renew' })).toBe(true);
      await ask(holder, { ask: 'release' });
      const next = await ask<number | undefined>(others[0] as ChildProcess, {
        ask: 'acquire',
        resource,
        ttlMs: MINUTE,
      });
      expect(next).toBeGreaterThan(fence ?? 0);
    }
    return { grants, doubles, misled };
  }

  const rounds = isFull ? 200 : 8;

  test(`R-078 ${rounds} rounds of leases, due work and connect flows on Postgres: never two owners`, async () => {
    const { doubles, misled, grants } = await compete('database-clock', rounds);
    expect([doubles, misled]).toEqual([0, 0]);
    recordFigure(
      'R-078',
      `Postgres, clocks of +10, −10 and 0 minutes (faketime): ${grants} leases, ${doubles} double owners`,
    );
  });

  test('R-078 a store that asks the processes for the time is caught', async () => {
    const { doubles, misled } = await compete('own-clock', 5);
    expect(doubles).toBeGreaterThan(0);
    expect(misled).toBeGreaterThan(0);
    recordFigure('R-078', `a store that asks the processes for the time, 5 rounds: ${doubles} double owners`);
  });

  test('R-078 a lease ends by the clock of the database, for everybody at the same moment', async () => {
    const where = place.fresh();
    await open(where);
    const [ahead, behind, right] = (await startAll(where, 'database-clock')) as [
      ChildProcess,
      ChildProcess,
      ChildProcess,
    ];
    for (const [holder, heir] of [
      [ahead, behind],
      [behind, ahead],
      [right, behind],
    ] as const) {
      const resource = `r${holder.pid}`;
      const fence = await ask<number>(holder, { ask: 'acquire', resource, ttlMs: 60 });
      let next: number | undefined;
      while (next === undefined)
        next = await ask<number | undefined>(heir, { ask: 'acquire', resource, ttlMs: MINUTE });
      expect(next).toBeGreaterThan(fence);
      expect(await ask(holder, { ask: 'renew' })).toBe(false);
    }
  });

  /** One host is in the middle of a page when another one, twenty minutes ahead of it, wants to sync the same. */
  async function meet(time: Time): Promise<readonly { readonly status: string; readonly reason?: string }[]> {
    const where = place.fresh();
    const store = await open(where);
    const service = new FakeService({
      now: () => Date.now(),
      maxLimit: 10,
      authorise: ({ headers }) => headers.get('authorization')?.replace('Bearer ', ''),
    });
    const plays = Array.from({ length: 30 }, (_, index) => ({ id: `p${index}`, playedAt: index * MINUTE, title: 't' }));
    service.add('ada', ...plays);
    const held = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    let requests = 0;
    const listening = await serve(async (request) => {
      const isFirstPage = request.url.includes('/plays') && requests++ === 0;
      if (isFirstPage) {
        held.resolve();
        await goOn.promise;
      }
      return service.handle(request);
    });
    closing.push(listening.close);
    const registry = createRegistry({
      providers: [fakeProvider({ baseUrl: `${listening.origin}/v1` })],
      storage: store.storage,
      credentials: store.credentials,
      insecurePlaintextForTests: true,
    });
    await addConnection(registry, { userId: 'ada', provider: 'fake', credentials: { fields: { token: 'ada' } } });
    const start = async (minutes: number) => {
      const given = [...NODE_ARGS, SYNC_WORKER, 'once', where, listening.origin, 'ada', '0', time];
      const { command, args, env } = onClock(minutes, process.execPath, given);
      const child = spawn(command, args, { env: { ...WORKER_ENV, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
      const said = JSON.parse(await text(child.stdout)) as { status: string; reason?: string; now: number };
      expect(Math.round((said.now - Date.now()) / MINUTE)).toBe(minutes);
      return said;
    };
    const behind = start(-10);
    await held.promise;
    const ahead = await start(10);
    goOn.resolve();
    const reports = [await behind, ahead];
    if (time === 'database-clock') expect(await store.look('SELECT external_id FROM %items')).toHaveLength(30);
    return reports;
  }

  test('R-078 a host whose clock is twenty minutes ahead finds the other at work', async () => {
    const [behind, ahead] = await meet('database-clock');
    expect(ahead).toMatchObject({ status: 'skipped', reason: 'already_running' });
    expect(behind).toMatchObject({ status: 'complete' });
  });

  test('R-078 with a store that asks the hosts for the time, it would not: that is caught', async () => {
    const [, ahead] = await meet('own-clock');
    expect(ahead?.status).not.toBe('skipped');
  });
});

describe.skipIf(!server)('a holder on Postgres that is killed, at the real pace', () => {
  const place = onPostgres(server);

  test.runIf(isFull)(
    'R-079 another worker takes over within 75 seconds, and not before the lease has run out',
    async () => {
      const where = place.fresh();
      const store = await openFaultStore(where);
      const service = new FakeService({
        now: () => Date.now(),
        authorise: ({ headers }) => headers.get('authorization')?.replace('Bearer ', ''),
      });
      service.add('ada', { id: 'p', playedAt: Date.UTC(2025, 0, 1), title: 't' });
      const held = Promise.withResolvers<void>();
      let isHolding = true;
      const listening = await serve(async (request) => {
        if (!isHolding || !request.url.includes('/plays')) return service.handle(request);
        held.resolve();
        return new Promise(() => {});
      });
      const registry = createRegistry({
        providers: [fakeProvider({ baseUrl: `${listening.origin}/v1` })],
        storage: store.storage,
        credentials: store.credentials,
        insecurePlaintextForTests: true,
      });
      try {
        await addConnection(registry, { userId: 'ada', provider: 'fake', credentials: { fields: { token: 'ada' } } });
        const args = [...NODE_ARGS, SYNC_WORKER, 'schedule', where, listening.origin, 'ada'];
        const holder = spawn(process.execPath, args, { env: WORKER_ENV, stdio: ['ignore', 'ignore', 'inherit'] });
        await held.promise;
        holder.kill('SIGKILL');
        await once(holder, 'close');
        const killedAt = performance.now();
        isHolding = false;
        let byStatus: Readonly<Record<string, number>> = {};
        while (byStatus.complete === undefined) {
          await new Promise((later) => setTimeout(later, 500));
          byStatus = (await syncDue(registry)).byStatus;
        }
        const seconds = Math.round((performance.now() - killedAt) / 1_000);
        expect(seconds).toBeGreaterThan(50);
        expect(seconds).toBeLessThanOrEqual(75);
        expect(await store.look('SELECT external_id FROM %items')).toHaveLength(1);
        recordFigure('R-079', `Postgres, a holder killed at the real pace: taken over after ${seconds} s`);
      } finally {
        await registry.close();
        await listening.close();
        await store.close();
        await place.clear();
      }
    },
  );
});
