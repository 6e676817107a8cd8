import { CURSORS_KEPT, type Cursor } from '@mca/core/adapter-kit';
import type { Session } from './session.ts';

const OF_CAPABILITY = 'connection_no = ? AND capability = ?';
const ADD = `INSERT INTO mca_cursors (connection_no, capability, cursor_no, value)
  SELECT ?, ?, coalesce(max(cursor_no), 0) + 1, ? FROM mca_cursors WHERE ${OF_CAPABILITY}
  RETURNING cursor_no AS cursorNo`;
const DROP_OLD = `DELETE FROM mca_cursors WHERE ${OF_CAPABILITY} AND cursor_no <= ?`;

/** Makes a position the newest of its capability, and lets the oldest go. */
export function writeCursor(session: Session, connectionNo: number, capability: string, value: Cursor): void {
  const { cursorNo } = session.statement(ADD).get(connectionNo, capability, value, connectionNo, capability) as {
    readonly cursorNo: number;
  };
  session.statement(DROP_OLD).run(connectionNo, capability, cursorNo - CURSORS_KEPT);
}

/** Positions of a capability, newest first. */
export function readCursors(session: Session, connectionId: string, capability: string): readonly Cursor[] {
  const rows = session
    .statement(
      `SELECT value FROM mca_cursors WHERE capability = ?
       AND connection_no = (SELECT connection_no FROM mca_connections WHERE id = ?) ORDER BY cursor_no DESC`,
    )
    .all(capability, connectionId) as { readonly value: Cursor }[];
  return rows.map(({ value }) => value);
}
