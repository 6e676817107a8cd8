import type { Env, RateLimiter } from '@mca/core/adapter-kit';
import { redisLimiter } from '@mca/core/adapters/redis-limiter';
import { Redis, type RedisOptions } from 'ioredis';
import { afterEach, beforeEach, expect } from 'vitest';
import { type RedisServer, redisServer } from './redis.ts';

interface Line {
  readonly level: string;
  readonly message: string;
}

const cleanUp: (() => unknown)[] = [];
const rejections: unknown[] = [];
const noteRejection = (error: unknown): unknown => rejections.push(error);

/** Ends what tests started, and fails those that left a rejection to nobody. */
export function cleanUpMachines(): void {
  beforeEach(() => {
    process.on('unhandledRejection', noteRejection);
  });
  afterEach(async () => {
    for (const undo of cleanUp.splice(0).reverse()) await undo();
    await moment(20);
    process.off('unhandledRejection', noteRejection);
    expect(rejections.splice(0)).toEqual([]);
  });
}

/** A Redis that ends with the test. */
export async function started(flags: readonly string[] = []): Promise<RedisServer> {
  const server = await redisServer(flags);
  if (!server) throw new Error('Tests with a server are skipped without one');
  cleanUp.push(server.stop);
  return server;
}

/** One machine: a client, a limiter, an environment of its own. */
export function machine(
  url: string,
  options: Partial<Parameters<typeof redisLimiter>[0]> = {},
  more: RedisOptions = {},
) {
  // Fast to come back, so that tests are.
  const client = new Redis(url, { retryStrategy: () => 20, ...(more as object) });
  client.on('error', () => {});
  cleanUp.push(() => client.disconnect());
  const lines: Line[] = [];
  let aheadMs = 0;
  const log = (level: string) => (message: string) => void lines.push({ level, message });
  const timers = new Set<ReturnType<typeof setTimeout>>();
  const env: Env = {
    clock: { now: () => Date.now() + aheadMs, monotonic: () => performance.now() + aheadMs },
    timers: {
      after(ms, run) {
        const timer = setTimeout(() => {
          timers.delete(timer);
          run();
        }, ms);
        timers.add(timer);
        return () => {
          timers.delete(timer);
          clearTimeout(timer);
        };
      },
    },
    random: { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) },
    logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    fetch: () => Promise.reject(new Error('A limiter fetches nothing')),
  };
  const limiter = redisLimiter({ client, marginMs: 100, ...options });
  cleanUp.push(() => limiter.close());
  return {
    client,
    env,
    lines,
    timers,
    limiter,
    skip(ms: number) {
      aheadMs += ms;
    },
    make: (limit: { requests: number; perMs: number; concurrency?: number }, key = 'service:one') =>
      limiter.create({ key, limit: { scope: 'app', ...limit }, env }),
  };
}

/** A signal that does not fire. */
export const never: AbortSignal = new AbortController().signal;

/** Real time: Redis goes by no other. */
export const moment = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));

/** So many pieces of work at once, spread over the limiters; answers when each started. */
export async function burst(limiters: readonly RateLimiter[], count: number, ms = 1): Promise<number[]> {
  const starts: number[] = [];
  const works = Array.from({ length: count }, (_, index) =>
    limiters[index % limiters.length]?.run(async () => {
      starts.push(performance.now());
      await moment(ms);
    }, never),
  );
  await Promise.all(works);
  return starts;
}

/** How many starts the fullest window holds. */
export function fullestWindow(starts: readonly number[], perMs: number): number {
  return Math.max(...starts.map((from) => starts.filter((at) => at >= from && at < from + perMs).length));
}

/** Whether Redis went and came back. On a machine that is busy it may seem to have gone more than once. */
export function isBack({ lines }: { readonly lines: readonly Line[] }): boolean {
  return lines.at(-1)?.level === 'info';
}

/** Waits for something to become so. */
export async function until(isSo: () => boolean | Promise<boolean>, ms = 30_000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error('It did not come to that');
    await moment(5);
  }
}
