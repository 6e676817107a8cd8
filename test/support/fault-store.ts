import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { CredentialStore, Storage } from '@mca/core/adapter-kit';
import type { PostgresPool } from '@mca/core/adapters/postgres';
import type { SqliteDatabase } from '@mca/core/adapters/sqlite';
import type { PostgresServer } from './postgres.ts';
import { wrappedPool } from './wrapped-pool.ts';

/**
 * A store that a test and its worker processes share. Where it is, is one argument: the path of a SQLite file, or the URL of
 * a Postgres server with a schema behind the `#`.
 */
export interface FaultStore {
  readonly storage: Storage;
  readonly credentials: CredentialStore;
  /** Rows of a statement in which `%` stands in front of the names of our tables. */
  look<Row>(statement: string): Promise<readonly Row[]>;
  close(): Promise<void>;
}

/** How one process opens it. */
export interface OpenFaultStore {
  /** SQLite only: Postgres has a clock of its own, see {@link setDatabaseClock}. */
  readonly clock?: { now(): number } | undefined;
  /** SQLite only. @default 'full' */
  readonly synchronous?: 'full' | 'normal' | undefined;
  /** What becomes of each statement before it runs: mutants take guards out. */
  readonly change?: ((statement: string) => string) | undefined;
  /** Postgres only: settings of the connections, such as `-c statement_timeout=1000`. */
  readonly settings?: string | undefined;
  /** Postgres only. @default 4 */
  readonly max?: number | undefined;
}

/** Loads one driver only: most workers do little but start. */
export async function openFaultStore(where: string, options: OpenFaultStore = {}): Promise<FaultStore> {
  const store = await (isPostgres(where) ? openPostgres(where, options) : openSqlite(where, options));
  // At its end a process would do so by itself, which a killed one does not come to.
  if (process.env.NODE_COMPILE_CACHE) flushCompileCache();
  return store;
}

async function openSqlite(file: string, { change, clock, synchronous }: OpenFaultStore): Promise<FaultStore> {
  const { sqlite } = await import('@mca/core/adapters/sqlite');
  const database = new DatabaseSync(file);
  const changed: SqliteDatabase | undefined = change && {
    exec: (sql: string) => database.exec(change(sql)),
    prepare: (sql: string) => database.prepare(change(sql)),
    function: (...args) => database.function(...args),
  };
  return {
    ...sqlite({ database: changed ?? database, clock, synchronous }),
    look: async <Row>(statement: string) =>
      database
        .prepare(statement.replaceAll('%', 'mca_'))
        .all()
        .map((row) => ({ ...row })) as Row[],
    close: async () => database.close(),
  };
}

async function openPostgres(where: string, { change, max = 4, settings }: OpenFaultStore): Promise<FaultStore> {
  const [{ postgres }, { default: pg }] = await Promise.all([import('@mca/core/adapters/postgres'), import('pg')]);
  const { url, schema } = partsOf(where);
  const pool = new pg.Pool({ connectionString: url, max, options: settings, allowExitOnIdle: true });
  // Connections that break while nothing is asked of them: the next verb tells.
  pool.on('error', () => {});
  return {
    ...postgres({ pool: change ? changedPool(pool, change) : pool, schema }),
    look: async <Row>(statement: string) =>
      (await pool.query(statement.replaceAll('%', `"${schema}".`))).rows as readonly Row[],
    close: () => pool.end(),
  };
}

/** A pool whose statements are changed before they run. */
export function changedPool(pool: PostgresPool, change: (statement: string) => string): PostgresPool {
  return wrappedPool(pool, (run, text, values) => run(change(text), values));
}

/** What a store on Postgres takes for the time, as SQL: epoch milliseconds. A file has no clock: its processes have. */
export async function setDatabaseClock(where: string, milliseconds: string): Promise<void> {
  if (!isPostgres(where)) return;
  const { setClock } = await import('./postgres-setup.ts');
  const { url, schema } = partsOf(where);
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await setClock(client, schema, milliseconds);
  } finally {
    await client.end();
  }
}

export function isPostgres(where: string): boolean {
  return where.startsWith('postgres');
}

function partsOf(where: string): { readonly url: string; readonly schema: string } {
  const url = new URL(where);
  const schema = url.hash.slice(1);
  url.hash = '';
  return { url: url.href, schema };
}

/** Makes stores for a test, and takes them all away at its end. */
export interface StorePlace {
  readonly name: 'SQLite' | 'Postgres';
  /** Where a store may be that is not there yet. */
  fresh(): string;
  clear(): Promise<void>;
}

/** Files in a folder of their own. */
export function onSqlite(): StorePlace {
  let folder = '';
  let count = 0;
  return {
    name: 'SQLite',
    fresh() {
      folder ||= mkdtempSync(join(tmpdir(), 'mca-faults-'));
      count += 1;
      return join(folder, `${count}.db`);
    },
    async clear() {
      if (folder) rmSync(folder, { recursive: true, force: true });
      folder = '';
    },
  };
}

/** Schemas of a server. Without one there may be a place, but no store. */
export function onPostgres(server: PostgresServer | undefined): StorePlace {
  const schemas: string[] = [];
  return {
    name: 'Postgres',
    fresh() {
      if (!server) throw new Error('There is no Postgres server.');
      const schema = `test_${randomBytes(6).toString('hex')}`;
      schemas.push(schema);
      return `${server.url}#${schema}`;
    },
    async clear() {
      if (!server || schemas.length === 0) return;
      const { default: pg } = await import('pg');
      const client = new pg.Client({ connectionString: server.url });
      await client.connect();
      try {
        for (const schema of schemas.splice(0)) await client.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
      } finally {
        await client.end();
      }
    },
  };
}
