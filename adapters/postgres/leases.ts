import type { Lease, LeaseVerbs } from '@mca/core/adapter-kit';
import type { Queries, Session } from './session.ts';
import { float, raw, type Sql, sql, text, whole } from './sql.ts';

/** How long a lease stays after its end where nobody takes its resource over: its last owner may have been asleep. */
const KEPT_MS = 24 * 60 * 60_000;
/** How many of those that ended before go at once. */
const CLEARED = 100;

/**
 * Leases as rows, by the clock of the database. The fence is one sequence for all resources, so that it grows whatever is
 * released or erased, and a released lease needs no row.
 */
export function leaseVerbs(session: Session): LeaseVerbs {
  const { leases, mca_now } = session.names;
  return {
    async acquireLease({ resource, owner, ttlMs }) {
      const isKnown = isOfConnection(resource);
      // Looking first leaves a number of the fence, and a lock on the row, to those who have a chance.
      const take = (queries: Queries) =>
        queries.row<Pick<Lease, 'fence' | 'expiresAt'>>(
          sql`${isKnown ? raw('') : clearEnded(session, resource)}
            INSERT INTO ${leases} AS l (resource, owner, fence, expires_at)
            SELECT ${text(resource)}, ${text(owner)}, ${session.next('fences')}, now.ms + ${float(ttlMs)}
            FROM (SELECT ${mca_now}() AS ms OFFSET 0) now
            WHERE NOT EXISTS (SELECT 1 FROM ${leases} h
              WHERE h.resource = ${text(resource)} AND h.owner <> ${text(owner)} AND h.expires_at > now.ms)
            ON CONFLICT (resource) DO UPDATE
            SET owner = excluded.owner, fence = excluded.fence, expires_at = excluded.expires_at
            WHERE l.owner = excluded.owner OR l.expires_at <= ${mca_now}()
            RETURNING fence::float8 AS fence, expires_at AS "expiresAt"`,
        );
      // Clearing meets rows that others clear: it must see what they have committed.
      const row = await (isKnown ? take(session) : session.write(take));
      return row && { resource, owner, fence: row.fence, expiresAt: row.expiresAt };
    },
    async renewLease(lease, ttlMs) {
      const row = await session.row<Pick<Lease, 'expiresAt'>>(
        sql`UPDATE ${leases} SET expires_at = ${mca_now}() + ${float(ttlMs)} WHERE ${isOurs(lease)}
            RETURNING expires_at AS "expiresAt"`,
      );
      return row && { ...lease, expiresAt: row.expiresAt };
    },
    async releaseLease(lease) {
      await dropLease(session, session, lease);
    },
  };
}

/** What is worked on again and again: its lease is taken over, and erased with the connection, so that few are left. */
function isOfConnection(resource: string): boolean {
  return /^(?:sync|refresh):/.test(resource);
}

/**
 * Clears away what processes left that died: each import has a resource of its own, which nobody takes over. Those that
 * somebody has locked are passed over. The condition stands twice: what was renewed meanwhile is looked at once more.
 */
function clearEnded(session: Session, resource: string): Sql {
  const { leases, mca_now } = session.names;
  const ended = sql`expires_at < (SELECT ${mca_now}()) - ${whole(KEPT_MS)}`;
  return sql`WITH cleared AS (DELETE FROM ${leases} WHERE ${ended} AND resource IN
      (SELECT resource FROM ${leases} WHERE ${ended} AND resource <> ${text(resource)}
       LIMIT ${whole(CLEARED)} FOR UPDATE SKIP LOCKED))`;
}

/** Takes a lease out and answers whether it was the current one. */
export async function dropLease(session: Session, queries: Queries, lease: Lease): Promise<boolean> {
  const gone = await queries.row(
    sql`DELETE FROM ${session.names.leases} WHERE ${isOurs(lease)} RETURNING 1 AS dropped`,
  );
  return gone !== undefined;
}

/**
 * Whether a lease is the current one, as a condition.
 *
 * Expiry is not asked: as long as nobody took the resource over, its last owner is still the only one.
 */
export function isOurs({ resource, owner, fence }: Lease): Sql {
  return sql`resource = ${text(resource)} AND owner = ${text(owner)} AND fence = ${whole(fence)}`;
}
