import { type Lease, type LeaseVerbs, leaseLost } from '@mca/core/adapter-kit';
import type { State } from './state.ts';

/** Leases in a map; the fence is one counter for all resources, so that it grows whatever is released or erased. */
export function leaseVerbs(state: State): LeaseVerbs {
  return {
    async acquireLease({ resource, owner, ttlMs }) {
      const now = state.clock.now();
      const held = state.leases.get(resource);
      if (held && held.owner !== owner && held.expiresAt > now) return undefined;
      return grantLease(state, { resource, owner, expiresAt: now + ttlMs });
    },
    async renewLease(lease, ttlMs) {
      if (!isCurrent(state, lease)) return undefined;
      const renewed: Lease = { ...lease, expiresAt: state.clock.now() + ttlMs };
      state.leases.set(lease.resource, renewed);
      return renewed;
    },
    async releaseLease(lease) {
      if (isCurrent(state, lease)) state.leases.delete(lease.resource);
    },
  };
}

/** Gives a resource that is known to be free. */
export function grantLease(state: State, { resource, owner, expiresAt }: Omit<Lease, 'fence'>): Lease {
  state.fence += 1;
  const lease: Lease = { resource, owner, fence: state.fence, expiresAt };
  state.leases.set(resource, lease);
  return lease;
}

/** Refuses a write under a lease that is no longer the current one. */
export function assertLease(state: State, lease: Lease): void {
  if (!isCurrent(state, lease)) throw leaseLost(lease.resource);
}

// Expiry is not asked here: as long as nobody took the resource over, its last owner is still the only one.
function isCurrent(state: State, lease: Lease): boolean {
  const held = state.leases.get(lease.resource);
  return held !== undefined && held.owner === lease.owner && held.fence === lease.fence;
}
