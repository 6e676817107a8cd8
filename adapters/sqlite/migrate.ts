import { schemaTooNew } from '@mca/core/adapter-kit';
import { prepare, rollBack, type SqliteDatabase } from './driver.ts';
import { MIGRATIONS, type Migration } from './migrations/index.ts';

/**
 * Brings the schema to the newest version. Forward-only, and safe from many processes at once: whoever gets the write
 * lock does the work, the others find it done.
 *
 * @throws McaError `storage` `schema_too_new` when a newer release has been here
 */
export function migrateSchema(database: SqliteDatabase, migrations: readonly Migration[] = MIGRATIONS): void {
  const newest = migrations.at(-1)?.version ?? 0;
  // Most starts find everything in place and need no write lock.
  if (readVersion(database, newest) === newest) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    database.exec('CREATE TABLE IF NOT EXISTS mca_schema (version INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT');
    const current = readVersion(database, newest);
    for (const migration of migrations) {
      if (migration.version <= current) continue;
      database.exec(migration.sql);
      prepare(database, 'INSERT INTO mca_schema (version, name) VALUES (?, ?)').run(migration.version, migration.name);
    }
    database.exec('COMMIT');
  } catch (error) {
    rollBack(database);
    throw error;
  }
}

function readVersion(database: SqliteDatabase, newest: number): number {
  // The host's own `user_version` is the host's: this may be its application database.
  const known = prepare(database, `SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'mca_schema'`).get();
  if (!known) return 0;
  const row = prepare(database, 'SELECT coalesce(max(version), 0) AS version FROM mca_schema').get();
  const { version } = row as { readonly version: number };
  if (version > newest) throw schemaTooNew(version, newest);
  return version;
}
