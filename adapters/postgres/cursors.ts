import { CURSORS_KEPT, type Cursor } from '@mca/core/adapter-kit';
import type { Queries, Session } from './session.ts';
import { sql, text, whole } from './sql.ts';

/** Makes a position the newest of its capability, and lets the oldest go. */
export async function writeCursor(
  session: Session,
  transaction: Queries,
  connectionNo: number,
  { capability, value }: { readonly capability: string; readonly value: Cursor },
): Promise<void> {
  const { cursors } = session.names;
  const ofCapability = sql`connection_no = ${whole(connectionNo)} AND capability = ${text(capability)}`;
  // Both halves see the rows from before: one less is kept of them.
  await transaction.rows(
    sql`WITH dropped AS (DELETE FROM ${cursors} WHERE ${ofCapability} AND cursor_no <=
          (SELECT cursor_no FROM ${cursors} WHERE ${ofCapability}
           ORDER BY cursor_no DESC LIMIT 1 OFFSET ${whole(CURSORS_KEPT - 1)}))
        INSERT INTO ${cursors} (connection_no, capability, value)
        VALUES (${whole(connectionNo)}, ${text(capability)}, ${text(value)})`,
  );
}

/** Positions of a capability, newest first. */
export async function readCursors(
  session: Session,
  connectionId: string,
  capability: string,
): Promise<readonly Cursor[]> {
  const { connections, cursors } = session.names;
  const rows = await session.rows<{ readonly value: Cursor }>(
    sql`SELECT value FROM ${cursors} WHERE capability = ${text(capability)}
        AND connection_no = (SELECT connection_no FROM ${connections} WHERE id = ${text(connectionId)})
        ORDER BY cursor_no DESC`,
  );
  return rows.map(({ value }) => value);
}
