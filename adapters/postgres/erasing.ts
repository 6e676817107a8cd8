import type { Queries, Session } from './session.ts';
import { numbers, type Sql, sql, text, texts, whole } from './sql.ts';

/** Removes every trace of a user's connections, or of one of them, and answers how many visible items went. */
export async function eraseConnections(
  session: Session,
  transaction: Queries,
  scope: { readonly userId: string; readonly connectionId?: string | undefined },
): Promise<number> {
  const { connect_states, connections, users } = session.names;
  if (scope.connectionId === undefined) {
    // By name, before the number is asked for: a connect flow may wait for a user without any connection.
    await transaction.rows(sql`DELETE FROM ${connect_states} WHERE user_id = ${text(scope.userId)}`);
  }
  // Locked first: whoever makes a connection of this user meanwhile is waited for, or waits and finds no user.
  const user = await transaction.row<{ readonly userNo: number }>(
    sql`SELECT user_no::float8 AS "userNo" FROM ${users} WHERE user_id = ${text(scope.userId)} FOR UPDATE`,
  );
  if (!user) return 0;
  const found = await transaction.rows<{ readonly id: string; readonly connectionNo: number }>(
    sql`SELECT id, connection_no::float8 AS "connectionNo" FROM ${connections}
        WHERE user_no = ${whole(user.userNo)} AND (id = ${text(scope.connectionId)} OR ${text(scope.connectionId)} IS NULL)`,
  );
  const items = found.length === 0 ? 0 : await eraseRows(session, transaction, user.userNo, found);
  if (scope.connectionId === undefined) {
    await transaction.rows(sql`DELETE FROM ${users} WHERE user_no = ${whole(user.userNo)}`);
  }
  return items;
}

async function eraseRows(
  session: Session,
  transaction: Queries,
  userNo: number,
  found: readonly { readonly id: string; readonly connectionNo: number }[],
): Promise<number> {
  const { connections, cursors, imports, items, parked, removals, schedules, sync_log } = session.names;
  const ofConnections = sql`connection_no = ANY(${numbers(
    found.map(({ connectionNo }) => connectionNo),
    'bigint',
  )})`;
  const ofUser = sql`user_no = ${whole(userNo)} AND ${ofConnections}`;
  await eraseLeases(
    session,
    transaction,
    ofUser,
    found.map(({ id }) => id),
  );
  // Waits for pages that are being written for these connections; none can begin after it.
  await transaction.rows(
    sql`SELECT 1 AS number FROM ${connections} WHERE ${ofConnections} ORDER BY connection_no FOR UPDATE`,
  );
  const row = await transaction.row<{ readonly items: number }>(
    sql`WITH gone AS (DELETE FROM ${items} WHERE ${ofUser} RETURNING deleted)
        SELECT count(*) FILTER (WHERE NOT deleted)::float8 AS items FROM gone`,
  );
  await transaction.rows(sql`DELETE FROM ${removals} WHERE ${ofUser}`);
  await transaction.rows(sql`DELETE FROM ${imports} WHERE ${ofUser}`);
  for (const table of [cursors, parked, sync_log, schedules, connections]) {
    await transaction.rows(sql`DELETE FROM ${table} WHERE ${ofConnections}`);
  }
  return row?.items ?? 0;
}

/** Takes the right to write from whoever is at work for these connections. */
async function eraseLeases(session: Session, transaction: Queries, ofUser: Sql, ids: readonly string[]): Promise<void> {
  const { imports, leases } = session.names;
  await transaction.rows(
    sql`DELETE FROM ${leases} WHERE resource IN (SELECT 'import:' || id FROM ${imports} WHERE ${ofUser})`,
  );
  await transaction.rows(
    // ';' is the character after ':', so the range holds exactly what begins with 'sync:<id>:'.
    sql`DELETE FROM ${leases} l USING unnest(${texts(ids)}) AS gone (id)
        WHERE l.resource = 'refresh:' || gone.id
          OR (l.resource >= 'sync:' || gone.id || ':' AND l.resource < 'sync:' || gone.id || ';')`,
  );
}
