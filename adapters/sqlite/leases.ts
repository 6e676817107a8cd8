import { type Clock, type Lease, type LeaseVerbs, leaseLost } from '@mca/core/adapter-kit';
import { nextCount } from './counters.ts';
import type { Session } from './session.ts';

/**
 * Leases as rows. The fence is one counter for all resources, so that it grows whatever is released or erased, and a
 * released lease needs no row.
 */
export function leaseVerbs(session: Session, clock: Clock): LeaseVerbs {
  return {
    acquireLease: ({ resource, owner, ttlMs }) =>
      session.write(() => {
        const now = clock.now();
        const held = session
          .statement('SELECT 1 FROM mca_leases WHERE resource = ? AND owner <> ? AND expires_at > ?')
          .get(resource, owner, now);
        if (held) return undefined;
        return grantLease(session, { resource, owner, expiresAt: now + ttlMs });
      }),
    renewLease: (lease, ttlMs) =>
      session.write(() => {
        const expiresAt = clock.now() + ttlMs;
        const { changes } = session
          .statement('UPDATE mca_leases SET expires_at = ? WHERE resource = ? AND owner = ? AND fence = ?')
          .run(expiresAt, lease.resource, lease.owner, lease.fence);
        return Number(changes) === 1 ? { ...lease, expiresAt } : undefined;
      }),
    releaseLease: (lease) => session.write(() => void dropLease(session, lease)),
  };
}

/** Gives a resource that is known to be free; to be called within a transaction. */
export function grantLease(session: Session, granted: Omit<Lease, 'fence'>): Lease {
  const { resource, owner, expiresAt } = granted;
  const fence = nextCount(session, 'fence');
  session
    .statement('INSERT OR REPLACE INTO mca_leases (resource, owner, fence, expires_at) VALUES (?, ?, ?, ?)')
    .run(resource, owner, fence, expiresAt);
  return { resource, owner, fence, expiresAt };
}

/** Takes a lease out and answers whether it was the current one; to be called within a transaction. */
export function dropLease(session: Session, { resource, owner, fence }: Lease): boolean {
  const { changes } = session
    .statement('DELETE FROM mca_leases WHERE resource = ? AND owner = ? AND fence = ?')
    .run(resource, owner, fence);
  return Number(changes) === 1;
}

/**
 * Refuses a write under a lease that is no longer the current one; to be called within the write's transaction.
 *
 * Expiry is not asked: as long as nobody took the resource over, its last owner is still the only one.
 */
export function assertLease(session: Session, lease: Lease): void {
  const current = session
    .statement('SELECT 1 FROM mca_leases WHERE resource = ? AND owner = ? AND fence = ?')
    .get(lease.resource, lease.owner, lease.fence);
  if (!current) throw leaseLost(lease.resource);
}
