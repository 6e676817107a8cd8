import {
  decodeLogEntry,
  encodeLogEntry,
  leaseLost,
  SYNC_LOG_KEPT,
  type SyncLogEntry,
  type SyncLogRow,
  type SyncVerbs,
} from '@mca/core/adapter-kit';
import { findConnection } from './connections.ts';
import { dropLease } from './leases.ts';
import { writeSchedule } from './schedules.ts';
import type { Queries, Session } from './session.ts';
import { raw, sql, text, whole } from './sql.ts';

/** What came of syncs, as rows. */
export function syncLogVerbs(session: Session): Pick<SyncVerbs, 'concludeSync' | 'listSyncLog'> {
  const { connections, sync_log } = session.names;
  return {
    concludeSync: ({ lease, log, schedules, lastSyncAt }) =>
      session.write(async (transaction) => {
        // In one step; whatever fails from here on brings the lease back.
        if (!(await dropLease(session, transaction, lease))) throw leaseLost(lease.resource);
        const { connectionNo } = await findConnection(session, transaction, log.connectionId);
        await writeEntry(session, transaction, connectionNo, log);
        for (const schedule of schedules) {
          const isOwn = schedule.connectionId === log.connectionId;
          const no = isOwn
            ? connectionNo
            : (await findConnection(session, transaction, schedule.connectionId)).connectionNo;
          await writeSchedule(session, transaction, no, schedule);
        }
        if (lastSyncAt) {
          await transaction.rows(
            sql`UPDATE ${connections} SET last_sync_at = ${whole(lastSyncAt.getTime())}
                WHERE connection_no = ${whole(connectionNo)}`,
          );
        }
      }),
    async listSyncLog({ connectionId, capability, limit }) {
      const ofCapability = capability === undefined ? raw('') : sql`AND l.capability = ${text(capability)}`;
      const rows = await session.rows<SyncLogRow>(
        sql`SELECT l.id, ${text(connectionId)} AS "connectionId", l.capability, l.status,
              l.started_at::float8 AS "startedAt", l.finished_at::float8 AS "finishedAt", l.pages::float8 AS pages, l.counts,
              l.gaps, l.error
            FROM ${sync_log} l
            WHERE l.connection_no = (SELECT connection_no FROM ${connections} WHERE id = ${text(connectionId)})
              ${ofCapability} ORDER BY l.log_no DESC LIMIT ${whole(limit)}`,
      );
      return rows.map(decodeLogEntry);
    },
  };
}

/** Adds a line, and lets the oldest of its capability go. */
async function writeEntry(
  session: Session,
  transaction: Queries,
  connectionNo: number,
  entry: SyncLogEntry,
): Promise<void> {
  const { sync_log } = session.names;
  const { capability, id, status, startedAt, finishedAt, pages, counts, gaps, error } = encodeLogEntry(entry);
  const ofCapability = sql`connection_no = ${whole(connectionNo)} AND capability = ${text(capability)}`;
  // Both halves see the rows from before: one less is kept of them.
  await transaction.rows(
    sql`WITH dropped AS (DELETE FROM ${sync_log} WHERE ${ofCapability} AND log_no <=
          (SELECT log_no FROM ${sync_log} WHERE ${ofCapability}
           ORDER BY log_no DESC LIMIT 1 OFFSET ${whole(SYNC_LOG_KEPT - 1)}))
        INSERT INTO ${sync_log}
          (connection_no, capability, id, status, started_at, finished_at, pages, counts, gaps, error)
        VALUES (${whole(connectionNo)}, ${text(capability)}, ${text(id)}, ${text(status)}, ${whole(startedAt)},
          ${whole(finishedAt)}, ${whole(pages)}, ${text(counts)}, ${text(gaps)}, ${text(error)})`,
  );
}
