import type { Env } from './env.ts';
import type { RateLimit } from './provider.ts';

/**
 * Keeps work within one limit. Made for one (provider, client id) or one connection.
 *
 * - `LIMIT-1` in no window of `perMs` do more than `requests` pieces of work start
 * - `LIMIT-2` never more than `concurrency` run at once
 * - `LIMIT-3` work starts in the order it came
 * - `LIMIT-4` an aborted signal takes waiting work out with `cancelled`, unstarted
 * - `LIMIT-5` nothing starts during a pause; pauses never shorten one another
 * - `LIMIT-6` a failure of the work is the caller's, and frees its place
 */
export interface RateLimiter {
  /** Runs `work` when its turn comes. */
  run<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result>;
  /** Starts nothing for so many milliseconds from now: the service asked for it. */
  pause(ms: number): void;
  /** Pieces of work that wait or run; a limiter without any may be dropped and made again. */
  readonly load: number;
  /** Earliest instant at which new work would start, epoch milliseconds. */
  readonly freeAt: number;
}

/** Makes limiters, on demand. The default is in-process (Bottleneck); an adapter may share limits between machines. */
export interface RateLimiterFactory {
  /** `key` names what is limited: equal keys share one limit wherever they live. */
  create(request: { readonly key: string; readonly limit: RateLimit; readonly env: Env }): RateLimiter;
}
