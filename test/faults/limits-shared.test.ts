import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hasRedis, someRedis } from '../support/redis.ts';
import { recordFigure } from '../support/reliability.ts';
import type { LimitsWorkerOptions } from './limits-worker.ts';

const isFull = process.env.MCA_TEST_FULL === '1';
const WORKER = fileURLToPath(new URL('limits-worker.ts', import.meta.url));
const MACHINES = 10;
/** A second in the full run; scaled down otherwise. */
const PER_MS = isFull ? 1_000 : 250;

let redis: Awaited<ReturnType<typeof someRedis>>;
let server: Server;
let service = '';
/** When requests arrived, by the service's own clock. */
let arrivals: number[] = [];
let answer = (respond: () => void): void => respond();
const children = new Set<ChildProcess>();

describe.skipIf(!hasRedis('or any'))('limits shared through Redis', () => {
  beforeAll(async () => {
    redis = await someRedis();
  });
  afterAll(() => redis?.stop());
  beforeEach(async () => {
    arrivals = [];
    answer = (respond) => respond();
    server = createServer((_, response) => {
      arrivals.push(performance.now());
      answer(() => response.end('fine'));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    service = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = new Redis(redis?.url ?? '');
    for (const key of await client.keys('*mca:limit:*')) await client.del(key);
    client.disconnect();
  });
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    children.clear();
    server.closeAllConnections();
    server.close();
  });

  async function worker(options: Partial<LimitsWorkerOptions>): Promise<ChildProcess> {
    const whole = { redis: redis?.url, service, shared: true, limit: { requests: 20, perMs: PER_MS }, ...options };
    const child = fork(WORKER, [JSON.stringify({ count: 1, ...whole })], {
      execArgv: ['--conditions=@mca/source', '--no-warnings'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    children.add(child);
    const [said] = await once(child, 'message');
    expect(said).toBe('ready');
    return child;
  }

  async function finish(child: ChildProcess): Promise<void> {
    const done = once(child, 'message');
    child.send('go');
    expect((await done)[0]).toBe('done');
  }

  /** How many requests the fullest window at the service holds. */
  function fullestWindow(): number {
    let most = 0;
    let first = 0;
    for (const [index, at] of arrivals.entries()) {
      while (at - (arrivals[first] ?? at) >= PER_MS) first += 1;
      most = Math.max(most, index - first + 1);
    }
    return most;
  }

  const COUNT = isFull ? 40 : 30;

  test(`R-033 ${MACHINES} processes over one Redis send ${MACHINES * COUNT} requests, never more than 20 in ${PER_MS} ms`, async () => {
    const machines = await Promise.all(Array.from({ length: MACHINES }, () => worker({ count: COUNT })));
    await Promise.all(machines.map(finish));
    expect(arrivals).toHaveLength(MACHINES * COUNT);
    expect(fullestWindow()).toBeLessThanOrEqual(20);
    // And it is made use of: had the limit been kept at half of it, this would take twice as long.
    const tookMs = (arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0);
    const atBestMs = (arrivals.length / 20 - 1) * PER_MS;
    recordFigure(
      'R-033',
      `${arrivals.length} requests, ${fullestWindow()} in the fullest window of 20, ${((atBestMs / tookMs) * 100).toFixed(0)} % of what the limit allows`,
    );
  });

  test('R-033 the same ten with limits of their own exceed it: the measurement can fail', async () => {
    const machines = await Promise.all(Array.from({ length: MACHINES }, () => worker({ count: 20, shared: false })));
    await Promise.all(machines.map(finish));
    expect(fullestWindow()).toBeGreaterThan(20);
  });

  test('R-033 a process killed in mid-work holds its place for a bounded time only', async () => {
    const limit = { requests: 100, perMs: PER_MS, concurrency: 1 };
    const [dying, waiting] = await Promise.all([
      worker({ limit, placeMs: 800 }),
      worker({ limit, placeMs: 800, count: 3 }),
    ]);
    const asked = once(server, 'request');
    answer = () => {};
    dying.send('go');
    await asked;
    answer = (respond) => respond();
    const done = finish(waiting);
    dying.kill('SIGKILL');
    const killedAt = performance.now();
    await done;
    expect(arrivals).toHaveLength(4);
    // Its place was not given away before it was over, either.
    const freedAfterMs = (arrivals[1] ?? 0) - killedAt;
    expect(freedAfterMs).toBeGreaterThan(300);
    expect(freedAfterMs).toBeLessThan(30_000);
    recordFigure('R-033', `place of a killed process free after ${freedAfterMs.toFixed(0)} ms, held for 800 ms`);
  });

  test('R-042 a process ends once the host has closed its client', async () => {
    const limit = { requests: 100, perMs: PER_MS, concurrency: 2 };
    const machine = await worker({ limit, count: 5 });
    await finish(machine);
    const exited = once(machine, 'exit');
    const before = performance.now();
    machine.disconnect();
    expect(await exited).toEqual([0, null]);
    recordFigure('R-042', `exit ${(performance.now() - before).toFixed(0)} ms after the client was closed`);
  });
});
