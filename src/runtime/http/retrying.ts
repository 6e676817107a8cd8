import type { Random } from '../../contracts/env.ts';
import { McaError } from '../../contracts/errors.ts';
import { sleep } from '../sleep.ts';
import { LONGEST_SLEEP_MS } from './limiter-pool.ts';
import { tellWaiting } from './send.ts';
import type { HttpSetup } from './setup.ts';

const ATTEMPTS = 3;
const BASE_MS = 100;
const THROTTLED_BASE_MS = 1_000;
const CAP_MS = 20_000;
/** A service that says "too many" without saying until when. */
const SHORTEST_THROTTLED_MS = 1_000;

/**
 * Tries up to three times what failed for a while only: with growing, random waits, or as long as the service asks if
 * that is at most a minute. Longer waits are the caller's: the error says how long.
 *
 * p-retry counts what follows a first failure; the waiting is ours, by the injected timers and the caller's signal.
 */
export async function retrying<Result>(
  setup: HttpSetup,
  work: () => Promise<Result>,
  isFinal: (error: Error) => boolean,
): Promise<Result> {
  const owner = `${setup.provider.id}:${setup.connection?.id ?? '-'}`;
  let attempt = 1;
  let first: unknown;
  try {
    const result = await work();
    setup.state.quota.earn(owner);
    return result;
  } catch (error) {
    first = error;
  }

  /** Waits for another attempt, if there should be one. */
  async function waitAfter(error: unknown): Promise<boolean> {
    const isOver = error instanceof Error && isFinal(error);
    const waitMs = isOver ? undefined : waitBefore(error, attempt, setup.env.random);
    if (waitMs === undefined || !setup.state.quota.spend(owner)) return false;
    const isThrottled = McaError.isInstance(error) && error.code === 'rate_limit';
    tellWaiting(setup, isThrottled ? 'rate_limited' : 'retry', Math.ceil(waitMs));
    await sleep(setup.env.timers, waitMs, setup.signal);
    return true;
  }

  if (!(await waitAfter(first))) throw first;
  const { default: pRetry } = await import('p-retry');
  const run = async (): Promise<Result> => {
    attempt += 1;
    return work();
  };
  return await pRetry(run, { retries: ATTEMPTS - 2, minTimeout: 0, shouldRetry: ({ error }) => waitAfter(error) });
}

/** How long to wait before another attempt; `undefined` when there should be none. */
function waitBefore(error: unknown, attempt: number, random: Random): number | undefined {
  if (!McaError.isInstance(error) || !error.retryable || error.reason === 'circuit_open') return undefined;
  const isThrottled = error.code === 'rate_limit';
  if (!isThrottled && error.code !== 'upstream') return undefined;
  if (error.retryAfterMs !== undefined) return error.retryAfterMs > LONGEST_SLEEP_MS ? undefined : error.retryAfterMs;
  const base = isThrottled ? THROTTLED_BASE_MS : BASE_MS;
  const longest = Math.min(CAP_MS, base * 2 ** (attempt - 1));
  return (isThrottled ? SHORTEST_THROTTLED_MS : 0) + fraction(random) * longest;
}

/** Even in [0, 1). */
function fraction(random: Random): number {
  const [a = 0, b = 0, c = 0] = random.bytes(3);
  return (a * 65_536 + b * 256 + c) / 2 ** 24;
}
