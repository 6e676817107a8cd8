import { addConnection, createRegistry, type McaEvent, syncHistory } from '@mca/core';
import type { RateLimiter } from '@mca/core/adapter-kit';
import { memory } from '@mca/core/adapters/memory';
import { redisLimiter } from '@mca/core/adapters/redis-limiter';
import { FakeService, fakeProvider } from '@mca/core/testing';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { playsBefore } from '../../test/support/live-setup.ts';
import { hasRedis } from '../../test/support/redis.ts';
import {
  burst,
  cleanUpMachines,
  fullestWindow,
  machine,
  moment,
  never,
  started,
  until,
} from '../../test/support/redis-machines.ts';

cleanUpMachines();

describe('redisLimiter', () => {
  test('clients that are not of ioredis are refused: Bottleneck would wait for them for ever', () => {
    const nothing = async () => {};
    // The face of node-redis 4 to 6.
    const nodeRedis = {
      isOpen: true,
      isReady: true,
      eval: nothing,
      evalSha: nothing,
      ping: nothing,
      duplicate: nothing,
    };
    for (const client of [nodeRedis, undefined, null, {}, 'redis://localhost', { ...nodeRedis, status: 'ready' }])
      expect(() => redisLimiter({ client: client as never })).toThrow(
        expect.objectContaining({ code: 'configuration', reason: 'not_ioredis' }),
      );
  });

  test('numbers that cannot be are refused', () => {
    const client = new Redis({ lazyConnect: true });
    for (const wrong of [
      { machines: 0 },
      { machines: 1.5 },
      { marginMs: -1 },
      { timeoutMs: Number.NaN },
      { placeMs: 5 },
    ])
      expect(() => redisLimiter({ client, ...wrong })).toThrow(
        expect.objectContaining({ code: 'configuration', reason: 'bad_option' }),
      );
    client.disconnect();
  });
});

describe.skipIf(!hasRedis())('machines that share a Redis', () => {
  test('keep one limit together, by key; other keys and other prefixes have limits of their own', async () => {
    const { url } = await started();
    const machines = [machine(url), machine(url), machine(url, { prefix: 'other:' })];
    const limit = { requests: 4, perMs: 200 };
    const [first, second, other] = machines.map(({ make }) => make(limit)) as [RateLimiter, RateLimiter, RateLimiter];
    const another = machines[0]?.make(limit, 'service:two') as RateLimiter;
    const [together, apart, beside] = await Promise.all([
      burst([first, second], 20),
      burst([other], 8),
      burst([another], 8),
    ]);
    expect(fullestWindow(together, 200)).toBeLessThanOrEqual(4);
    expect((together.at(-1) ?? 0) - (together[0] ?? 0)).toBeGreaterThan(4 * 200);
    for (const starts of [apart, beside]) {
      expect(fullestWindow(starts, 200)).toBeLessThanOrEqual(4);
      expect((starts.at(-1) ?? 0) - (starts[0] ?? 0)).toBeLessThan((together.at(-1) ?? 0) - (together[0] ?? 0));
    }
  });

  test('sync through it, as part of a registry', async () => {
    const { url } = await started();
    const { client, limiter } = machine(url);
    const service = new FakeService({ now: () => Date.now(), maxLimit: 1 });
    service.add('ada', ...playsBefore(Date.now(), 6));
    const arrivals: number[] = [];
    const events: McaEvent[] = [];
    const registry = createRegistry({
      providers: [
        fakeProvider({
          baseUrl: 'https://service.test/v1',
          limits: [{ scope: 'app', requests: 2, perMs: 150, concurrency: 1 }],
        }),
      ],
      ...memory(),
      limiter,
      insecurePlaintextForTests: true,
      env: {
        fetch(input, init) {
          arrivals.push(performance.now());
          return service.fetch(input, init);
        },
      },
      onEvent: (event) => events.push(event),
    });
    await addConnection(registry, { userId: 'ada', provider: 'fake', credentials: { fields: { token: 'x' } } });
    const report = await syncHistory(registry, { userId: 'ada', provider: 'fake' });
    expect(report).toMatchObject({ status: 'complete', counts: { inserted: 6 } });
    expect(arrivals.length).toBeGreaterThan(6);
    expect(fullestWindow(arrivals, 150)).toBeLessThanOrEqual(2);
    expect(events).toContainEqual(expect.objectContaining({ type: 'request_waiting', cause: 'limit' }));
    expect(await client.keys('mca:limit:*')).not.toEqual([]);
    await registry.close();
  });

  test('keep one concurrency together', async () => {
    const { url } = await started();
    const machines = [machine(url), machine(url), machine(url)];
    const limiters = machines.map(({ make }) => make({ requests: 1_000, perMs: 1_000, concurrency: 2 }));
    let running = 0;
    let most = 0;
    const works = Array.from({ length: 30 }, (_, index) =>
      limiters[index % 3]?.run(async () => {
        running += 1;
        most = Math.max(most, running);
        await moment(5);
        running -= 1;
      }, never),
    );
    await Promise.all(works);
    expect(most).toBe(2);
  });

  test('pause together, and no pause shortens another', async () => {
    const { url } = await started();
    const [first, second] = [machine(url), machine(url)].map(({ make }) => make({ requests: 9, perMs: 50 })) as [
      RateLimiter,
      RateLimiter,
    ];
    first.pause(300);
    await moment(20);
    second.pause(50);
    const before = performance.now();
    await second.run(async () => {}, never);
    expect(performance.now() - before).toBeGreaterThan(240);
    expect(first.load + second.load).toBe(0);
  });

  test('leave keys that tell nothing of whom they are for, and that all expire', async () => {
    const { url } = await started();
    const { client, make, limiter } = machine(url, { placeMs: 100, prefix: 'host-a:' });
    const one = make({ requests: 2, perMs: 40, concurrency: 1 }, 'spotify:client-id-of-ada');
    one.pause(10);
    await burst([one], 5);
    const keys = await client.keys('*');
    expect(keys.filter((key) => !/^(b_)?host-a:limit:\{[0-9a-f]{32}\}:/.test(key))).toEqual([]);
    expect(keys.length).toBeGreaterThan(4);
    for (const key of keys) expect(await client.pttl(key), `${key} stays for ever`).not.toBe(-1);
    limiter.close();
    // The count of starts goes by itself; what Bottleneck keeps stays for a minute more than a place can be held.
    await until(async () => (await client.keys('host-a:*')).length === 0);
    for (const key of await client.keys('b_*')) expect(await client.pttl(key)).toBeLessThanOrEqual(60_100);
  });

  test('a place is given up when it is held for too long, and the work that holds it goes on', async () => {
    const { url } = await started();
    const [first, second] = [machine(url, { placeMs: 100 }), machine(url, { placeMs: 100 })].map(({ make }) =>
      make({ requests: 100, perMs: 100, concurrency: 1 }),
    ) as [RateLimiter, RateLimiter];
    let end = (): void => {};
    const long = first.run(
      () =>
        new Promise<string>((resolve) => {
          end = () => resolve('ended');
        }),
      never,
    );
    await moment(50);
    await second.run(async () => {}, never);
    end();
    expect(await long).toBe('ended');
    // Also for the machine itself.
    await first.run(async () => {}, never);
    expect([first.load, second.load]).toEqual([0, 0]);
  });

  test('work that is called off while it waits for a place of others leaves none behind', async () => {
    const { url } = await started();
    const [first, second] = [machine(url), machine(url)].map(({ make }) =>
      make({ requests: 100, perMs: 100, concurrency: 1 }),
    ) as [RateLimiter, RateLimiter];
    let end = (): void => {};
    const held = first.run(
      () =>
        new Promise<void>((resolve) => {
          end = resolve;
        }),
      never,
    );
    await moment(50);
    const controller = new AbortController();
    const waiting = second.run(async () => {}, controller.signal);
    await moment(50);
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    expect(second.load).toBe(0);
    end();
    await held;
    await burst([first, second], 6);
  });

  test('a start that nobody wants any more is not counted', async () => {
    const { url } = await started();
    const [first, second] = [machine(url, { marginMs: 1_000 }), machine(url)];
    const evalsha = first.client.evalsha.bind(first.client) as (...args: unknown[]) => Promise<unknown>;
    let isAnswered = false;
    const slow = async (...args: unknown[]) => {
      const answer = await evalsha(...args);
      // Not what is told when work is over: the question for a start.
      isAnswered ||= args.length === 9;
      await moment(50);
      return answer;
    };
    Object.assign(first.client, { evalsha: slow });
    const limit = { requests: 1, perMs: 60_000 };
    // Redis gets to know the script.
    await first.make(limit, 'another').run(async () => {}, never);
    isAnswered = false;
    const controller = new AbortController();
    const gone = first.make(limit).run(async () => {}, controller.signal);
    await until(() => isAnswered);
    controller.abort();
    await expect(gone).rejects.toMatchObject({ code: 'cancelled' });
    const counted = async () => {
      const keys = await second.client.keys('*:starts');
      return (await Promise.all(keys.map((key) => second.client.zcard(key)))).reduce((sum, each) => sum + each, 0);
    };
    // The one of the other limiter is left.
    await until(async () => (await counted()) === 1);
    const before = performance.now();
    await second.make(limit).run(async () => {}, never);
    expect(performance.now() - before).toBeLessThan(5_000);
  });

  test('what others leave of the limit is known after asking', async () => {
    const { url } = await started();
    const [first, second] = [machine(url), machine(url)].map(({ make }) => make({ requests: 2, perMs: 1_000 })) as [
      RateLimiter,
      RateLimiter,
    ];
    await burst([first], 2);
    expect(first.freeAt - Date.now()).toBeGreaterThan(500);
    const waiting = second.run(async () => {}, never);
    await moment(50);
    expect(second.load).toBe(1);
    expect(second.freeAt - Date.now()).toBeGreaterThan(500);
    await waiting;
  });

  test('limiters that are idle give their channels and heartbeats back', async () => {
    const { url } = await started();
    const { client, make, skip } = machine(url);
    const channels = async () => ((await client.pubsub('CHANNELS')) as string[]).length;
    for (let index = 0; index < 5; index += 1)
      await make({ requests: 9, perMs: 50, concurrency: 1 }, `connection-${index}`).run(async () => {}, never);
    expect(await channels()).toBe(10);
    skip(61_000);
    await make({ requests: 9, perMs: 50, concurrency: 1 }, 'last').run(async () => {}, never);
    await until(async () => (await channels()) === 2);
  });

  test('a Redis whose clock was set back makes nobody wait for it to catch up', async () => {
    const { url } = await started();
    const { client, make } = machine(url, { prefix: 'p:' });
    const limiter = make({ requests: 1, perMs: 50 });
    await limiter.run(async () => {}, never);
    const [key = ''] = await client.keys('p:*:starts');
    const [member = ''] = await client.zrange(key, '0', '-1');
    await client.zadd(key, Date.now() + 3_600_000, member);
    const before = performance.now();
    await limiter.run(async () => {}, never);
    expect(performance.now() - before).toBeLessThan(2_000);
  });

  test('a grant that took longer than the margin is asked for again, once', async () => {
    const { url } = await started();
    const { client, make } = machine(url, { marginMs: 10 });
    let takes = 0;
    const evalsha = client.evalsha.bind(client) as (...args: unknown[]) => Promise<unknown>;
    const slow = async (...args: unknown[]) => {
      if (args.length === 9) takes += 1;
      const answer = await evalsha(...args);
      await moment(30);
      return answer;
    };
    Object.assign(client, { evalsha: slow });
    const limiter = make({ requests: 2, perMs: 200 });
    const starts = await burst([limiter], 4);
    expect(takes).toBeGreaterThanOrEqual(8);
    expect(fullestWindow(starts, 200)).toBeLessThanOrEqual(2);
  });
});
