// One of many machines that ask a service under one limit. Argument: options as JSON. Says "ready", starts when told to,
// says "done" after its last request, and ends by itself once its client is closed.
import type { Env, RateLimiterFactory } from '@mca/core/adapter-kit';
import { redisLimiter } from '@mca/core/adapters/redis-limiter';
import { Redis } from 'ioredis';
import { makeEnv } from '../../src/runtime/env.ts';
import { bottleneckLimiters } from '../../src/runtime/http/bottleneck-limiter.ts';

/** What a worker is told. */
export interface LimitsWorkerOptions {
  readonly redis: string;
  readonly service: string;
  readonly shared: boolean;
  readonly count: number;
  readonly limit: { readonly requests: number; readonly perMs: number; readonly concurrency?: number };
  readonly placeMs?: number;
}

const options = JSON.parse(process.argv[2] ?? '{}') as LimitsWorkerOptions;
const client = new Redis(options.redis);
const limiters: RateLimiterFactory = options.shared
  ? redisLimiter({ client, placeMs: options.placeMs })
  : bottleneckLimiters();
const env: Env = makeEnv({});
const limiter = limiters.create({ key: 'service:app', limit: { scope: 'app', ...options.limit }, env });
const never = new AbortController().signal;

process.once('message', async () => {
  const requests = Array.from({ length: options.count }, () =>
    limiter.run(async () => (await fetch(options.service)).text(), never),
  );
  await Promise.all(requests);
  process.send?.('done');
});
// Nothing of ours may keep the process once the host lets go.
process.once('disconnect', () => client.disconnect());
await client.ping();
process.send?.('ready');
