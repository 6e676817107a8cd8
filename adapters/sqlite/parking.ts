import { createHash } from 'node:crypto';
import type { ParkedRecord, StoredParkedRecord } from '@mca/core/adapter-kit';
import { nextCount } from './counters.ts';
import type { Session } from './session.ts';

/** Parks a record, or counts one more attempt of it. */
export function park(session: Session, connectionNo: number, record: ParkedRecord, now: number): void {
  const { capability, reason, message, raw } = record;
  const hash = createHash('sha256').update(raw).digest('hex');
  // Reason and message of the last attempt: another release may fail for another reason.
  const { changes } = session
    .statement(
      `UPDATE mca_parked SET attempts = attempts + 1, reason = ?, message = ?
       WHERE connection_no = ? AND capability = ? AND raw_sha256 = ?`,
    )
    .run(reason, message, connectionNo, capability, hash);
  if (Number(changes) > 0) return;
  session
    .statement(
      `INSERT INTO mca_parked
         (parked_no, connection_no, capability, raw_sha256, parked_at, attempts, reason, message, raw)
       VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?)`,
    )
    .run(nextCount(session, 'parked'), connectionNo, capability, hash, now, reason, message, raw);
}

/** Lets go of a record of this connection that was made good. */
export function unpark(session: Session, connectionNo: number, id: number): void {
  session.statement('DELETE FROM mca_parked WHERE parked_no = ? AND connection_no = ?').run(id, connectionNo);
}

/** Parked records of a connection, oldest first. */
export function listParked(session: Session, connectionId: string): readonly StoredParkedRecord[] {
  const rows = session
    .statement(
      `SELECT parked_no AS id, parked_at AS parkedAt, attempts, capability, reason, message, raw FROM mca_parked
       WHERE connection_no = (SELECT connection_no FROM mca_connections WHERE id = ?) ORDER BY parked_no`,
    )
    .all(connectionId) as (Omit<StoredParkedRecord, 'parkedAt'> & { readonly parkedAt: number })[];
  // Spread into a plain object: `node:sqlite` rows have no prototype.
  return rows.map((row) => ({ ...row, parkedAt: new Date(row.parkedAt) }));
}
