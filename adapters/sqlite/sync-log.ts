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
import type { Session } from './session.ts';

/** What came of syncs, as rows. */
export function syncLogVerbs(session: Session): Pick<SyncVerbs, 'concludeSync' | 'listSyncLog'> {
  return {
    concludeSync: ({ lease, log, schedules, lastSyncAt }) =>
      session.write(() => {
        // In one step; whatever fails from here on brings the lease back.
        if (!dropLease(session, lease)) throw leaseLost(lease.resource);
        const { connectionNo } = findConnection(session, log.connectionId);
        writeEntry(session, connectionNo, log);
        for (const schedule of schedules) {
          const isOwn = schedule.connectionId === log.connectionId;
          writeSchedule(
            session,
            isOwn ? connectionNo : findConnection(session, schedule.connectionId).connectionNo,
            schedule,
          );
        }
        if (lastSyncAt) {
          session
            .statement('UPDATE mca_connections SET last_sync_at = ? WHERE connection_no = ?')
            .run(lastSyncAt.getTime(), connectionNo);
        }
      }),
    listSyncLog: ({ connectionId, capability, limit }) =>
      session.run(() => {
        const ofCapability = capability === undefined ? [] : [capability];
        const rows = session
          .statement(
            `SELECT l.id, c.id AS connectionId, l.capability, l.status, l.started_at AS startedAt,
               l.finished_at AS finishedAt, l.pages, l.counts, l.gaps, l.error
             FROM mca_sync_log l JOIN mca_connections c ON c.connection_no = l.connection_no
             WHERE c.id = ?${capability === undefined ? '' : ' AND l.capability = ?'} ORDER BY l.log_no DESC LIMIT ?`,
          )
          .all(connectionId, ...ofCapability, limit);
        return (rows as SyncLogRow[]).map(decodeLogEntry);
      }),
  };
}

/** Adds a line, and lets the oldest of its capability go. */
function writeEntry(session: Session, connectionNo: number, entry: SyncLogEntry): void {
  const { capability, id, status, startedAt, finishedAt, pages, counts, gaps, error } = encodeLogEntry(entry);
  session
    .statement(
      `INSERT INTO mca_sync_log
         (connection_no, capability, id, status, started_at, finished_at, pages, counts, gaps, error)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(connectionNo, capability, id, status, startedAt, finishedAt, pages, counts, gaps, error);
  session
    .statement(
      `DELETE FROM mca_sync_log WHERE connection_no = ? AND capability = ? AND log_no <=
         (SELECT log_no FROM mca_sync_log WHERE connection_no = ? AND capability = ?
          ORDER BY log_no DESC LIMIT 1 OFFSET ?)`,
    )
    .run(connectionNo, capability, connectionNo, capability, SYNC_LOG_KEPT);
}
