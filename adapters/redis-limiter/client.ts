import { McaError } from '@mca/core/adapter-kit';

/** What is used of an ioredis client, version 5 or 6. Give yours; it stays yours, and open. */
export interface RedisClient {
  /** `ready`, `connecting`, `wait`, … */
  readonly status: string;
  /** Runs a script that Redis does not know yet. */
  eval(script: string, numberOfKeys: number, ...args: string[]): Promise<unknown>;
  /** Runs a script by its SHA-1. */
  evalsha(sha: string, numberOfKeys: number, ...args: string[]): Promise<unknown>;
  /** Asks for a sign of life. */
  ping(): Promise<unknown>;
  /** Another connection with the same settings but these. */
  duplicate(override: {
    readonly lazyConnect: boolean;
    readonly keyPrefix: string;
    readonly retryStrategy: () => null;
  }): object;
}

/** Of {@link RedisClient.duplicate}: a connection of our own. */
export interface OwnConnection {
  stream?: { unref?(): void } | undefined;
  on(event: string, listener: () => void): unknown;
  duplicate(): OwnConnection;
  unsubscribe(...channels: string[]): Promise<unknown>;
  disconnect(): void;
}

/**
 * Bottleneck waits for ever for what other clients never say.
 *
 * @throws McaError `configuration` `not_ioredis`
 */
export function assertIoredis(client: unknown): asserts client is RedisClient {
  const { status, ...given } = (client ?? {}) as Record<string, unknown>;
  const methods = ['eval', 'evalsha', 'ping', 'duplicate', 'defineCommand', 'pipeline'];
  const has = (name: string) => typeof (given[name] ?? (client as Record<string, unknown>)[name]) === 'function';
  if (client && typeof status === 'string' && methods.every(has)) return;
  throw new McaError({
    code: 'configuration',
    reason: 'not_ioredis',
    message: 'redisLimiter was given something that is not a client of ioredis.',
    hint: "Pass new Redis(url) of the package ioredis; node-redis (the package 'redis') does not work here.",
  });
}
