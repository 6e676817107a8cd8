import { createHash } from 'node:crypto';
import type { ParkedRecord, StoredParkedRecord } from '@mca/core/adapter-kit';
import type { Queries, Session } from './session.ts';
import { numbers, sql, text, texts, whole } from './sql.ts';

/** Parks records, or counts one more attempt of each that is there already. */
export async function park(
  session: Session,
  transaction: Queries,
  connectionNo: number,
  records: readonly ParkedRecord[],
): Promise<void> {
  if (records.length === 0) return;
  const { mca_now, parked } = session.names;
  const met = new Map<string, { record: ParkedRecord; hash: string; attempts: number }>();
  for (const record of records) {
    const hash = createHash('sha256').update(record.raw).digest('hex');
    const key = `${hash} ${record.capability}`;
    // Reason and message of the last attempt: another release may fail for another reason.
    met.set(key, { record, hash, attempts: (met.get(key)?.attempts ?? 0) + 1 });
  }
  const all = [...met.values()];
  // Updating first spares the numbers that a conflict would use up: ids are shown to people.
  await transaction.rows(
    sql`WITH met AS (SELECT * FROM unnest(${texts(all.map(({ record }) => record.capability))},
          ${texts(all.map(({ hash }) => hash))}, ${texts(all.map(({ record }) => record.reason))},
          ${texts(all.map(({ record }) => record.message))}, ${texts(all.map(({ record }) => record.raw))},
          ${numbers(
            all.map(({ attempts }) => attempts),
            'bigint',
          )}) WITH ORDINALITY AS met (capability, raw_sha256, reason, message, raw, attempts, place)),
        again AS (UPDATE ${parked} p SET attempts = p.attempts + met.attempts, reason = met.reason, message = met.message
          FROM met WHERE p.connection_no = ${whole(connectionNo)} AND p.capability = met.capability
            AND p.raw_sha256 = met.raw_sha256
          RETURNING met.place)
        INSERT INTO ${parked} AS p (connection_no, capability, raw_sha256, parked_at, attempts, reason, message, raw)
        SELECT ${whole(connectionNo)}, capability, raw_sha256, (SELECT ${mca_now}()), attempts, reason, message, raw
        FROM met WHERE place NOT IN (SELECT place FROM again) ORDER BY place
        ON CONFLICT (connection_no, capability, raw_sha256) DO UPDATE
        SET attempts = p.attempts + excluded.attempts, reason = excluded.reason, message = excluded.message`,
  );
}

/** Lets go of records of this connection that were made good. */
export async function unpark(
  session: Session,
  transaction: Queries,
  connectionNo: number,
  ids: readonly number[],
): Promise<void> {
  if (ids.length === 0) return;
  await transaction.rows(
    sql`DELETE FROM ${session.names.parked}
        WHERE connection_no = ${whole(connectionNo)} AND parked_no = ANY(${numbers(ids, 'bigint')})`,
  );
}

/** Parked records of a connection, oldest first. */
export async function listParked(session: Session, connectionId: string): Promise<readonly StoredParkedRecord[]> {
  const { connections, parked } = session.names;
  const rows = await session.rows<Omit<StoredParkedRecord, 'id' | 'parkedAt'> & { parkedNo: number; parkedAt: number }>(
    sql`SELECT parked_no::float8 AS "parkedNo", parked_at::float8 AS "parkedAt", attempts::float8 AS attempts, capability,
          reason, message, raw FROM ${parked}
        WHERE connection_no = (SELECT connection_no FROM ${connections} WHERE id = ${text(connectionId)})
        ORDER BY parked_no`,
  );
  return rows.map(({ parkedNo, parkedAt, ...row }) => ({ id: parkedNo, parkedAt: new Date(parkedAt), ...row }));
}
