/**
 * What we use of a `pg.Pool`, so that nothing of it is imported here and hosts hand in what they already have.
 */
export interface PostgresPool {
  /** Takes a connection for one transaction. */
  connect(): Promise<PostgresClient>;
  /** Runs one statement on any connection. */
  query(text: string, values?: unknown[]): Promise<PostgresResult>;
}

/** What we use of a connection that a pool lent. */
export interface PostgresClient {
  /** Runs one statement. */
  query(text: string, values?: unknown[]): Promise<PostgresResult>;
  /** Gives the connection back; with an error it is closed instead of used again. */
  release(error?: Error | boolean): void;
  /** Listens to what happens to the connection while nothing is asked of it. */
  on?(event: 'error', listener: (error: Error) => void): unknown;
  /** Listens no more. */
  removeListener?(event: 'error', listener: (error: Error) => void): unknown;
}

/** What we use of a PGlite database: one session, which does one transaction after another. */
export interface PgliteDatabase {
  /** Runs one statement. */
  query(text: string, values?: unknown[]): Promise<PostgresResult>;
  /** Runs the work in a transaction, which ends with it. */
  transaction<Result>(
    work: (transaction: { query(text: string, values?: unknown[]): Promise<PostgresResult> }) => Promise<Result>,
  ): Promise<Result>;
}

/** The part of a result that we read. */
export interface PostgresResult {
  readonly rows: readonly unknown[];
}

/** A value that can be bound. Lists go as one text: an array literal of Postgres. */
export type SqlValue = string | number | boolean | null;

/** Whether a database is a pool that lends connections, and not PGlite. */
export function isPool(database: PostgresPool | PgliteDatabase): database is PostgresPool {
  return typeof (database as Partial<PostgresPool>).connect === 'function';
}
