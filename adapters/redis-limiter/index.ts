/** @module @mca/core/adapters/redis-limiter */

import { createHash } from 'node:crypto';
import { type Env, McaError, type RateLimiterFactory } from '@mca/core/adapter-kit';
import { assertIoredis, type RedisClient } from './client.ts';
import { SharedLimiter } from './limiter.ts';
import { RedisLink } from './link.ts';
import { SharedPlaces } from './places.ts';

export type { RedisClient } from './client.ts';

/** Options of {@link redisLimiter}. */
export interface RedisLimiterOptions {
  /** Your ioredis client, version 5 or 6. It stays open. */
  readonly client: RedisClient;
  /** What all keys begin with, for several hosts on one Redis. @default 'mca:' */
  readonly prefix?: string | undefined;
  /**
   * How long after its start a request may reach the service, in milliseconds. The window of a start begins when its work
   * is over, or after this if that is sooner: what is late on its way falls into no window of others. So limits of short
   * windows are used less where a service is slow to answer; a smaller margin uses more of them, and is exact only as long
   * as requests arrive within it.
   *
   * @default 1,000
   */
  readonly marginMs?: number | undefined;
  /** Redis counts as away when it does not answer for so long, in milliseconds. @default 1,000 */
  readonly timeoutMs?: number | undefined;
  /**
   * How many processes share the limits. While Redis is away each keeps to this part of them: with the default each takes
   * a whole limit, so that all of them together take as many times too much.
   *
   * @default 1
   */
  readonly machines?: number | undefined;
  /**
   * The place of work that a process died over is free again after so long, and at most five seconds, in milliseconds.
   * Work that takes longer goes on, and no longer counts for `concurrency`.
   *
   * @default 90,000
   */
  readonly placeMs?: number | undefined;
}

/** What {@link redisLimiter} gives: hand it to `createRegistry({ limiter })`. */
export interface RedisLimiter extends RateLimiterFactory {
  /**
   * Ends the connections of its own, which keep no process alive either, and makes none again. Your client stays open:
   * what waits, or comes later, is still counted with it, while of `concurrency` this process keeps to its share.
   */
  close(): void;
}

const DEFAULTS = { marginMs: 1_000, timeoutMs: 1_000, machines: 1, placeMs: 90_000 };
const LEAST = { marginMs: 1, timeoutMs: 10, machines: 1, placeMs: 100 };
const MOST = 3_600_000;

/**
 * Keeps rate limits for all processes that use one Redis together. While Redis is away each goes on alone, by its share.
 *
 * @throws McaError `configuration` `not_ioredis` for another client than one of ioredis, `bad_option` for a number that
 *   cannot be
 * @example
 * ```ts
 * import { createRegistry } from '@mca/core';
 * import { memory } from '@mca/core/adapters/memory';
 * import { redisLimiter } from '@mca/core/adapters/redis-limiter';
 * import { Redis } from 'ioredis';
 *
 * const client = new Redis('redis://localhost:6379');
 * const registry = createRegistry({ providers: [], ...memory(), limiter: redisLimiter({ client, machines: 4 }) });
 * ```
 */
export function redisLimiter(options: RedisLimiterOptions): RedisLimiter {
  const { client, prefix = 'mca:' } = options;
  assertIoredis(client);
  const { marginMs, timeoutMs, machines, placeMs } = checked(options);
  // One factory may serve several registries, each with time and a log of its own.
  const links = new WeakMap<Env, RedisLink>();
  const places = new SharedPlaces({ client, placeMs });
  let made = 0;

  function linkOf(env: Env): RedisLink {
    const link = links.get(env) ?? new RedisLink(client, env, timeoutMs);
    links.set(env, link);
    return link;
  }

  return {
    create({ key, limit, env }) {
      made += 1;
      // Keys hold client ids and ids of connections, which are nobody's business there. In braces: one slot of a cluster.
      const name = `${prefix}limit:{${createHash('sha256').update(key).digest('hex').slice(0, 32)}}`;
      return new SharedLimiter({
        limit: { ...limit, perMs: Math.ceil(limit.perMs) },
        env,
        link: linkOf(env),
        places,
        keys: {
          starts: `${name}:starts`,
          pause: `${name}:pause`,
          places: `${name}:places`,
          probe: [`${name}:probe`, `${name}:probed`],
        },
        name: `${randomHex(env)}.${made}`,
        marginMs,
        machines,
      });
    },
    close: () => places.close(),
  };
}

function checked(options: RedisLimiterOptions): typeof DEFAULTS {
  const entries = Object.entries(DEFAULTS).map(([name, standard]) => {
    const key = name as keyof typeof DEFAULTS;
    const value = options[key] ?? standard;
    if (Number.isInteger(value) && value >= LEAST[key] && value <= MOST) return [key, value];
    throw new McaError({
      code: 'configuration',
      reason: 'bad_option',
      message: `redisLimiter cannot work with ${key} ${String(value)}.`,
      hint: `${key} is a whole number from ${LEAST[key]} to ${MOST}.`,
    });
  });
  return Object.fromEntries(entries) as typeof DEFAULTS;
}

function randomHex({ random }: Env): string {
  return Array.from(random.bytes(8), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
