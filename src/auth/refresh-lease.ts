import type { Lease } from '../contracts/storage/index.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { randomId } from '../runtime/env.ts';
import { monotonicMs, sleep } from '../runtime/sleep.ts';

/** More than twice what a call to a token endpoint may take. */
const TTL_MS = 60_000;
const RENEW_MS = 20_000;
const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 250;

/** The right to refresh, for as long as it is ours. */
export interface RefreshTurn {
  /**
   * Whether it surely is still ours, asked right before something that cannot be taken back. A process may have slept
   * past the end of its lease.
   */
  isOurs(): Promise<boolean>;
}

/** Lengths of the refresh lease; only tests have reason to change them. */
export interface LeaseTimes {
  readonly ttlMs: number;
  readonly renewMs: number;
}

/**
 * Runs `work` while this process alone may refresh the connection. While another one does, `isDone` is asked again and
 * again, and once it says yes there is nothing left to do: the answer is `undefined`.
 */
export async function inRefreshTurn<Result>(
  registry: AnyRegistry,
  connectionId: string,
  isDone: () => Promise<boolean>,
  work: (turn: RefreshTurn) => Promise<Result>,
  signal: AbortSignal,
): Promise<Result | undefined> {
  const { storage, env } = registry;
  const times = registry.access.slot<LeaseTimes>('refresh-lease', () => ({ ttlMs: TTL_MS, renewMs: RENEW_MS }));
  const request = { resource: `refresh:${connectionId}`, owner: randomId(env.random), ttlMs: times.ttlMs };
  let askedAt = monotonicMs(env.clock);
  let lease = await storage.acquireLease(request);
  for (let pauseMs = FIRST_PAUSE_MS; !lease; pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)) {
    await sleep(env.timers, pauseMs, signal);
    if (await isDone()) return undefined;
    askedAt = monotonicMs(env.clock);
    lease = await storage.acquireLease(request);
  }
  const held = new HeldLease(registry, lease, times, askedAt);
  try {
    return await work(held);
  } finally {
    await held.release();
  }
}

/** A lease that renews itself until released. */
class HeldLease implements RefreshTurn {
  readonly #registry: AnyRegistry;
  readonly #times: LeaseTimes;
  #lease: Lease | undefined;
  /** When the last request that got it was sent: it is ours for the TTL from then on, at least. */
  #surelySince: number;
  #isReleased = false;
  #stopTimer: () => void = () => {};
  #renewal: Promise<unknown> = Promise.resolve();

  constructor(registry: AnyRegistry, lease: Lease, times: LeaseTimes, askedAt: number) {
    this.#registry = registry;
    this.#lease = lease;
    this.#times = times;
    this.#surelySince = askedAt;
    this.#renewLater();
  }

  async isOurs(): Promise<boolean> {
    const { clock } = this.#registry.env;
    const isFresh = (): boolean => monotonicMs(clock) - this.#surelySince < this.#times.ttlMs / 2;
    if (this.#lease && !isFresh()) await this.#renew();
    // Asked again after the wait, which may have been a long one too.
    return this.#lease !== undefined && isFresh();
  }

  async release(): Promise<void> {
    this.#isReleased = true;
    this.#stopTimer();
    await this.#renewal;
    const { storage, env } = this.#registry;
    // What was done under the lease is done, whether or not it can be given back: it also ends by itself.
    if (this.#lease) {
      await storage.releaseLease(this.#lease).catch((error: unknown) => {
        env.logger.warn('A refresh lease could not be released.', { message: String(error) });
      });
    }
  }

  #renewLater(): void {
    if (this.#isReleased) return;
    this.#stopTimer = this.#registry.env.timers.after(this.#times.renewMs, () => {
      // A renewal that fails is only told by `isOurs`: what was sent is sent, and storing it is guarded by its version.
      this.#renewal = this.#renew().then(
        () => this.#renewLater(),
        () => this.#renewLater(),
      );
    });
  }

  async #renew(): Promise<void> {
    if (!this.#lease) return;
    const askedAt = monotonicMs(this.#registry.env.clock);
    this.#lease = await this.#registry.storage.renewLease(this.#lease, this.#times.ttlMs);
    if (this.#lease) this.#surelySince = askedAt;
  }
}
