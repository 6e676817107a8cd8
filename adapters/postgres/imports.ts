import {
  type Coverage,
  decodeCoverage,
  decodeImport,
  encodeCoverage,
  encodeProgress,
  foreignImport,
  type ImportProgress,
  type ImportRow,
  type ImportVerbs,
  importUndone,
  type PageResult,
  withoutCoverage,
} from '@mca/core/adapter-kit';
import type { Queries, Session } from './session.ts';
import { sql, text, whole } from './sql.ts';

/** Import records, and taking imports back. */
export function importVerbs(session: Session): ImportVerbs {
  const { connections, imports, users } = session.names;
  return {
    async listImports({ userId, id }) {
      const rows = await session.rows<ImportRow>(
        sql`SELECT m.id, c.id AS "connectionId", u.user_id AS "userId", c.provider, m.status,
              m.started_at::float8 AS "startedAt", m.finished_at::float8 AS "finishedAt", m.files, m.read::float8 AS read,
              m.inserted::float8 AS inserted, m.updated::float8 AS updated, m.unchanged::float8 AS unchanged, m.skipped,
              m.rejected, m.coverage
            FROM ${imports} m JOIN ${users} u ON u.user_no = m.user_no
            JOIN ${connections} c ON c.connection_no = m.connection_no
            WHERE u.user_id = ${text(userId)} AND (m.id = ${text(id)} OR ${text(id)} IS NULL) ORDER BY m.import_no`,
      );
      return rows.map(decodeImport);
    },
    undoImport: ({ userId, importId }) =>
      session.write(async (transaction) => ({ removed: await undo(session, transaction, userId, importId) })),
  };
}

async function undo(session: Session, transaction: Queries, userId: string, importId: string): Promise<number> {
  const { imports, leases, mca_now, users } = session.names;
  const known = sql`m.id = ${text(importId)} AND m.status <> 'undone'
    AND m.user_no = (SELECT user_no FROM ${users} WHERE user_id = ${text(userId)})`;
  // A run that is still writing must notice at its next page. First, because pages take lease and import in this order.
  await transaction.rows(
    sql`DELETE FROM ${leases} WHERE resource = ${text(`import:${importId}`)}
        AND EXISTS (SELECT 1 FROM ${imports} m WHERE ${known})`,
  );
  const row = await transaction.row<{ readonly importNo: number; readonly userNo: number; readonly coverage: string }>(
    sql`SELECT m.import_no::float8 AS "importNo", m.user_no::float8 AS "userNo", m.coverage FROM ${imports} m
        WHERE ${known} FOR UPDATE`,
  );
  if (!row) return 0;
  const removed = await removeItems(session, transaction, row.userNo, row.importNo);
  await transaction.rows(
    sql`UPDATE ${imports} SET status = 'undone', coverage = '[]', finished_at = coalesce(finished_at, ${mca_now}())
        WHERE import_no = ${whole(row.importNo)}`,
  );
  await trimOthers(session, transaction, row.userNo, decodeCoverage(row.coverage));
  return removed;
}

async function trimOthers(
  session: Session,
  transaction: Queries,
  userNo: number,
  undone: readonly Coverage[],
): Promise<void> {
  const { imports } = session.names;
  const others = await transaction.rows<{ readonly importNo: number; readonly coverage: string }>(
    sql`SELECT import_no::float8 AS "importNo", coverage FROM ${imports}
        WHERE user_no = ${whole(userNo)} AND coverage <> '[]' ORDER BY import_no FOR UPDATE`,
  );
  for (const { importNo, coverage } of others) {
    const rest = encodeCoverage(withoutCoverage(decodeCoverage(coverage), undone));
    if (rest === coverage) continue;
    await transaction.rows(sql`UPDATE ${imports} SET coverage = ${text(rest)} WHERE import_no = ${whole(importNo)}`);
  }
}

/** Deletes an import's items, each with an entry for the feed. Tombstones stay: what the host deleted stays deleted. */
async function removeItems(session: Session, transaction: Queries, userNo: number, importNo: number): Promise<number> {
  const { items, removals, take_feed_turn } = session.names;
  await transaction.rows(sql`SELECT ${take_feed_turn}()`);
  const row = await transaction.row<{ readonly removed: number }>(
    sql`WITH gone AS (DELETE FROM ${items}
          WHERE user_no = ${whole(userNo)} AND import_no = ${whole(importNo)} AND NOT deleted
          RETURNING sequence, user_no, connection_no, platform, external_id),
        told AS (INSERT INTO ${removals} (sequence, user_no, connection_no, platform, external_id)
          SELECT ${session.next('feed_sequence')}, user_no, connection_no, platform, external_id
          FROM gone ORDER BY gone.sequence RETURNING 1)
        SELECT count(*)::float8 AS removed FROM told`,
  );
  return row?.removed ?? 0;
}

/** Makes or updates the record of the import that a page belongs to, and answers its number. */
export async function openImport(
  session: Session,
  transaction: Queries,
  userNo: number,
  connectionNo: number,
  progress: ImportProgress,
): Promise<number> {
  const { imports, mca_now } = session.names;
  const { id, status, startedAt, files, read, skipped, rejected, coverage } = encodeProgress(progress);
  const row = await transaction.row<{ readonly importNo: number }>(
    sql`INSERT INTO ${imports} AS m (id, user_no, connection_no, started_at, status, finished_at, files, read, skipped,
          rejected, coverage, inserted, updated, unchanged)
        VALUES (${text(id)}, ${whole(userNo)}, ${whole(connectionNo)}, ${whole(startedAt)}, ${text(status)},
          CASE WHEN ${text(status)} = 'running' THEN NULL ELSE ${mca_now}() END, ${text(files)}, ${whole(read)},
          ${text(skipped)}, ${text(rejected)}, ${text(coverage)}, 0, 0, 0)
        ON CONFLICT (id) DO UPDATE SET status = excluded.status, finished_at = excluded.finished_at,
          files = excluded.files, read = excluded.read, skipped = excluded.skipped, rejected = excluded.rejected,
          coverage = excluded.coverage
        WHERE m.connection_no = excluded.connection_no AND m.status <> 'undone'
        RETURNING m.import_no::float8 AS "importNo"`,
  );
  if (row) return row.importNo;
  const known = await transaction.row<{ readonly connectionNo: number }>(
    sql`SELECT connection_no::float8 AS "connectionNo" FROM ${imports} WHERE id = ${text(id)}`,
  );
  if (known?.connectionNo === connectionNo) throw importUndone(id);
  throw foreignImport(id);
}

/** Adds what a page changed to the import's totals. */
export async function addPageCounts(
  session: Session,
  transaction: Queries,
  importNo: number,
  page: Omit<PageResult, 'sequence'>,
): Promise<void> {
  await transaction.rows(
    sql`UPDATE ${session.names.imports} SET inserted = inserted + ${whole(page.inserted)},
          updated = updated + ${whole(page.updated)}, unchanged = unchanged + ${whole(page.unchanged)}
        WHERE import_no = ${whole(importNo)}`,
  );
}
