import { redisLimiter } from '@mca/core/adapters/redis-limiter';
import { limiterConformance } from '@mca/core/testing';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasRedis, someRedis } from '../../test/support/redis.ts';

let server: Awaited<ReturnType<typeof someRedis>>;
let client: Redis;
let cases = 0;
const opened: ReturnType<typeof redisLimiter>[] = [];

describe.skipIf(!hasRedis('or any'))('the shared limiter', () => {
  beforeAll(async () => {
    server = await someRedis();
    client = new Redis(server?.url ?? '');
  });
  afterAll(async () => {
    for (const limiter of opened) limiter.close();
    client.disconnect();
    await server?.stop();
  });

  function open() {
    cases += 1;
    const limiter = redisLimiter({ client, prefix: `${process.pid}-${cases}:`, marginMs: 100 });
    opened.push(limiter);
    return limiter;
  }

  // Redis has a clock of its own: windows of a second are windows of 50 ms here.
  for (const { id, title, run } of limiterConformance(open, { realTimeScale: 1 / 20 })) test(`${id} ${title}`, run);

  const [, , edge] = limiterConformance(open, { realTimeScale: process.env.MCA_TEST_FULL ? 1 : 1 / 4 });
  test(`${edge?.id} ${edge?.title}: the scale is only a parameter`, () => edge?.run());

  test('a limiter that starts one too many is found out in real time, too', async () => {
    const broken = () => {
      const limiter = open();
      return {
        create: (request: Parameters<typeof limiter.create>[0]) =>
          limiter.create({ ...request, limit: { ...request.limit, requests: request.limit.requests + 1 } }),
      };
    };
    const [burst] = limiterConformance(broken, { realTimeScale: 1 / 20 });
    await expect(burst?.run()).rejects.toThrow(/started within 1000 ms, 5 are allowed/);
  });
});
