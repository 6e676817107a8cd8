import { EventEmitter } from 'node:events';
import { type RedisClient, redisLimiter } from '@mca/core/adapters/redis-limiter';
import { Redis } from 'ioredis';
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

const LIMIT = { requests: 5, perMs: 300 };
const AWAY = { level: 'error', message: 'Redis is away: rate limits are kept by each machine for itself' };
const BACK = { level: 'info', message: 'Redis is back: rate limits are shared again' };

describe.skipIf(!hasRedis())('a Redis that answers PING and refuses what is needed', () => {
  const refusals: Readonly<Record<string, readonly [refuse: readonly string[], mend: readonly string[]]>> = {
    'scripts, by its ACL': [
      ['ACL', 'SETUSER', 'lim', '-eval', '-evalsha'],
      ['ACL', 'SETUSER', 'lim', '+eval', '+evalsha'],
    ],
    'scripts by name, by its ACL': [
      ['ACL', 'SETUSER', 'lim', '-evalsha'],
      ['ACL', 'SETUSER', 'lim', '+evalsha'],
    ],
    'one command of the scripts': [
      ['ACL', 'SETUSER', 'lim', '-zadd'],
      ['ACL', 'SETUSER', 'lim', '+zadd'],
    ],
    'writing, since it became a replica': [
      ['REPLICAOF', '127.0.0.1', '1'],
      ['REPLICAOF', 'NO', 'ONE'],
    ],
    'writing, since its memory is full': [
      ['CONFIG', 'SET', 'maxmemory', '1'],
      ['CONFIG', 'SET', 'maxmemory', '0'],
    ],
  };
  // At once, each with a Redis of its own: they wait most of the time.
  test('work goes on alone, whatever it refuses, and it is told once each way', async () => {
    await Promise.all(Object.values(refusals).map(goesOnAlone));
  });

  async function goesOnAlone([refuse, mend]: readonly [readonly string[], readonly string[]]): Promise<void> {
    const { url } = await started();
    const { client: admin } = machine(url);
    const say = ([command = '', ...args]: readonly string[]) => admin.call(command, ...args);
    await say(['ACL', 'SETUSER', 'lim', 'on', '>pw', '~*', '&*', '+@all']);
    const { client, make, lines } = machine(url, { timeoutMs: 200 }, { username: 'lim', password: 'pw' });
    await client.ping();
    const limiter = make(LIMIT);
    const starts = await burst([limiter], 1);
    await say(refuse);
    const before = performance.now();
    // Three windows and the hold before them, in which it is asked again and again whether it is back.
    starts.push(...(await burst([limiter], 15)));
    expect(performance.now() - before).toBeLessThan(5_000);
    expect(lines).toEqual([AWAY]);
    await say(mend);
    await until(async () => {
      starts.push(...(await burst([limiter], 1)));
      return isBack({ lines });
    });
    starts.push(...(await burst([limiter], 10)));
    expect(lines).toEqual([AWAY, BACK]);
    expect(fullestWindow(starts, LIMIT.perMs)).toBeLessThanOrEqual(LIMIT.requests);
  }

  test('a hold that runs is not made longer by a Redis that comes and goes', async () => {
    const { url } = await started();
    const { client, make, lines } = machine(url, { timeoutMs: 50 });
    const evalsha = client.evalsha.bind(client) as (...args: unknown[]) => Promise<unknown>;
    let isBroken = false;
    // Says yes to the probe and to what is told, and no to each question for a start.
    const fickle = async (...args: unknown[]) => {
      if (isBroken && args.length === 9) throw new Error('not now');
      return await evalsha(...args);
    };
    Object.assign(client, { evalsha: fickle });
    const limiter = make(LIMIT);
    await burst([limiter], 1);
    isBroken = true;
    const before = performance.now();
    await burst([limiter], 10);
    expect(performance.now() - before).toBeLessThan(8_000);
    expect(lines[0]?.level).toBe('warn');
  });

  test('what is told to Redis lives as long as its window and the margin', async () => {
    const { url } = await started();
    const { client, make } = machine(url, { marginMs: 30_000 });
    const limiter = make({ requests: 5, perMs: 1_000 });
    await limiter.run(async () => {}, never);
    await client.flushall();
    const controller = new AbortController();
    const held = limiter.run(async () => {}, controller.signal);
    let key: string | undefined;
    await until(async () => {
      [key] = await client.keys('*:starts');
      return key !== undefined;
    });
    expect(await client.pttl(key ?? '')).toBeGreaterThan(31_000);
    // Of machines with other margins the largest counts, whoever speaks last.
    const late = machine(url, { marginMs: 100 });
    await late.make({ requests: 5, perMs: 1_000 }).run(async () => {}, never);
    expect(await client.pttl(key ?? '')).toBeGreaterThan(31_000);
    controller.abort();
    await expect(held).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('answers that no script of ours gives', () => {
  /** A client that answers everything so. */
  function odd(answer: unknown) {
    const asked = { count: 0 };
    const say = async () => {
      asked.count += 1;
      return answer;
    };
    const client = Object.assign(new EventEmitter(), {
      status: 'ready',
      evalsha: say,
      eval: say,
      ping: async () => 'PONG',
      duplicate: () => client,
      defineCommand() {},
      pipeline() {},
    }) as unknown as RedisClient;
    return { client, asked };
  }

  const odds: readonly unknown[] = [
    ...[null, undefined, 'OK', {}, 1, 0, [null, null], ['x'], ['x', 'y'], [1], [1, 0, 0], ['', '']],
    ...[
      [2, 0],
      [0, 0],
      [1, -5],
      [1, Number.POSITIVE_INFINITY],
    ],
  ];
  const named = odds.map((answer) => [JSON.stringify(answer) ?? 'undefined', answer] as const);
  test.for(named)('%s is Redis away: work goes on, without a storm of questions', async ([, answer]) => {
    const { client, asked } = odd(answer);
    const { make, lines } = machine('redis://127.0.0.1:1', { client, timeoutMs: 50 }, { lazyConnect: true });
    const starts = await burst([make(LIMIT)], 10);
    expect(fullestWindow(starts, LIMIT.perMs)).toBeLessThanOrEqual(LIMIT.requests);
    expect(lines.map(({ level }) => level)).toEqual(['warn']);
    expect(asked.count).toBeLessThan(100);
  });

  test('numbers as texts are numbers: a client may be told to hand them out so', async () => {
    const { client } = odd(['1', '0']);
    const { make, lines } = machine('redis://127.0.0.1:1', { client }, { lazyConnect: true });
    await burst([make(LIMIT)], 1);
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('a logger that throws keeps nobody waiting', async () => {
    const { client } = odd(null);
    const fail = () => {
      throw new Error('no logger');
    };
    const given = machine('redis://127.0.0.1:1', { client, timeoutMs: 50 }, { lazyConnect: true });
    Object.assign(given.env.logger, { warn: fail, error: fail, info: fail });
    expect(await given.make(LIMIT).run(async () => 'ran', never)).toBe('ran');
  });

  test('what nobody thought of is told to whoever waits, and to nobody else', async () => {
    const { client } = odd([1, 0]);
    const given = machine('redis://127.0.0.1:1', { client }, { lazyConnect: true });
    const limiter = given.make(LIMIT);
    Object.assign(given.env.clock, {
      monotonic() {
        throw new Error('no clock');
      },
    });
    await expect(limiter.run(async () => {}, never)).rejects.toThrow('no clock');
    expect(limiter.load).toBe(0);
  });
});

describe.skipIf(!hasRedis())('close() with work waiting', () => {
  test('makes no connection again; what waits goes on by its share, and is still counted', async () => {
    const { url } = await started();
    const { client: admin } = machine(url);
    const connections = async () => ((await admin.client('LIST')) as string).trim().split('\n').length;
    const { make, limiter: factory, lines } = machine(url, { machines: 2 });
    const limiter = make({ requests: 50, perMs: 300, concurrency: 4 });
    await until(async () => (await connections()) === 2);
    let end = (): void => {};
    const isOver = new Promise<void>((resolve) => {
      end = resolve;
    });
    let running = 0;
    let most = 0;
    let startedAfter = 0;
    const work = async (): Promise<void> => {
      running += 1;
      most = Math.max(most, running);
      await isOver;
      running -= 1;
    };
    const holding = Array.from({ length: 4 }, () => limiter.run(work, never));
    await until(() => running === 4);
    expect(await connections()).toBe(4);
    const waiting = Array.from({ length: 6 }, () =>
      limiter.run(async () => {
        startedAfter += 1;
        running += 1;
        // Half of what all may do together.
        expect(running).toBeLessThanOrEqual(2);
        await moment(5);
        running -= 1;
      }, never),
    );
    factory.close();
    await until(async () => (await connections()) === 2);
    end();
    await Promise.all([...holding, ...waiting]);
    expect([most, startedAfter]).toEqual([4, 6]);
    const [starts = ''] = await admin.keys('*:starts');
    expect(await admin.zcard(starts)).toBe(10);
    // Nothing of this was an outage, nor opened anything.
    await burst([limiter], 5);
    expect(await connections()).toBe(2);
    expect(lines).toEqual([]);
  });

  test('before its connections are there at all', async () => {
    const { url } = await started();
    const { client: admin } = machine(url);
    const { make, limiter: factory } = machine(url);
    const first = make({ requests: 50, perMs: 300, concurrency: 1 }).run(async () => 'ran', never);
    factory.close();
    expect(await first).toBe('ran');
    await until(async () => ((await admin.client('LIST')) as string).trim().split('\n').length === 2);
  });
});

test('a factory that is closed twice, or before it was used, is closed', () => {
  const client = new Redis({ lazyConnect: true });
  const factory = redisLimiter({ client });
  factory.close();
  expect(() => factory.close()).not.toThrow();
  client.disconnect();
});
