import type { AnyProvider, RegistryOptions } from '@mca/core';
import { redisLimiter } from '@mca/core/adapters/redis-limiter';

/** Limits that all workers share, where there is a Redis. Without one, each worker keeps to a share of its own. */
export async function sharedLimits(
  url: string | undefined,
): Promise<{ readonly options: Pick<RegistryOptions<readonly AnyProvider[]>, 'limiter'>; close(): void }> {
  if (!url) return { options: {}, close() {} };
  const { Redis } = await import('ioredis');
  const client = new Redis(url);
  return { options: { limiter: redisLimiter({ client }) }, close: () => client.disconnect() };
}
