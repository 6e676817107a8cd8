/**
 * What we use of a SQLite connection, fitted by `DatabaseSync` of `node:sqlite` and by better-sqlite3, so that neither
 * is imported here and hosts hand in what they already have.
 */
export interface SqliteDatabase {
  /** Runs SQL without results. */
  exec(sql: string): unknown;
  /** Compiles one statement. */
  prepare(sql: string): SqliteStatement;
  /** Adds a function to SQL. */
  function(
    name: string,
    options: { readonly deterministic: boolean },
    implementation: (...values: unknown[]) => SqlValue,
  ): unknown;
}

/** What we use of a prepared statement. Parameters are positional: named ones cost 1.5 times as much. */
export interface SqliteStatement {
  /** Writes, and says what changed. */
  run(...parameters: SqlValue[]): { readonly changes: number | bigint; readonly lastInsertRowid: number | bigint };
  /** The first row, or `undefined`. */
  get(...parameters: SqlValue[]): unknown;
  /** All rows. */
  all(...parameters: SqlValue[]): unknown[];
}

/** A value that can be bound. */
export type SqlValue = string | number | null;

/** Switches that a host may have set for its whole connection and that would change what our statements give back. */
interface StatementSwitches {
  /** node:sqlite */
  setReadBigInts?(enabled: boolean): unknown;
  /** node:sqlite */
  setReturnArrays?(enabled: boolean): unknown;
  /** better-sqlite3 */
  safeIntegers?(enabled: boolean): unknown;
  /** better-sqlite3; throws for statements that give no rows. */
  raw?(enabled: boolean): unknown;
}

/** Prepares a statement that answers with plain numbers and objects, whatever the host chose for its own statements. */
export function prepare(database: SqliteDatabase, sql: string): SqliteStatement {
  const statement = database.prepare(sql);
  const switches = statement as StatementSwitches;
  switches.setReadBigInts?.(false);
  switches.setReturnArrays?.(false);
  switches.safeIntegers?.(false);
  return statement;
}

/** Prepares a query that answers with arrays, which takes a third less time than objects. */
export function prepareArrays(database: SqliteDatabase, sql: string): SqliteStatement {
  const statement = prepare(database, sql);
  const switches = statement as StatementSwitches;
  switches.setReturnArrays?.(true);
  switches.raw?.(true);
  return statement;
}

/** Ends a failed transaction. SQLite may have ended it itself (full disk), which is no second failure. */
export function rollBack(database: SqliteDatabase): void {
  try {
    database.exec('ROLLBACK');
  } catch {
    // Nothing was open any more.
  }
}
