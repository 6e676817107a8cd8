import { McaError } from '@mca/core/adapter-kit';
import { isPool, type PgliteDatabase, type PostgresClient, type PostgresPool, type PostgresResult } from './driver.ts';
import { isRepeatable, storageError } from './errors.ts';
import { migrateSchema } from './migrate.ts';
import { decodeRows } from './rows.ts';
import { raw, render, type Sql } from './sql.ts';

/** Where statements run: on any connection, or within one transaction. */
export interface Queries {
  /** All rows. */
  rows<Row>(statement: Sql): Promise<readonly Row[]>;
  /** The first row, or `undefined`. */
  row<Row>(statement: Sql): Promise<Row | undefined>;
}

/** Names of our tables, sequences and functions, with their schema. */
export type Names = Readonly<Record<(typeof NAMES)[number], Sql>>;

const NAMES = [
  'connect_states',
  'connections',
  'credentials',
  'cursors',
  'feed_horizon',
  'feed_sequence',
  'imports',
  'items',
  'leases',
  'mca_now',
  'parked',
  'removals',
  'schedules',
  'sync_log',
  'take_feed_turn',
  'users',
] as const;

/** Deadlocks solve themselves when one of the two starts again. */
const MOST_TRIES = 4;

/**
 * A pool with one schema of it. A verb is one statement on any connection or one transaction on one connection; nothing
 * is kept in a connection between them, so a pooler may hand out another one each time.
 */
export class Session implements Queries {
  readonly schema: string;
  readonly names: Names;
  readonly #database: PostgresPool | PgliteDatabase;
  #ready: Promise<void> | undefined;

  constructor(database: PostgresPool | PgliteDatabase, schema: string) {
    this.#database = database;
    this.schema = schema;
    this.names = Object.fromEntries(NAMES.map((name) => [name, raw(`${quoted(schema)}.${name}`)])) as Names;
  }

  /** The next number of a sequence. */
  next(sequence: 'credential_versions' | 'feed_sequence' | 'fences'): Sql {
    return raw(`nextval('${quoted(this.schema)}.${sequence}')`);
  }

  /** Brings the schema to the newest version, and looks each time: it may have been dropped. */
  async migrate(): Promise<void> {
    const migrating = migrateSchema(this);
    this.#ready = migrating;
    try {
      await migrating;
    } catch (error) {
      if (this.#ready === migrating) this.#ready = undefined;
      throw storageError(error);
    }
  }

  async rows<Row>(statement: Sql): Promise<readonly Row[]> {
    await this.#prepared();
    return this.bare(statement);
  }

  async row<Row>(statement: Sql): Promise<Row | undefined> {
    return (await this.rows<Row>(statement))[0];
  }

  /**
   * One statement, also when the schema is not there yet. One that met others, which a host's isolation level may refuse,
   * has changed nothing, and is sent again.
   */
  async bare<Row>(statement: Sql): Promise<readonly Row[]> {
    for (let tries = 1; ; tries += 1) {
      try {
        return decodeRows<Row>(await run(this.#database, statement));
      } catch (error) {
        if (tries === MOST_TRIES || !isRepeatable(error)) throw storageError(error);
      }
    }
  }

  /**
   * Work that is stored whole or not at all, and that sees what others have committed before each of its statements.
   * It may be done again from its start, so it must change nothing but the database.
   */
  async write<Result>(work: (transaction: Queries) => Promise<Result>): Promise<Result> {
    await this.#prepared();
    return this.transaction(work);
  }

  /** Like {@link write}, also when the schema is not there yet. */
  async transaction<Result>(work: (transaction: Queries) => Promise<Result>): Promise<Result> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await (isPool(this.#database) ? onPool(this.#database, work) : onPglite(this.#database, work));
      } catch (error) {
        if (tries === MOST_TRIES || !isRepeatable(error)) throw storageError(error);
      }
    }
  }

  /** The first verb looks whether the schema is there. */
  async #prepared(): Promise<void> {
    await (this.#ready ?? this.migrate());
  }
}

/** A name as SQL; it was checked to be nothing but letters, digits and underscores. */
export function quoted(name: string): string {
  return `"${name}"`;
}

interface Connection {
  query(text: string, values?: unknown[]): Promise<PostgresResult>;
}

function run(connection: Connection, statement: Sql): Promise<PostgresResult> {
  const { text, values } = render(statement);
  // Without values the simple protocol does, which some statements need.
  return values.length === 0 ? connection.query(text) : connection.query(text, values);
}

function queriesOf(connection: Connection): Queries {
  const rows = async <Row>(statement: Sql) => decodeRows<Row>(await run(connection, statement));
  return { rows, row: async <Row>(statement: Sql) => (await rows<Row>(statement))[0] };
}

async function onPool<Result>(pool: PostgresPool, work: (transaction: Queries) => Promise<Result>): Promise<Result> {
  const client = await pool.connect();
  if (typeof client?.release !== 'function') throw notAPool();
  // A connection that breaks while nothing is asked of it says so by an event, which ends the process when nobody listens.
  let broken: Error | undefined;
  const listener = (error: Error) => {
    broken ??= error;
  };
  client.on?.('error', listener);
  try {
    // Whatever the database's default is: our statements count on seeing what others have committed meanwhile.
    await client.query('BEGIN ISOLATION LEVEL READ COMMITTED');
    const result = await work(queriesOf(client));
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // What broke the connection says more than what was then refused on it.
    const reason = broken && !McaError.isInstance(error) ? broken : error;
    broken ??= await rollBack(client);
    throw reason;
  } finally {
    client.removeListener?.('error', listener);
    client.release(broken);
  }
}

/** Ends a failed transaction; answers why the connection cannot be used again, if so. */
async function rollBack(client: PostgresClient): Promise<Error | undefined> {
  try {
    await client.query('ROLLBACK');
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error('ROLLBACK failed');
  }
}

function onPglite<Result>(database: PgliteDatabase, work: (transaction: Queries) => Promise<Result>): Promise<Result> {
  return database.transaction(async (transaction) => {
    await transaction.query('SET TRANSACTION ISOLATION LEVEL READ COMMITTED');
    return work(queriesOf(transaction));
  });
}

function notAPool(): McaError {
  return new McaError({
    code: 'configuration',
    reason: 'no_pool',
    message: 'postgres() was given a single connection, not a pool.',
    hint: 'Pass a pool: postgres({ pool: new pg.Pool({ connectionString }) }).',
  });
}
