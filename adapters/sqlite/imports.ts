import {
  type Clock,
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
  withoutCoverage,
} from '@mca/core/adapter-kit';
import { readSequence, writeSequence } from './counters.ts';
import type { Session } from './session.ts';

/** Import records, and taking imports back. */
export function importVerbs(session: Session, clock: Clock): ImportVerbs {
  return {
    listImports: ({ userId, id }) =>
      session.run(() => {
        const rows = session
          .statement(
            `SELECT m.id, c.id AS connectionId, u.user_id AS userId, c.provider, m.status, m.started_at AS startedAt,
               m.finished_at AS finishedAt, m.files, m.read, m.inserted, m.updated, m.unchanged, m.skipped, m.rejected, m.coverage
             FROM mca_imports m JOIN mca_users u ON u.user_no = m.user_no
             JOIN mca_connections c ON c.connection_no = m.connection_no
             WHERE u.user_id = ? AND (? IS NULL OR m.id = ?) ORDER BY m.import_no`,
          )
          .all(userId, id ?? null, id ?? null);
        return (rows as ImportRow[]).map(decodeImport);
      }),
    undoImport: ({ userId, importId }) =>
      session.write(() => {
        const known = session
          .statement(
            `SELECT import_no AS importNo, user_no AS userNo, coverage FROM mca_imports WHERE id = ? AND status <> 'undone'
             AND user_no = (SELECT user_no FROM mca_users WHERE user_id = ?)`,
          )
          .get(importId, userId) as
          | { readonly importNo: number; readonly userNo: number; readonly coverage: string }
          | undefined;
        if (!known) return { removed: 0 };
        const removed = removeItems(session, known.userNo, known.importNo);
        trimOthers(session, known.userNo, decodeCoverage(known.coverage));
        session
          .statement(
            `UPDATE mca_imports SET status = 'undone', coverage = '[]', finished_at = coalesce(finished_at, ?)
             WHERE import_no = ?`,
          )
          .run(clock.now(), known.importNo);
        // A run that is still writing must notice at its next page.
        session.statement('DELETE FROM mca_leases WHERE resource = ?').run(`import:${importId}`);
        return { removed };
      }),
  };
}

function trimOthers(session: Session, userNo: number, undone: readonly Coverage[]): void {
  const others = session
    .statement("SELECT import_no AS importNo, coverage FROM mca_imports WHERE user_no = ? AND coverage <> '[]'")
    .all(userNo) as { readonly importNo: number; readonly coverage: string }[];
  for (const { importNo, coverage } of others) {
    const rest = encodeCoverage(withoutCoverage(decodeCoverage(coverage), undone));
    session.statement('UPDATE mca_imports SET coverage = ? WHERE import_no = ?').run(rest, importNo);
  }
}

/** Deletes an import's items, each with an entry for the feed. Tombstones stay: what the host deleted stays deleted. */
function removeItems(session: Session, userNo: number, importNo: number): number {
  const sequence = readSequence(session);
  session
    .statement(
      `INSERT INTO mca_removals (sequence, user_no, connection_no, platform, external_id)
       SELECT ? + row_number() OVER (ORDER BY sequence), user_no, connection_no, platform, external_id FROM mca_items
       WHERE user_no = ? AND import_no = ? AND deleted = 0`,
    )
    .run(sequence, userNo, importNo);
  const { changes } = session
    .statement('DELETE FROM mca_items WHERE user_no = ? AND import_no = ? AND deleted = 0')
    .run(userNo, importNo);
  writeSequence(session, sequence + Number(changes));
  return Number(changes);
}

/** Makes or updates the record of the import that a page belongs to, and answers its number. */
export function openImport(
  session: Session,
  clock: Clock,
  userNo: number,
  connectionNo: number,
  progress: ImportProgress,
): number {
  const known = session
    .statement('SELECT import_no AS importNo, connection_no AS connectionNo, status FROM mca_imports WHERE id = ?')
    .get(progress.id) as
    | { readonly importNo: number; readonly connectionNo: number; readonly status: string }
    | undefined;
  if (known && known.connectionNo !== connectionNo) throw foreignImport(progress.id);
  if (known?.status === 'undone') throw importUndone(progress.id);
  const finishedAt = progress.status === 'running' ? null : clock.now();
  const { id, status, startedAt, files, read, skipped, rejected, coverage } = encodeProgress(progress);
  const totals = [status, finishedAt, files, read, skipped, rejected, coverage];
  if (known) {
    session
      .statement(
        `UPDATE mca_imports SET status = ?, finished_at = ?, files = ?, read = ?, skipped = ?, rejected = ?, coverage = ?
         WHERE import_no = ?`,
      )
      .run(...totals, known.importNo);
    return known.importNo;
  }
  const { lastInsertRowid } = session
    .statement(
      `INSERT INTO mca_imports (status, finished_at, files, read, skipped, rejected, coverage, id, user_no, connection_no,
         started_at, inserted, updated, unchanged) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0)`,
    )
    .run(...totals, id, userNo, connectionNo, startedAt);
  return Number(lastInsertRowid);
}

/** Adds what a page changed to the import's totals. */
export function addPageCounts(
  session: Session,
  importNo: number,
  page: { readonly inserted: number; readonly updated: number; readonly unchanged: number },
): void {
  session
    .statement(
      'UPDATE mca_imports SET inserted = inserted + ?, updated = updated + ?, unchanged = unchanged + ? WHERE import_no = ?',
    )
    .run(page.inserted, page.updated, page.unchanged, importNo);
}
