import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { inject } from 'vitest';

/** Where tests may make schemas and roles of their own. */
export interface PostgresServer {
  readonly url: string;
}

/**
 * The server of this run: the one that `MCA_TEST_POSTGRES_URL` names, else one that is started when first asked for.
 * `undefined` where neither is to be had; in CI that fails.
 *
 * @example
 * ```ts
 * const server = await postgresServer();
 * describe.skipIf(!server)('on Postgres', …);
 * ```
 */
export async function postgresServer(): Promise<PostgresServer | undefined> {
  const given = process.env.MCA_TEST_POSTGRES_URL;
  if (given) return { url: given };
  const socket = connect(inject('postgresBroker'));
  await once(socket, 'connect');
  const { url, error } = JSON.parse(await text(socket)) as { readonly url?: string; readonly error?: string };
  if (url) return { url };
  if (process.env.CI) throw new Error(error);
  console.error(`NOT TESTED: Postgres.\n${error}\nMCA_TEST_POSTGRES_URL may name a server instead.`);
  return undefined;
}

/** A schema of a test's own, with a pool of connections. */
export interface FreshSchema {
  readonly pool: pg.Pool;
  readonly schema: string;
  /** Removes the schema and closes the pool. */
  drop(): Promise<void>;
}

/** Makes a pool and a name for a schema that does not exist yet. */
export async function freshSchema(
  { url }: PostgresServer,
  options: { readonly max?: number } = {},
): Promise<FreshSchema> {
  const pool = new pg.Pool({ connectionString: url, max: options.max ?? 4 });
  const schema = `test_${randomBytes(6).toString('hex')}`;
  return {
    pool,
    schema,
    async drop() {
      await pool.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
      await pool.end();
    },
  };
}
