import {
  BACKLOG_COUNTED,
  type Clock,
  type ConnectionRow,
  type DueSync,
  decodeConnection,
  decodeSchedule,
  type ScheduleRow,
  type SyncSchedule,
  type SyncVerbs,
} from '@mca/core/adapter-kit';
import { CONNECTION_COLUMNS, findConnection } from './connections.ts';
import { grantLease } from './leases.ts';
import type { Session } from './session.ts';

interface DueRow extends ScheduleRow, ConnectionRow {}

const SCHEDULE_COLUMNS = 's.capability, s.due_at AS dueAt, s.blocked, s.failures';

/** CROSS JOIN fixes the order of loops: along the index by due time, so that a small limit looks at few rows. */
const FROM_DUE = `FROM mca_schedules s
  CROSS JOIN mca_connections c ON c.connection_no = s.connection_no
  CROSS JOIN mca_users u ON u.user_no = c.user_no
  WHERE s.due_at <= ? AND c.status = 'active' AND c.provider IN (SELECT value FROM json_each(?))
    AND NOT EXISTS (SELECT 1 FROM mca_leases l
      WHERE l.resource = 'sync:' || c.id || ':' || s.capability AND l.expires_at > ?)
    AND NOT EXISTS (SELECT 1 FROM mca_schedules b
      WHERE b.connection_no = s.connection_no AND b.due_at > ? AND b.blocked = 1)`;

const DUE = `SELECT ${SCHEDULE_COLUMNS}, ${CONNECTION_COLUMNS} ${FROM_DUE}
  ORDER BY s.due_at, s.connection_no, s.capability LIMIT ?`;

/**
 * From the leases, which are few, to what they are on: schedules may be many. What stands behind the last colon of a
 * resource is the capability, whatever the id of a connection looks like.
 */
const RUNNING = `SELECT count(*)
  FROM (SELECT resource, rtrim(resource, replace(resource, ':', '')) AS head FROM mca_leases
    WHERE resource >= 'sync:' AND resource < 'sync;' AND expires_at > ?) l
  CROSS JOIN mca_connections c ON c.id = substr(l.head, 6, length(l.head) - 6)
  CROSS JOIN mca_schedules s ON s.connection_no = c.connection_no AND s.capability = substr(l.resource, length(l.head) + 1)
  WHERE c.provider IN (SELECT value FROM json_each(?))`;

interface BacklogRow {
  readonly due: number;
  readonly oldestDueAt: number | null;
  readonly running: number;
}

/** When what is due, as rows. */
export function scheduleVerbs(
  session: Session,
  clock: Clock,
): Pick<SyncVerbs, 'putSchedule' | 'readSchedules' | 'claimDueConnections' | 'listDue' | 'readBacklog'> {
  return {
    putSchedule: (schedule) =>
      session.write(() => {
        const { connectionNo } = findConnection(session, schedule.connectionId);
        writeSchedule(session, connectionNo, schedule);
      }),
    readSchedules: (connectionId) =>
      session.run(() => {
        const rows = session
          .statement(
            `SELECT ${SCHEDULE_COLUMNS} FROM mca_schedules s
             WHERE s.connection_no = (SELECT connection_no FROM mca_connections WHERE id = ?) ORDER BY s.capability`,
          )
          .all(connectionId);
        return (rows as ScheduleRow[]).map((row) => decodeSchedule(row, connectionId));
      }),
    claimDueConnections: ({ providers, limit, owner, ttlMs }) =>
      // Looking and claiming are one transaction that holds the write lock from its start.
      session.write(() => {
        const now = clock.now();
        return readDue(session, providers, limit, now).map((row): DueSync => {
          const resource = `sync:${row.id}:${row.capability}`;
          const lease = grantLease(session, { resource, owner, expiresAt: now + ttlMs });
          return { schedule: decodeSchedule(row, row.id), connection: decodeConnection(row), lease };
        });
      }),
    listDue: ({ providers, limit }) =>
      session.run(() => readDue(session, providers, limit, clock.now()).map((row) => decodeSchedule(row, row.id))),
    readBacklog: ({ providers }) =>
      session.run(() => {
        const [now, asked] = [clock.now(), JSON.stringify(providers)];
        // One statement, so that what is claimed meanwhile is counted once.
        const { due, oldestDueAt, running } = session
          .statement(
            `SELECT count(*) AS due, min(due_at) AS oldestDueAt, (${RUNNING}) AS running
             FROM (SELECT s.due_at ${FROM_DUE} ORDER BY s.due_at LIMIT ${BACKLOG_COUNTED})`,
          )
          .get(now, asked, now, asked, now, now) as BacklogRow;
        return { due, oldestDueAt: oldestDueAt ?? undefined, running };
      }),
  };
}

function readDue(session: Session, providers: readonly string[], limit: number, now: number): readonly DueRow[] {
  return session.statement(DUE).all(now, JSON.stringify(providers), now, now, limit) as DueRow[];
}

/** Says when a capability is due; to be called within a transaction. */
export function writeSchedule(
  session: Session,
  connectionNo: number,
  { capability, dueAt, blocked, failures }: SyncSchedule,
): void {
  session
    .statement(
      'INSERT OR REPLACE INTO mca_schedules (connection_no, capability, due_at, blocked, failures) VALUES (?, ?, ?, ?, ?)',
    )
    .run(connectionNo, capability, dueAt, blocked ? 1 : 0, failures);
}
