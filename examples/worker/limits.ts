import type { AnyProvider, RegistryOptions } from '@mca/core';
import { redisLimiter } from '@mca/core/adapters/redis-limiter';

/** How many workers there are: while Redis is away each keeps to its part. */
const WORKERS = 3;

/** Limits that all workers share, where there is a Redis. Without one, each worker keeps to a share of its own. */
export async function sharedLimits(
  url: string | undefined,
): Promise<{ readonly options: Pick<RegistryOptions<readonly AnyProvider[]>, 'limiter'>; close(): void }> {
  if (!url) return { options: {}, close() {} };
  const { Redis } = await import('ioredis');
  const client = new Redis(url);
  client.on('error', ({ message }) => console.error('redis:', message));
  return {
    options: { limiter: redisLimiter({ client, machines: WORKERS, prefix: 'mca-example:' }) },
    close: () => client.disconnect(),
  };
}
