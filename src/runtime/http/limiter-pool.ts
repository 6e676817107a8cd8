import type { Env } from '../../contracts/env.ts';
import { McaError } from '../../contracts/errors.ts';
import type { AnyProvider, RateLimit } from '../../contracts/provider.ts';
import type { RateLimiter, RateLimiterFactory } from '../../contracts/rate-limiter.ts';
import { cancelledBy, monotonicMs } from '../sleep.ts';

/** Waits that a service asks for are slept through up to this; longer ones are the scheduler's. */
export const LONGEST_SLEEP_MS = 60_000;
/** A limiter that nobody used for so long is dropped, or once its window is over. */
const IDLE_MS = 60_000;

/** The limiters that requests of one connection go through. */
export interface LimiterPath {
  /** How long new work would wait, in milliseconds. */
  readonly waitMs: number;
  /** Starts nothing for so long, for all who share one of these limiters. */
  pause(ms: number): void;
  /**
   * Runs the work when all limiters let it.
   *
   * @throws McaError `rate_limit` instead of waiting through a pause of more than a minute
   */
  run<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result>;
}

interface Pooled {
  readonly limiter: RateLimiter;
  /** Those who wait, to be told when a long pause comes. */
  readonly waiting: Set<AbortController>;
  readonly keepMs: number;
  pausedUntil: number;
  usedAt: number;
}

/** All limiters of a registry, made when first needed and dropped when idle: ten thousand connections do not pile up. */
export class LimiterPool {
  readonly #env: Env;
  readonly #factory: RateLimiterFactory;
  readonly #pooled = new Map<string, Pooled>();
  #sweptAt = 0;

  constructor(env: Env, factory: RateLimiterFactory) {
    this.#env = env;
    this.#factory = factory;
  }

  get size(): number {
    return this.#pooled.size;
  }

  /** `undefined` when the provider declares no limit for what asks: then nothing stands in the way. */
  pathFor(provider: AnyProvider, connectionId: string | undefined): LimiterPath | undefined {
    const applying = provider.limits.filter(({ scope }) => scope === 'app' || connectionId !== undefined);
    if (applying.length === 0) return undefined;
    const named = applying.map((limit, index) => ({
      limit,
      key: keyOf(provider, connectionId, limit, applying.slice(0, index)),
    }));
    // The app's limit is counted last, closest to the request: it is the one that all accounts lose together.
    const ordered = named.sort((a, b) => rank(a.limit) - rank(b.limit) || b.limit.perMs - a.limit.perMs);
    const take = (): readonly Pooled[] => ordered.map(({ key, limit }) => this.#take(key, limit));
    const env = this.#env;
    return {
      get waitMs() {
        return Math.max(...take().map(({ limiter }) => limiter.freeAt)) - env.clock.now();
      },
      pause: (ms) => {
        for (const pooled of take()) this.#pause(pooled, ms);
      },
      run: (work, signal) => take().reduceRight((inner, pooled) => () => this.#run(pooled, inner, signal), work)(),
    };
  }

  clear(): void {
    this.#pooled.clear();
  }

  #take(key: string, limit: RateLimit): Pooled {
    const now = monotonicMs(this.#env.clock);
    this.#sweep(now);
    let pooled = this.#pooled.get(key);
    if (!pooled) {
      pooled = {
        limiter: this.#factory.create({ key, limit, env: this.#env }),
        waiting: new Set(),
        keepMs: Math.max(IDLE_MS, limit.perMs),
        pausedUntil: Number.NEGATIVE_INFINITY,
        usedAt: now,
      };
      this.#pooled.set(key, pooled);
    }
    pooled.usedAt = now;
    return pooled;
  }

  /** On the way to a limiter instead of by a timer, which would keep the process alive. */
  #sweep(now: number): void {
    if (now - this.#sweptAt < IDLE_MS) return;
    this.#sweptAt = now;
    for (const [key, { limiter, usedAt, keepMs, pausedUntil }] of this.#pooled) {
      if (limiter.load === 0 && now - usedAt >= keepMs && now >= pausedUntil) this.#pooled.delete(key);
    }
  }

  #pause(pooled: Pooled, ms: number): void {
    pooled.pausedUntil = Math.max(pooled.pausedUntil, monotonicMs(this.#env.clock) + ms);
    pooled.limiter.pause(ms);
    if (ms > LONGEST_SLEEP_MS) for (const each of pooled.waiting) each.abort();
  }

  async #run<Result>(pooled: Pooled, work: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    this.#refuseLongPause(pooled);
    if (signal.aborted) throw cancelledBy(signal);
    const waiting = new AbortController();
    const onAbort = (): void => waiting.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    pooled.waiting.add(waiting);
    const stopWaiting = (): void => {
      pooled.waiting.delete(waiting);
      signal.removeEventListener('abort', onAbort);
    };
    let isStarted = false;
    try {
      return await pooled.limiter.run(() => {
        isStarted = true;
        stopWaiting();
        return work();
      }, waiting.signal);
    } catch (error) {
      if (!isStarted && !signal.aborted) this.#refuseLongPause(pooled);
      throw error;
    } finally {
      stopWaiting();
      pooled.usedAt = monotonicMs(this.#env.clock);
    }
  }

  #refuseLongPause({ pausedUntil }: Pooled): void {
    const retryAfterMs = pausedUntil - monotonicMs(this.#env.clock);
    if (retryAfterMs <= LONGEST_SLEEP_MS) return;
    throw new McaError({
      code: 'rate_limit',
      reason: 'paused',
      message: 'The service asked for a pause that is not over yet.',
      retryAfterMs: Math.ceil(retryAfterMs),
    });
  }
}

const rank = ({ scope }: RateLimit): number => (scope === 'app' ? 1 : 0);

/** Equal keys share a limit wherever they live, so a second limit of one scope needs a name of its own. */
function keyOf(
  provider: AnyProvider,
  connectionId: string | undefined,
  limit: RateLimit,
  before: readonly RateLimit[],
): string {
  const owner = limit.scope === 'app' ? clientIdOf(provider) : connectionId;
  const earlier = before.filter(({ scope }) => scope === limit.scope).length;
  return `${provider.id}:${owner}${earlier === 0 ? '' : `#${earlier + 1}`}`;
}

function clientIdOf(provider: AnyProvider): string {
  for (const strategy of provider.auth) if ('clientId' in strategy) return strategy.clientId;
  return '-';
}
