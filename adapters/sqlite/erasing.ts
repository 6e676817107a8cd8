import type { Session } from './session.ts';

/** Removes every trace of a user's connections, or of one of them, and answers how many visible items went. */
export function eraseConnections(
  session: Session,
  scope: { readonly userId: string; readonly connectionId?: string | undefined },
): number {
  if (scope.connectionId === undefined) {
    // By name, before the number is asked for: a connect flow may wait for a user without any connection.
    session.statement('DELETE FROM mca_connect_states WHERE user_id = ?').run(scope.userId);
  }
  const user = session.statement('SELECT user_no AS userNo FROM mca_users WHERE user_id = ?').get(scope.userId);
  if (!user) return 0;
  const { userNo } = user as { readonly userNo: number };
  const connections = session
    .statement('SELECT connection_no AS no, id FROM mca_connections WHERE user_no = ?')
    .all(userNo) as { readonly no: number; readonly id: string }[];
  let items = 0;
  for (const { no, id } of connections) {
    if (scope.connectionId === undefined || scope.connectionId === id)
      items += eraseConnection(session, userNo, no, id);
  }
  if (scope.connectionId === undefined) session.statement('DELETE FROM mca_users WHERE user_no = ?').run(userNo);
  return items;
}

function eraseConnection(session: Session, userNo: number, connectionNo: number, id: string): number {
  const { count } = session
    .statement('SELECT count(*) AS count FROM mca_items WHERE user_no = ? AND connection_no = ? AND deleted = 0')
    .get(userNo, connectionNo) as { readonly count: number };
  session.statement('DELETE FROM mca_items WHERE user_no = ? AND connection_no = ?').run(userNo, connectionNo);
  session.statement('DELETE FROM mca_removals WHERE user_no = ? AND connection_no = ?').run(userNo, connectionNo);
  eraseLeases(session, userNo, connectionNo, id);
  session.statement('DELETE FROM mca_imports WHERE user_no = ? AND connection_no = ?').run(userNo, connectionNo);
  for (const table of ['mca_cursors', 'mca_parked', 'mca_sync_log', 'mca_schedules', 'mca_connections']) {
    session.statement(`DELETE FROM ${table} WHERE connection_no = ?`).run(connectionNo);
  }
  return count;
}

/** Takes the right to write from whoever is at work for this connection. */
function eraseLeases(session: Session, userNo: number, connectionNo: number, id: string): void {
  session
    .statement(
      `DELETE FROM mca_leases WHERE resource IN
         (SELECT 'import:' || id FROM mca_imports WHERE user_no = ? AND connection_no = ?)`,
    )
    .run(userNo, connectionNo);
  session
    // ';' is the character after ':', so the range holds exactly what begins with 'sync:<id>:'.
    .statement('DELETE FROM mca_leases WHERE resource = ? OR (resource >= ? AND resource < ?)')
    .run(`refresh:${id}`, `sync:${id}:`, `sync:${id};`);
}
