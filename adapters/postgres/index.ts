/** @module @mca/core/adapters/postgres */

import { type CredentialStore, McaError, type Storage } from '@mca/core/adapter-kit';
import { connectStateVerbs } from './connect-states.ts';
import { connectionVerbs } from './connections.ts';
import { credentialStore } from './credentials.ts';
import type { PgliteDatabase, PostgresPool } from './driver.ts';
import { feedVerbs } from './feed.ts';
import { importVerbs } from './imports.ts';
import { leaseVerbs } from './leases.ts';
import { pageVerbs } from './pages.ts';
import { readVerbs } from './reading.ts';
import { scheduleVerbs } from './schedules.ts';
import { Session } from './session.ts';
import { syncLogVerbs } from './sync-log.ts';

export type { PgliteDatabase, PostgresClient, PostgresPool, PostgresResult, SqlValue } from './driver.ts';

/** Options of {@link postgres}. */
export interface PostgresOptions {
  /** A `pg.Pool`, or a PGlite database. Closing it, and listening to its `error` event, stays yours. */
  readonly pool: PostgresPool | PgliteDatabase;
  /**
   * Schema of the database that holds all tables; made when it is missing. Letters, digits and underscores, at most 63.
   *
   * @default 'mca'
   */
  readonly schema?: string | undefined;
}

/** What {@link postgres} gives: hand both to `createRegistry`. */
export interface PostgresAdapter {
  readonly storage: Storage;
  readonly credentials: CredentialStore;
}

/**
 * Keeps everything in one schema of a Postgres database (15 and newer), for any number of processes and machines. Works
 * through poolers in transaction mode: nothing is kept in a connection.
 *
 * @throws McaError `configuration` `no_pool` without a pool, `invalid_schema` for a name that is none
 *
 * @example
 * ```ts
 * import { createRegistry } from '@mca/core';
 * import { postgres } from '@mca/core/adapters/postgres';
 * import pg from 'pg';
 *
 * const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
 * const registry = createRegistry({ providers: [], ...postgres({ pool }) });
 * ```
 */
export function postgres(options: PostgresOptions): PostgresAdapter {
  const { schema = 'mca' } = options;
  assertPool(options.pool);
  assertSchema(schema);
  const session = new Session(options.pool, schema);
  return {
    storage: {
      apiVersion: 1,
      migrate: () => session.migrate(),
      ...leaseVerbs(session),
      ...connectionVerbs(session),
      ...pageVerbs(session),
      ...importVerbs(session),
      ...readVerbs(session),
      ...feedVerbs(session),
      ...syncLogVerbs(session),
      ...scheduleVerbs(session),
      ...connectStateVerbs(session),
    },
    credentials: credentialStore(session),
  };
}

function assertPool(pool: PostgresPool | PgliteDatabase | undefined): void {
  const { query, connect, transaction } = (pool ?? {}) as Partial<PostgresPool & PgliteDatabase>;
  if (typeof query === 'function' && (typeof connect === 'function' || typeof transaction === 'function')) return;
  throw new McaError({
    code: 'configuration',
    reason: 'no_pool',
    message: 'postgres() needs a pool of connections.',
    hint: 'Pass one: postgres({ pool: new pg.Pool({ connectionString }) }), or a PGlite database.',
  });
}

function assertSchema(schema: string): void {
  if (typeof schema === 'string' && /^[a-z_][a-z0-9_]{0,62}$/i.test(schema) && !/^pg_/i.test(schema)) return;
  throw new McaError({
    code: 'configuration',
    reason: 'invalid_schema',
    message: 'postgres() needs a schema whose name is made of letters, digits and underscores.',
    hint: "At most 63 of them, no digit first, and not 'pg_': names with that belong to Postgres.",
  });
}
