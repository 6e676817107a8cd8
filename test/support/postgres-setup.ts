import { randomBytes } from 'node:crypto';
import type { PGlite } from '@electric-sql/pglite';
import { type PgliteDatabase, type PostgresPool, postgres } from '@mca/core/adapters/postgres';
import type { StorageUnderTest } from '@mca/core/testing';
import pg from 'pg';
import { type FreshSchema, freshSchema, type PostgresServer } from './postgres.ts';
import { wrappedPool } from './wrapped-pool.ts';

/** What runs statements behind the adapter's back. */
export interface Runner {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/** What the clock of a schema says from now on: not a clock of the adapter, the one in the database. */
export async function setClock(runner: Runner, schema: string, milliseconds: string): Promise<void> {
  await runner.query(
    `CREATE OR REPLACE FUNCTION "${schema}".mca_now() RETURNS bigint LANGUAGE sql VOLATILE AS
     $$ SELECT (${milliseconds})::bigint $$`,
  );
}

/** The clock of the server, moved by so much. */
export function realTime(offsetMs: number): string {
  return `floor(extract(epoch FROM clock_timestamp()) * 1000) + (${offsetMs})`;
}

/**
 * A store for the conformance suite whose clock in the database stands still but for `advance`, so that no case depends on
 * how fast the machine is. Tests of leases let the real one run.
 */
export function underTest(
  database: PostgresPool | PgliteDatabase,
  schema: string,
  clock: { nowMs: number },
  rest: Pick<StorageUnderTest, 'reopen' | 'close'>,
): StorageUnderTest {
  const adapter = postgres({ pool: database, schema });
  const stopClock = () => setClock(database, schema, `${clock.nowMs}`);
  let migrated: Promise<void> | undefined;
  return {
    credentials: adapter.credentials,
    storage: {
      ...adapter.storage,
      async migrate() {
        await adapter.storage.migrate();
        migrated ??= stopClock();
        await migrated;
      },
    },
    advance: (milliseconds) => {
      clock.nowMs += milliseconds;
      return stopClock();
    },
    ...rest,
  };
}

/** As some hosts set it for their whole process: big numbers as bigint, all others as the text that came. */
export const HOSTILE_TYPES = {
  getTypeParser: (type: number) => (value: string) => (type === 20 ? BigInt(value) : value),
} as unknown as pg.CustomTypesConfig;

/** Opens fresh stores on a server, for the conformance suite. */
export function openOn(server: PostgresServer, options: { readonly types?: pg.CustomTypesConfig } = {}) {
  return async (): Promise<StorageUnderTest> => {
    const { pool, schema, drop } = await freshSchema(server);
    Object.assign(pool.options, options);
    const clock = { nowMs: Date.UTC(2024, 0, 1) };
    let removed: Promise<void> | undefined;
    return underTest(pool, schema, clock, {
      reopen: async () => {
        await pool.end();
        const next = new pg.Pool({ connectionString: server.url, max: 4, ...options });
        return underTest(next, schema, clock, {
          close: async () => {
            await next.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
            await next.end();
          },
        });
      },
      close: () => {
        removed ??= drop();
        return removed;
      },
    });
  };
}

/** Opens stores in one PGlite database: in a schema that is not there yet, or in one that is only emptied in between. */
export function openOnPglite(database: PGlite, schemas: 'fresh' | 'emptied') {
  let count = 0;
  return async (): Promise<StorageUnderTest> => {
    count += 1;
    const schema = schemas === 'fresh' ? `test_${count}` : 'test';
    return underTest(
      database,
      schema,
      { nowMs: Date.UTC(2024, 0, 1) },
      {
        async close() {
          if (schemas === 'fresh') await database.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
          else await database.exec(emptying(schema));
        },
      },
    );
  };
}

/** Statements that leave the tables of a schema as they were after migrating. */
export function emptying(schema: string): string {
  const tables = [
    ...['items', 'removals', 'cursors', 'parked', 'sync_log', 'schedules', 'connect_states', 'leases', 'imports'],
    ...['connections', 'users', 'credentials'],
  ].map((table) => `DELETE FROM "${schema}".${table}`);
  const numbers = [
    `SELECT setval('"${schema}".feed_sequence', 0), setval('"${schema}".fences', 1, false)`,
    `SELECT setval(pg_get_serial_sequence('"${schema}".parked', 'parked_no'), 1, false)`,
  ];
  return [...tables, ...numbers].join(';');
}

/** A migrated store on a schema of its own, with its pool for looking behind the adapter. */
export interface OpenSchema extends FreshSchema, ReturnType<typeof postgres> {
  /** Rows of a statement in which `%` stands for the schema. */
  look<Row>(text: string, values?: unknown[]): Promise<readonly Row[]>;
}

export async function openSchema(server: PostgresServer, options: { readonly max?: number } = {}): Promise<OpenSchema> {
  const fresh = await freshSchema(server, options);
  const adapter = postgres({ pool: fresh.pool, schema: fresh.schema });
  await adapter.storage.migrate();
  return { ...fresh, ...adapter, look: lookIn(fresh.pool, fresh.schema) };
}

/** Runs statements in which `%` stands for a schema. */
export function lookIn(runner: Runner, schema: string) {
  return async <Row>(text: string, values?: unknown[]) =>
    (await runner.query(text.replaceAll('%', `"${schema}"`), values)).rows as readonly Row[];
}

/** A pool whose statements are written down. */
export function recording(pool: pg.Pool): { readonly pool: PostgresPool; readonly statements: [string, unknown[]][] } {
  const statements: [string, unknown[]][] = [];
  return {
    statements,
    pool: wrappedPool(pool, (run, text, values) => {
      statements.push([text, values ?? []]);
      return run(text, values);
    }),
  };
}

/** A pool whose first transaction waits before its COMMIT until it is let go. */
export function holdingCommits(pool: pg.Pool): {
  readonly pool: PostgresPool;
  readonly reached: Promise<void>;
  letGo(): void;
} {
  const reached = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  return {
    reached: reached.promise,
    letGo: go.resolve,
    pool: wrappedPool(pool, async (run, text, values) => {
      if (text === 'COMMIT') {
        reached.resolve();
        await go.promise;
      }
      return run(text, values);
    }),
  };
}

const ROLE_PASSWORD = 'only-for-tests-too';

/** Lends a role that may log in and nothing else. */
export async function withRole(server: PostgresServer, work: (role: string) => Promise<void>): Promise<void> {
  const admin = new pg.Pool({ connectionString: server.url, max: 1 });
  const role = `role_${randomBytes(6).toString('hex')}`;
  await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD '${ROLE_PASSWORD}'`);
  try {
    await work(role);
  } finally {
    await admin.query(`DROP OWNED BY ${role} CASCADE`);
    await admin.query(`DROP ROLE ${role}`);
    await admin.end();
  }
}

/** A pool that logs in as a role of {@link withRole}. */
export function poolAs(server: PostgresServer, role: string, options: pg.PoolConfig = {}): pg.Pool {
  const url = new URL(server.url);
  url.username = role;
  url.password = ROLE_PASSWORD;
  return new pg.Pool({ connectionString: url.href, max: 4, ...options });
}
