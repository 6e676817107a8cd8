import { McaError } from '../contracts/errors.ts';
import type { Lease } from '../contracts/storage/index.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { randomId } from '../runtime/env.ts';

/** How long a lease outlives a worker that died, in milliseconds. */
export const LEASE_MS = 60_000;
const RENEW_EVERY_MS = 20_000;
/** So much may be the way to the store and back. */
const UNCERTAIN_MS = 2_000;

/** A lease that is renewed for as long as the work takes. */
export interface HeldLease {
  /** The lease as last renewed: commits carry it. */
  readonly current: Lease;
  /**
   * How far the store's clock is ahead of ours, in milliseconds. What is due is told by the store's: several machines
   * agree on no other.
   */
  readonly aheadMs: number;
  /** Fires when somebody else took over, or the connection was erased. */
  readonly lost: AbortSignal;
  /** Gives it back by a write that releases it; when that fails, by itself. */
  releaseWith(write: (lease: Lease) => Promise<void>): Promise<void>;
  /** Gives it back, if it was not given back before. */
  release(): Promise<void>;
}

/** Takes the resource, or answers `undefined` while another worker has it. */
export async function holdLease(registry: AnyRegistry, resource: string): Promise<HeldLease | undefined> {
  const { storage, env } = registry;
  const lease = await storage.acquireLease({ resource, owner: randomId(env.random), ttlMs: LEASE_MS });
  return lease && keepLease(registry, lease);
}

/** Keeps a lease that was just acquired. */
export function keepLease(registry: AnyRegistry, acquired: Lease): HeldLease {
  const { storage, env } = registry;
  const { resource } = acquired;
  let lease = acquired;
  let aheadMs = aheadOf(acquired);
  let isReleased = false;
  let stop: () => void = () => {};
  const lost = new AbortController();

  function aheadOf({ expiresAt }: Lease): number {
    const ahead = expiresAt - LEASE_MS - env.clock.now();
    return Math.abs(ahead) < UNCERTAIN_MS ? 0 : ahead;
  }
  async function renew(): Promise<void> {
    try {
      const renewed = await storage.renewLease(lease, LEASE_MS);
      if (isReleased) return;
      if (!renewed) return lost.abort(leaseLost(resource));
      lease = renewed;
      aheadMs = aheadOf(renewed);
    } catch (error) {
      // A store that is busy now may answer the next time; if not, the fence still keeps us from writing.
      env.logger.warn('could not renew a lease', { resource, message: error instanceof Error ? error.message : '' });
    }
    if (!isReleased) plan();
  }
  function plan(): void {
    stop = env.timers.after(RENEW_EVERY_MS, () => void renew());
  }
  plan();

  async function release(): Promise<void> {
    if (isReleased) return;
    isReleased = true;
    stop();
    await dropLease(registry, lease);
  }
  return {
    get current() {
      return lease;
    },
    get aheadMs() {
      return aheadMs;
    },
    lost: lost.signal,
    async releaseWith(write) {
      try {
        await write(lease);
        isReleased = true;
        stop();
      } finally {
        await release();
      }
    },
    release,
  };
}

/** Gives a lease back. */
export async function dropLease({ storage, env }: AnyRegistry, lease: Lease): Promise<void> {
  try {
    await storage.releaseLease(lease);
  } catch (error) {
    // It runs out by itself, and how the work ended matters more.
    env.logger.warn('could not release a lease', {
      resource: lease.resource,
      message: error instanceof Error ? error.message : '',
    });
  }
}

function leaseLost(resource: string): McaError {
  return new McaError({
    code: 'storage',
    reason: 'lease_lost',
    message: `The lease on ${resource} was lost; what was not committed yet was not written.`,
    hint: 'Another worker goes on from the last committed page, or the connection was erased.',
  });
}
