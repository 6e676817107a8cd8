import { chmodSync, closeSync, existsSync, fchmodSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { CredentialStore, Storage } from '@mca/core';

/** Where the app keeps everything. */
export interface OpenStorage {
  readonly adapter: { readonly storage: Storage; readonly credentials: CredentialStore };
  /** The file's own handle, where it is SQLite. */
  readonly database?: DatabaseSync | undefined;
  close(): Promise<void>;
}

/** Whether a setting names a server rather than a file. */
export function isPostgres(database: string): boolean {
  return /^postgres(ql)?:\/\//.test(database);
}

/** What may be said of a database: without user and password. */
export function describeDatabase(database: string): string {
  if (!isPostgres(database)) return database;
  const url = URL.parse(database);
  return url ? url.host + url.pathname : 'Postgres';
}

/** Opens what `DATABASE` names: a SQLite file, or a Postgres that several instances of the app may share. */
export async function openStorage(database: string, log: (line: string) => void): Promise<OpenStorage> {
  if (!isPostgres(database)) {
    const { sqlite } = await import('@mca/core/adapters/sqlite');
    if (database !== ':memory:') closeToOthers(database);
    const file = new DatabaseSync(database);
    return { adapter: sqlite({ database: file }), database: file, close: async () => file.close() };
  }
  const [{ default: pg }, { postgres }] = await Promise.all([import('pg'), import('@mca/core/adapters/postgres')]);
  const pool = new pg.Pool({ connectionString: database });
  // Pools tell of idle connections that break; without a listener that would end the process.
  pool.on('error', ({ message }) => log(`postgres: ${message}`));
  return { adapter: postgres({ pool }), close: () => pool.end() };
}

/**
 * A history is its owner's. The file is made before SQLite opens it, which would make it readable for everybody; SQLite
 * gives the files beside it (`-wal`, `-shm`) the mode of the first.
 */
function closeToOthers(path: string): void {
  const file = openSync(path, 'a', 0o600);
  try {
    fchmodSync(file, 0o600);
  } finally {
    closeSync(file);
  }
  // Of an earlier run that was ended hard.
  for (const beside of ['-wal', '-shm', '-journal'].map((end) => path + end)) {
    if (existsSync(beside)) chmodSync(beside, 0o600);
  }
}
