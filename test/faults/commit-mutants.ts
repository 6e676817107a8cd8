import type { Storage } from '@mca/core/adapter-kit';
import { type SqliteDatabase, sqlite } from '@mca/core/adapters/sqlite';

/** Ways to break what a page promises, each of which the kill harness has to notice. */
export const COMMIT_MUTANTS = ['cursor-first', 'commit-per-item', 'no-unique-key', 'no-fence'] as const;

/** One of {@link COMMIT_MUTANTS}, or the real thing. */
export type CommitVariant = (typeof COMMIT_MUTANTS)[number] | 'real';

/** The adapter, or a mutant of it. */
export function openVariant(database: SqliteDatabase, variant: CommitVariant, clock: { now(): number }): Storage {
  const { storage } = sqlite({ database: withChangedSql(database, variant), clock });
  if (variant === 'cursor-first') {
    return {
      ...storage,
      async commitPage(page) {
        await storage.commitPage({ ...page, items: [], import: undefined });
        return storage.commitPage(page);
      },
    };
  }
  if (variant === 'commit-per-item') {
    return {
      ...storage,
      async commitPage(page) {
        const { cursor: _, import: progress, ...rest } = page;
        for (const item of page.items) await storage.commitPage({ ...rest, items: [item], import: progress });
        return storage.commitPage({ ...page, items: [] });
      },
    };
  }
  return storage;
}

/** The connection with the guard taken out of its SQL. */
function withChangedSql(database: SqliteDatabase, variant: CommitVariant): SqliteDatabase {
  const change = (sql: string): string => {
    if (variant === 'no-fence') {
      const fence = 'SELECT 1 FROM mca_leases WHERE resource = ? AND owner = ? AND fence = ?';
      return sql === fence ? 'SELECT 1 WHERE ? IS NOT NULL OR ? OR ?' : sql;
    }
    if (variant === 'no-unique-key') {
      return sql.includes('INSERT INTO mca_items')
        ? sql.replace(/ON CONFLICT[\s\S]*/, '')
        : sql.replace(/,\s*UNIQUE \(user_no, platform, external_id\)/, '');
    }
    return sql;
  };
  return {
    exec: (sql) => database.exec(change(sql)),
    prepare: (sql) => database.prepare(change(sql)),
    function: (...args) => database.function(...args),
  };
}
