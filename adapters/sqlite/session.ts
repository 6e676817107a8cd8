import { foldText } from '@mca/core/adapter-kit';
import { prepare, prepareArrays, rollBack, type SqliteDatabase, type SqliteStatement } from './driver.ts';
import { isBusy, storageError } from './errors.ts';
import { migrateSchema } from './migrate.ts';

/** Taken now: whoever fakes timers later would keep writes from ever ending. */
const { setImmediate: atEndOfTurn } = globalThis;

/** How a session treats the connection it was given. */
export interface SessionOptions {
  readonly synchronous: 'full' | 'normal';
}

/** A write that waits for its turn. */
interface Waiting {
  readonly work: () => unknown;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One connection with its settings, its schema and its prepared statements.
 *
 * All work of a verb happens without waiting in between, so two verbs on one connection never mix what they do. Writes
 * that come together share one commit: what costs most of a small write is making it durable.
 */
export class Session {
  readonly #database: SqliteDatabase;
  readonly #options: SessionOptions;
  readonly #statements = new Map<string, SqliteStatement>();
  #isReady = false;
  /** Writes that share the commit at the end of this turn of the event loop. */
  #waiting: Waiting[] = [];
  #writesOfTurn = 0;
  /** Whether the turn before had several writes. If not, the first one of a turn need not wait for others. */
  #isCrowded = false;

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

  /** Like {@link run}, within a write transaction: the work fails as a whole, and alone. */
  write<Result>(work: () => Result): Promise<Result> {
    this.#writesOfTurn += 1;
    if (this.#writesOfTurn === 1) {
      atEndOfTurn(() => this.#endTurn());
      if (!this.#isCrowded) return this.run(() => this.#transaction(work, 'COMMIT'));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ work, resolve: resolve as Waiting['resolve'], reject });
    });
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

  #endTurn(): void {
    this.#isCrowded = this.#writesOfTurn > 1;
    this.#writesOfTurn = 0;
    const waiting = this.#waiting.splice(0);
    if (waiting.length > 1 && this.#writeTogether(waiting)) return;
    for (const { work, resolve, reject } of waiting) {
      this.run(() => this.#transaction(work, 'COMMIT')).then(resolve, reject);
    }
  }

  /** Answers whether there was a commit; if not, nothing was written, and nobody was told anything. */
  #writeTogether(waiting: readonly Waiting[]): boolean {
    if (!this.#isReady) return false;
    try {
      const tell = this.#transaction(() => waiting.map((each) => this.#within(each)), 'COMMIT');
      for (const each of tell) each();
      return true;
    } catch (error) {
      // Each by itself, and hears of its own failure: a disk may be full for some. A lock that was not to be had is had by
      // none: waiting for it anew each time would block for many times the busy time-out.
      if (!isBusy(error)) return false;
      for (const { reject } of waiting) reject(storageError(error));
      return true;
    }
  }

  /** Does work of which nothing stays when it fails, within a transaction that goes on. Answers what to tell after it. */
  #within({ work, resolve, reject }: Waiting): () => void {
    this.statement('SAVEPOINT mca_write').run();
    try {
      const result = work();
      this.statement('RELEASE mca_write').run();
      return () => resolve(result);
    } catch (error) {
      // Throws where SQLite has rolled the whole transaction back by itself.
      this.#database.exec('ROLLBACK TO mca_write; RELEASE mca_write');
      return () => reject(storageError(error));
    }
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
