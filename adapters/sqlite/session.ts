import { foldText } from '@mca/core/adapter-kit';
import { prepare, prepareArrays, rollBack, type SqliteDatabase, type SqliteStatement } from './driver.ts';
import { isBusy, storageError } from './errors.ts';
import { migrateSchema } from './migrate.ts';

/** How a session treats the connection it was given. */
export interface SessionOptions {
  readonly synchronous: 'full' | 'normal';
}

/**
 * One connection with its settings, its schema and its prepared statements.
 *
 * All work of a verb happens without waiting in between, so two verbs on one connection never mix their transactions.
 */
export class Session {
  readonly #database: SqliteDatabase;
  readonly #options: SessionOptions;
  readonly #statements = new Map<string, SqliteStatement>();
  #isReady = false;

  constructor(database: SqliteDatabase, options: SessionOptions) {
    this.#database = database;
    this.#options = options;
  }

  /** Runs a verb's work with driver errors turned into ours; the first one prepares the database. */
  async run<Result>(work: () => Result): Promise<Result> {
    try {
      if (!this.#isReady) this.#open();
      return work();
    } catch (error) {
      throw storageError(error);
    }
  }

  /** Like {@link run}, within one write transaction that fails as a whole. */
  write<Result>(work: () => Result): Promise<Result> {
    return this.run(() => this.#transaction(work, 'COMMIT'));
  }

  /** Like {@link write}, but takes everything back at the end. */
  rehearse<Result>(work: () => Result): Promise<Result> {
    return this.run(() => this.#transaction(work, 'ROLLBACK'));
  }

  /** A statement that is used again and again. */
  statement(sql: string): SqliteStatement {
    return this.#kept(sql, prepare);
  }

  /** A query that is used again and again and answers with arrays. */
  arrays(sql: string): SqliteStatement {
    return this.#kept(sql, prepareArrays);
  }

  /** A statement whose text depends on what was asked, and which is therefore not kept. */
  oneOff(sql: string): SqliteStatement {
    return prepare(this.#database, sql);
  }

  #kept(sql: string, make: typeof prepare): SqliteStatement {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = make(this.#database, sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #open(): void {
    const database = this.#database;
    const { timeout } = prepare(database, 'PRAGMA busy_timeout').get() as { readonly timeout: number };
    // A host that chose a time of its own knows better.
    if (timeout === 0) database.exec('PRAGMA busy_timeout = 5000');
    turnOnWal(database, timeout || 5_000);
    database.exec(`PRAGMA synchronous = ${this.#options.synchronous === 'full' ? 'FULL' : 'NORMAL'}`);
    database.function('mca_fold', { deterministic: true }, (text: unknown) =>
      typeof text === 'string' ? foldText(text) : null,
    );
    migrateSchema(database);
    this.#isReady = true;
  }

  #transaction<Result>(work: () => Result, end: 'COMMIT' | 'ROLLBACK'): Result {
    // IMMEDIATE takes the write lock at once; a transaction that reads first and writes later can fail half-way.
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#database.exec(end);
      return result;
    } catch (error) {
      rollBack(this.#database);
      throw error;
    }
  }
}

const PAUSE_MS = 5;

/**
 * Turning a new file to WAL needs it alone for a moment, and SQLite does not wait for that: of processes that start at
 * once, one may be refused at once whatever the busy time-out. Blocks as SQLite's own waiting does.
 */
function turnOnWal(database: SqliteDatabase, timeoutMs: number): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let waitedMs = 0; ; waitedMs += PAUSE_MS) {
    try {
      database.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      if (!isBusy(error) || waitedMs >= timeoutMs) throw error;
      Atomics.wait(pause, 0, 0, PAUSE_MS);
    }
  }
}
