import type { Storage } from '@mca/core/adapter-kit';
import { type FaultStore, isPostgres, openFaultStore } from '../support/fault-store.ts';

/** Ways to break what a page promises, each of which the kill harness has to notice. */
export const COMMIT_MUTANTS = [
  'cursor-first',
  'commit-per-item',
  'no-unique-key',
  'no-fence',
  'no-transaction',
] as const;

/** One of {@link COMMIT_MUTANTS}, or the real thing. */
export type CommitVariant = (typeof COMMIT_MUTANTS)[number] | 'real';

/** The adapter of a store, or a mutant of it. */
export async function openVariant(where: string, variant: CommitVariant): Promise<FaultStore> {
  const change = changeOf(variant, isPostgres(where) ? 'Postgres' : 'SQLite');
  const store = await openFaultStore(where, { change });
  return { ...store, storage: withChangedVerbs(store.storage, variant) };
}

function withChangedVerbs(storage: Storage, variant: CommitVariant): Storage {
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

type Change = (statement: string) => string;

/** What takes a guard out of the SQL of a store. */
export function changeOf(variant: CommitVariant, store: 'SQLite' | 'Postgres'): Change | undefined {
  return store === 'Postgres' ? changeOfPostgres(variant) : changeOfSqlite(variant);
}

function changeOfSqlite(variant: CommitVariant): Change | undefined {
  switch (variant) {
    case 'no-fence': {
      const fence = 'SELECT 1 FROM mca_leases WHERE resource = ? AND owner = ? AND fence = ?';
      return (sql) => (sql === fence ? 'SELECT 1 WHERE ? IS NOT NULL OR ? OR ?' : sql);
    }
    case 'no-unique-key':
      return (sql) =>
        sql.includes('INSERT INTO mca_items')
          ? sql.replace(/ON CONFLICT[\s\S]*/, '')
          : sql.replace(/,\s*UNIQUE \(user_no, platform, external_id\)/, '');
    case 'no-transaction':
      return (sql) => (/^(?:BEGIN|COMMIT|ROLLBACK)\b/.test(sql) ? 'SELECT 1' : sql);
    default:
      return undefined;
  }
}

function changeOfPostgres(variant: CommitVariant): Change | undefined {
  switch (variant) {
    case 'no-fence':
      return (sql) =>
        sql.replace(
          /SELECT 1 FROM "\w+"\.leases WHERE resource = (\S+) AND owner = (\S+) AND fence = (\S+) FOR UPDATE/,
          'SELECT 1 WHERE $1 IS NOT NULL OR $2 IS NOT NULL OR $3 IS NOT NULL',
        );
    case 'no-unique-key':
      return (sql) =>
        /INSERT INTO "\w+"\.items/.test(sql)
          ? sql.replace(/ON CONFLICT[\s\S]*?(?=RETURNING)/, '')
          : sql.replace('CREATE UNIQUE INDEX items_by_key', 'CREATE INDEX items_by_key');
    case 'no-transaction':
      return (sql) => (/^(?:BEGIN|COMMIT|ROLLBACK)\b/.test(sql) ? 'SELECT 1' : sql);
    default:
      return undefined;
  }
}
