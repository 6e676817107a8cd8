import {
  BACKLOG_COUNTED,
  type ConnectionRow,
  type DueSync,
  decodeConnection,
  decodeSchedule,
  type ScheduleRow,
  type SyncBacklog,
  type SyncSchedule,
  type SyncVerbs,
} from '@mca/core/adapter-kit';
import { CONNECTION_COLUMNS, findConnection } from './connections.ts';
import type { Queries, Session } from './session.ts';
import { float, raw, type Sql, sql, text, texts, whole } from './sql.ts';

interface DueRow extends ScheduleRow, ConnectionRow {
  /** Of the lease that was taken; none where somebody else was faster. */
  readonly fence: number | null;
  readonly expiresAt: number | null;
}

const SCHEDULE_COLUMNS = raw(
  's.capability, s.due_at AS "dueAt", s.blocked::int AS blocked, s.failures::float8 AS failures',
);

/** How often what others claimed meanwhile is made up for. */
const MOST_ROUNDS = 20;

type ScheduleVerbs = 'putSchedule' | 'readSchedules' | 'claimDueConnections' | 'listDue' | 'readBacklog';

/** When what is due, as rows. */
export function scheduleVerbs(session: Session): Pick<SyncVerbs, ScheduleVerbs> {
  const { connections, schedules } = session.names;
  return {
    putSchedule: (schedule) =>
      session.write(async (transaction) => {
        const { connectionNo } = await findConnection(session, transaction, schedule.connectionId);
        await writeSchedule(session, transaction, connectionNo, schedule);
      }),
    async readSchedules(connectionId) {
      const rows = await session.rows<ScheduleRow>(
        sql`SELECT ${SCHEDULE_COLUMNS} FROM ${schedules} s
            WHERE s.connection_no = (SELECT connection_no FROM ${connections} WHERE id = ${text(connectionId)})
            ORDER BY s.capability`,
      );
      return rows.map((row) => decodeSchedule(row, connectionId));
    },
    async claimDueConnections(request) {
      const claimed: DueSync[] = [];
      for (let round = 0; round < MOST_ROUNDS; round += 1) {
        const rows = await claimSome(session, { ...request, limit: request.limit - claimed.length });
        const won = rows.flatMap((row) => decodeDue(row, request.owner));
        claimed.push(...won);
        if (won.length === rows.length) break;
      }
      return claimed.sort((a, b) => a.schedule.dueAt - b.schedule.dueAt);
    },
    async listDue({ providers, limit }) {
      const rows = await session.rows<ScheduleRow & { readonly id: string }>(
        sql`SELECT c.id, ${SCHEDULE_COLUMNS} ${fromDue(session, providers)} ${IN_ORDER} LIMIT ${whole(limit)}`,
      );
      return rows.map((row) => decodeSchedule(row, row.id));
    },
    async readBacklog({ providers }) {
      // One statement, so that what is claimed meanwhile is counted once.
      const row = await session.row<SyncBacklog & { readonly oldestDueAt: number | null }>(
        sql`SELECT count(*)::float8 AS due, min(due_at) AS "oldestDueAt", (${runningOf(session, providers)}) AS running
            FROM (SELECT s.due_at ${fromDue(session, providers)} ${IN_ORDER} LIMIT ${whole(BACKLOG_COUNTED)}) oldest`,
      );
      return { due: row?.due ?? 0, oldestDueAt: row?.oldestDueAt ?? undefined, running: row?.running ?? 0 };
    },
  };
}

const IN_ORDER = raw('ORDER BY s.due_at, s.connection_no, s.capability');

/**
 * What claiming would answer. OFFSET 0 fixes the order of loops: along the index by due time, so that a small limit looks
 * at few rows, and from there by key.
 */
function fromDue(session: Session, providers: readonly string[]): Sql {
  const { connections, leases, mca_now, schedules, users } = session.names;
  return sql`FROM ${schedules} s
    CROSS JOIN LATERAL (SELECT * FROM ${connections} WHERE connection_no = s.connection_no OFFSET 0) c
    CROSS JOIN LATERAL (SELECT user_id FROM ${users} WHERE user_no = c.user_no OFFSET 0) u
    WHERE s.due_at <= (SELECT ${mca_now}()) AND c.status = 'active' AND c.provider = ANY(${texts(providers)})
      AND NOT EXISTS (SELECT 1 FROM ${leases} l
        WHERE l.resource = 'sync:' || c.id || ':' || s.capability AND l.expires_at > (SELECT ${mca_now}()))
      AND NOT EXISTS (SELECT 1 FROM ${schedules} b
        WHERE b.connection_no = s.connection_no AND b.due_at > (SELECT ${mca_now}()) AND b.blocked)`;
}

/**
 * From the leases, which are few, to what they are on: schedules may be many. What stands behind the last colon of a
 * resource is the capability, whatever the id of a connection looks like.
 */
function runningOf(session: Session, providers: readonly string[]): Sql {
  const { connections, leases, mca_now, schedules } = session.names;
  return sql`SELECT count(*)::float8
    FROM (SELECT substring(resource FROM '^sync:(.*):[^:]*$') AS id, substring(resource FROM '[^:]*$') AS capability
      FROM ${leases}
      WHERE resource >= 'sync:' AND resource < 'sync;' AND expires_at > (SELECT ${mca_now}())) l
    JOIN ${connections} c ON c.id = l.id
    JOIN ${schedules} s ON s.connection_no = c.connection_no AND s.capability = l.capability
    WHERE c.provider = ANY(${texts(providers)})`;
}

/**
 * Claims what nobody else is claiming. Rows that another claim has locked are passed over; those that it has let go of
 * meanwhile look free to this statement, which began before, but their leases are taken, and are not taken a second time.
 * A lease that has run out may still be locked by a worker that stands still inside its commit: nobody waits for that one.
 */
async function claimSome(
  session: Session,
  request: Parameters<SyncVerbs['claimDueConnections']>[0],
): Promise<readonly DueRow[]> {
  const { leases, mca_now } = session.names;
  const { limit, owner, providers, ttlMs } = request;
  return session.write((transaction) =>
    transaction.rows<DueRow>(
      sql`WITH due AS MATERIALIZED (
            SELECT ${SCHEDULE_COLUMNS}, ${CONNECTION_COLUMNS}, s.connection_no,
              'sync:' || c.id || ':' || s.capability AS resource
            ${fromDue(session, providers)} ${IN_ORDER} LIMIT ${whole(limit)} FOR UPDATE OF s SKIP LOCKED),
          ended AS MATERIALIZED (
            SELECT resource FROM ${leases} WHERE resource IN (SELECT resource FROM due) FOR UPDATE SKIP LOCKED),
          free AS (
            SELECT * FROM due WHERE resource IN (SELECT resource FROM ended)
              OR resource NOT IN (SELECT resource FROM ${leases} WHERE resource IN (SELECT resource FROM due))),
          granted AS (
            INSERT INTO ${leases} AS l (resource, owner, fence, expires_at)
            SELECT resource, ${text(owner)}, ${session.next('fences')}, (SELECT ${mca_now}()) + ${float(ttlMs)}
            FROM free ORDER BY "dueAt", connection_no, capability
            ON CONFLICT (resource) DO UPDATE
            SET owner = excluded.owner, fence = excluded.fence, expires_at = excluded.expires_at
            WHERE l.expires_at <= ${mca_now}()
            RETURNING resource, fence, expires_at)
          SELECT due.*, granted.fence::float8 AS fence, granted.expires_at AS "expiresAt"
          FROM due LEFT JOIN granted USING (resource) ORDER BY due."dueAt", due.connection_no, due.capability`,
    ),
  );
}

function decodeDue(row: DueRow, owner: string): readonly DueSync[] {
  const { fence, expiresAt } = row;
  if (fence === null || expiresAt === null) return [];
  const resource = `sync:${row.id}:${row.capability}`;
  const lease = { resource, owner, fence, expiresAt };
  return [{ schedule: decodeSchedule(row, row.id), connection: decodeConnection(row), lease }];
}

/** Says when a capability is due; to be called within a transaction. */
export async function writeSchedule(
  session: Session,
  transaction: Queries,
  connectionNo: number,
  { capability, dueAt, blocked, failures }: SyncSchedule,
): Promise<void> {
  await transaction.rows(
    sql`INSERT INTO ${session.names.schedules} (connection_no, capability, due_at, blocked, failures)
        VALUES (${whole(connectionNo)}, ${text(capability)}, ${float(dueAt)}, ${{ value: blocked, type: 'boolean' }},
          ${whole(failures)})
        ON CONFLICT (connection_no, capability) DO UPDATE
        SET due_at = excluded.due_at, blocked = excluded.blocked, failures = excluded.failures`,
  );
}
