import type { Clock, SyncSchedule, SyncVerbs } from '@mca/core/adapter-kit';
import { CONNECTION_COLUMNS, type ConnectionRow, decodeConnection, findConnection } from './connections.ts';
import type { Session } from './session.ts';

interface ScheduleRow {
  readonly capability: string;
  readonly dueAt: number;
  readonly blocked: 0 | 1;
  readonly failures: number;
}

interface DueRow extends ScheduleRow, ConnectionRow {
  readonly connectionNo: number;
}

const SCHEDULE_COLUMNS = 's.capability, s.due_at AS dueAt, s.blocked, s.failures';

/** CROSS JOIN fixes the order of loops: along the index by due time, so that a small limit looks at few rows. */
const DUE = `SELECT s.connection_no AS connectionNo, ${SCHEDULE_COLUMNS}, ${CONNECTION_COLUMNS}
  FROM mca_schedules s
  CROSS JOIN mca_connections c ON c.connection_no = s.connection_no
  CROSS JOIN mca_users u ON u.user_no = c.user_no
  WHERE s.due_at <= ? AND (s.claimed_until IS NULL OR s.claimed_until <= ?)
    AND c.status = 'active' AND c.provider IN (SELECT value FROM json_each(?))
  ORDER BY s.due_at, s.connection_no, s.capability LIMIT ?`;

/** When what is due, as rows. */
export function scheduleVerbs(
  session: Session,
  clock: Clock,
): Pick<SyncVerbs, 'putSchedule' | 'readSchedule' | 'claimDueConnections'> {
  return {
    putSchedule: ({ connectionId, capability, dueAt, blocked, failures }) =>
      session.write(() => {
        const { connectionNo } = findConnection(session, connectionId);
        session
          .statement(
            `INSERT OR REPLACE INTO mca_schedules (connection_no, capability, due_at, blocked, failures, claimed_until)
             VALUES (?, ?, ?, ?, ?, NULL)`,
          )
          .run(connectionNo, capability, dueAt, blocked ? 1 : 0, failures);
      }),
    readSchedule: (connectionId, capability) =>
      session.run(() => {
        const row = session
          .statement(
            `SELECT ${SCHEDULE_COLUMNS} FROM mca_schedules s WHERE s.capability = ?
             AND s.connection_no = (SELECT connection_no FROM mca_connections WHERE id = ?)`,
          )
          .get(capability, connectionId);
        return row ? decodeSchedule(row as ScheduleRow, connectionId) : undefined;
      }),
    claimDueConnections: ({ providers, limit, claimMs }) =>
      // Looking and claiming are one transaction that holds the write lock from its start.
      session.write(() => {
        const now = clock.now();
        const due = session.statement(DUE).all(now, now, JSON.stringify(providers), limit) as DueRow[];
        for (const { connectionNo, capability } of due) {
          session
            .statement('UPDATE mca_schedules SET claimed_until = ? WHERE connection_no = ? AND capability = ?')
            .run(now + claimMs, connectionNo, capability);
        }
        return due.map((row) => ({ schedule: decodeSchedule(row, row.id), connection: decodeConnection(row) }));
      }),
  };
}

function decodeSchedule(row: ScheduleRow, connectionId: string): SyncSchedule {
  const { capability, dueAt, blocked, failures } = row;
  return { connectionId, capability, dueAt, blocked: blocked === 1, failures };
}
