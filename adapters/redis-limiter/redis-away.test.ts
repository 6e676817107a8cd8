import type { RedisOptions } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { hasRedis } from '../../test/support/redis.ts';
import {
  burst,
  cleanUpMachines,
  fullestWindow,
  isBack,
  machine,
  moment,
  never,
  started,
  until,
} from '../../test/support/redis-machines.ts';

cleanUpMachines();

describe.skipIf(!hasRedis())('when Redis goes away', () => {
  test('work goes on by the share of each machine, and together again when it is back; it is told once each', async () => {
    const server = await started();
    const settings = { machines: 2, timeoutMs: 500 };
    const machines = [machine(server.url, settings), machine(server.url, settings)];
    const limit = { requests: 6, perMs: 150 };
    const limiters = machines.map(({ make }) => make(limit));
    const starts: number[] = [];
    let isOver = false;
    /** Never fewer than ten waiting on each machine. */
    const keepBusy = limiters.flatMap((limiter) =>
      Array.from({ length: 10 }, async () => {
        while (!isOver)
          await limiter.run(async () => {
            starts.push(performance.now());
            await moment(1);
          }, never);
      }),
    );
    const goOn = async () => {
      const soFar = starts.length;
      await until(() => starts.length > soFar + 30);
    };
    await goOn();
    await server.kill();
    await goOn();
    await server.start();
    await until(() => machines.every(isBack));
    await goOn();
    isOver = true;
    await Promise.all(keepBusy);
    expect(fullestWindow(starts, 150)).toBeLessThanOrEqual(6);
    for (const { lines } of machines) {
      const told = [
        { level: 'warn', message: 'Redis is away: rate limits are kept by each machine for itself' },
        { level: 'info', message: 'Redis is back: rate limits are shared again' },
      ];
      // Once each time, however much was started meanwhile.
      expect(lines).toEqual(lines.map((_, index) => told[index % 2]));
      expect(lines.length).toBeGreaterThanOrEqual(2);
    }
  });

  /** Two machines, which have spoken to Redis already, and a limit of 6 in 600 ms. */
  async function pair(machines: number) {
    const server = await started();
    const settings = { machines, timeoutMs: 50 };
    const [first, second] = [machine(server.url, settings), machine(server.url, settings)] as const;
    await Promise.all([first.client.ping(), second.client.ping()]);
    const limit = { requests: 6, perMs: 600 };
    return { server, first, second, one: first.make(limit), other: second.make(limit) };
  }

  test('nobody adds the share of a machine to what another has just started with it', async () => {
    const { server, one, other } = await pair(2);
    const starts = await burst([one], 6);
    server.hang();
    starts.push(...(await burst([other], 3)));
    expect(fullestWindow(starts, 600)).toBeLessThanOrEqual(6);
    server.resume();
  });

  test('what one machine started alone is told to Redis when it is back', async () => {
    const { server, first, second, one, other } = await pair(1);
    server.hang();
    const starts = await burst([one], 6);
    const next = burst([one], 1);
    server.resume();
    // Told with the seventh in line; the other machine has noticed nothing of all this.
    const told = async () => (await second.client.zcard((await second.client.keys('*:starts'))[0] ?? '')) >= 6;
    await until(() => isBack(first));
    await until(told);
    starts.push(...(await burst([other], 6)), ...(await next));
    expect(
      fullestWindow(
        starts.sort((a, b) => a - b),
        600,
      ),
    ).toBeLessThanOrEqual(6);
  });

  test('who is back first leaves room for what others have not told yet', async () => {
    const { server, first, one, other } = await pair(2);
    server.hang();
    const starts = (await Promise.all([burst([one], 3), burst([other], 3)])).flat();
    const next = burst([one], 6);
    server.resume();
    await until(() => isBack(first));
    starts.push(...(await next));
    expect(
      fullestWindow(
        starts.sort((a, b) => a - b),
        600,
      ),
    ).toBeLessThanOrEqual(6);
  });

  test('a pause that came meanwhile is told to all', async () => {
    const { server, first, second, one, other } = await pair(1);
    server.hang();
    await burst([one], 1);
    const before = performance.now();
    one.pause(1_500);
    const next = burst([one], 1);
    server.resume();
    await until(() => isBack(first));
    await until(async () => (await second.client.keys('*:pause')).length === 1);
    await burst([other], 1);
    expect(performance.now() - before).toBeGreaterThan(1_400);
    await next;
  });

  test('one that loses its memory while nobody looks is told what was started', async () => {
    const { url } = await started();
    const { client, make } = machine(url);
    const limiter = make({ requests: 5, perMs: 300 });
    const starts = await burst([limiter], 5);
    await client.flushall();
    starts.push(...(await burst([limiter], 5)));
    expect(fullestWindow(starts, 300)).toBeLessThanOrEqual(5);
  });

  const settings: Readonly<Record<string, RedisOptions>> = {
    'as ioredis has it': {},
    'that waits for ever': { maxRetriesPerRequest: null, enableOfflineQueue: true },
    'that waits for nothing': { maxRetriesPerRequest: 0, enableOfflineQueue: false },
  };
  test.for(Object.entries(settings))('a Redis that hangs holds nobody up, with a client %s', async ([, more]) => {
    const server = await started();
    const { client, make, lines, timers } = machine(server.url, { timeoutMs: 100 }, more);
    await until(() => client.status === 'ready');
    const limit = { requests: 5, perMs: 50, concurrency: 2 };
    const limiter = make(limit);
    await burst([limiter], 5);
    server.hang();
    const starts = await burst([limiter], 20, 5);
    expect(fullestWindow(starts, 50)).toBeLessThanOrEqual(5);
    expect(lines.at(-1)?.level).toBe('warn');
    // A pause holds without it, too, and is told to it later.
    limiter.pause(200);
    const before = performance.now();
    await limiter.run(async () => {}, never);
    expect(performance.now() - before).toBeGreaterThan(190);
    server.resume();
    await until(async () => {
      await limiter.run(async () => {}, never);
      return isBack({ lines });
    });
    expect(fullestWindow(await burst([limiter], 20, 5), 50)).toBeLessThanOrEqual(5);
    expect(limiter.load).toBe(0);
    await until(() => timers.size === 0, 1_000);
  });

  test('a wrong password is logged as what somebody has to mend, and work goes on', async () => {
    const server = await started(['--requirepass', 'right']);
    const { make, lines } = machine(server.url, { timeoutMs: 100, machines: 2 }, { password: 'wrong' });
    const limiter = make({ requests: 4, perMs: 50, concurrency: 1 });
    const starts = await burst([limiter], 10);
    // Half of the limit: there is another machine.
    expect(fullestWindow(starts, 50)).toBeLessThanOrEqual(2);
    expect(lines).toHaveLength(1);
    expect(lines[0]?.level).toMatch(/error|warn/);
  });

  test('one that was never there is no obstacle; limits smaller than the machines are kept less often', async () => {
    const server = await started();
    await server.kill();
    const { make, lines } = machine(server.url, { timeoutMs: 100, machines: 4 });
    const starts = await burst([make({ requests: 2, perMs: 50 })], 4);
    // A quarter of 2 in 50 ms is 1 in 100 ms.
    expect(fullestWindow(starts, 100)).toBeLessThanOrEqual(1);
    expect(lines).toHaveLength(1);
  });

  test('a client that the host has closed is away as well', async () => {
    const { url } = await started();
    const { client, make, lines } = machine(url, { timeoutMs: 100 });
    const limiter = make({ requests: 4, perMs: 50, concurrency: 2 });
    await burst([limiter], 4);
    await client.quit();
    await burst([limiter], 8);
    expect(lines).toHaveLength(1);
  });

  test('connections of its own that break are made again', async () => {
    const { url } = await started();
    const { client, make, lines } = machine(url);
    const limiter = make({ requests: 100, perMs: 100, concurrency: 1 });
    await burst([limiter], 3);
    const before = performance.now();
    for (let round = 0; round < 10; round += 1) {
      await client.client('KILL', 'TYPE', 'PUBSUB');
      await burst([limiter], 3);
      // In the midst of it: what was held then is given back by another way, long before its time is over.
      const works = burst([limiter], 3, 10);
      await moment(round * 3);
      await client.call('CLIENT', 'KILL', 'SKIPME', 'yes', 'TYPE', 'normal');
      await works;
    }
    expect(performance.now() - before).toBeLessThan(45_000);
    expect(lines).toEqual([]);
  });

  test('a Redis that refuses further connections is away for concurrency', async () => {
    const { url } = await started();
    const { client, make, lines } = machine(url, { timeoutMs: 100 });
    await client.config('SET', 'maxclients', '1');
    await burst([make({ requests: 50, perMs: 100, concurrency: 1 })], 5);
    expect(lines[0]?.level).toBe('warn');
  });
});
