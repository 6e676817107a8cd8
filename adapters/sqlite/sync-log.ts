import { leaseLost, SYNC_LOG_KEPT, type SyncCounts, type SyncLogEntry, type SyncVerbs } from '@mca/core/adapter-kit';
import { findConnection } from './connections.ts';
import { dropLease } from './leases.ts';
import { writeSchedule } from './schedules.ts';
import type { Session } from './session.ts';

interface LogRow extends Pick<SyncLogEntry, 'id' | 'connectionId' | 'capability' | 'status' | 'pages'> {
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly counts: string;
  readonly gaps: string;
  readonly error: string | null;
}

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
        return (rows as LogRow[]).map(decodeEntry);
      }),
  };
}

/** Adds a line, and lets the oldest of its capability go. */
function writeEntry(session: Session, connectionNo: number, entry: SyncLogEntry): void {
  session
    .statement(
      `INSERT INTO mca_sync_log
         (connection_no, capability, id, status, started_at, finished_at, pages, counts, gaps, error)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      connectionNo,
      entry.capability,
      entry.id,
      entry.status,
      entry.startedAt.getTime(),
      entry.finishedAt.getTime(),
      entry.pages,
      JSON.stringify(entry.counts),
      JSON.stringify(entry.gaps.map(({ from, to }) => [from.getTime(), to.getTime()])),
      entry.error ? JSON.stringify(entry.error) : null,
    );
  session
    .statement(
      `DELETE FROM mca_sync_log WHERE connection_no = ? AND capability = ? AND log_no <=
         (SELECT log_no FROM mca_sync_log WHERE connection_no = ? AND capability = ?
          ORDER BY log_no DESC LIMIT 1 OFFSET ?)`,
    )
    .run(connectionNo, entry.capability, connectionNo, entry.capability, SYNC_LOG_KEPT);
}

function decodeEntry(row: LogRow): SyncLogEntry {
  const gaps = JSON.parse(row.gaps) as readonly (readonly [number, number])[];
  return {
    id: row.id,
    connectionId: row.connectionId,
    capability: row.capability,
    status: row.status,
    startedAt: new Date(row.startedAt),
    finishedAt: new Date(row.finishedAt),
    counts: JSON.parse(row.counts) as SyncCounts,
    pages: row.pages,
    gaps: gaps.map(([from, to]) => ({ from: new Date(from), to: new Date(to) })),
    ...(row.error !== null && { error: JSON.parse(row.error) as NonNullable<SyncLogEntry['error']> }),
  };
}
