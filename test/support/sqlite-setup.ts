import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SqliteAdapter, type SqliteDatabase, type SqliteOptions, sqlite } from '@mca/core/adapters/sqlite';
import type { StorageUnderTest } from '@mca/core/testing';
import { afterEach } from 'vitest';

/** A connection of one driver. */
export type OpenDatabase = (
  path: string,
  options?: {
    readonly timeoutMs?: number | undefined;
    /** Integers come back as `bigint`, as some hosts want it for their own statements. */
    readonly bigints?: boolean | undefined;
  },
) => SqliteDatabase & { close(): void };

/** An open connection. */
export type TestDatabase = ReturnType<OpenDatabase>;

/** A migrated store on a file, with its connection for looking behind the adapter. */
export interface OpenFile extends SqliteAdapter {
  readonly database: TestDatabase;
  readonly path: string;
}

/** Stores in folders of their own, which go away after each test. */
export interface SqliteSetup {
  /** A fresh folder. */
  folder(): string;
  /** A fresh store for the conformance suite. */
  openFresh(): Promise<StorageUnderTest>;
  openWith(path: string, options?: Partial<SqliteOptions>): Promise<OpenFile>;
  openFile(options?: Partial<SqliteOptions>): Promise<OpenFile>;
}

/** Makes what the suites of one driver need. */
export function sqliteSetup(openDatabase: OpenDatabase): SqliteSetup {
  const folders: string[] = [];
  const folder = () => {
    const path = mkdtempSync(join(tmpdir(), 'mca-sqlite-'));
    folders.push(path);
    return path;
  };
  afterEach(() => {
    for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
  });

  const openStore = (path: string, clock: { nowMs: number }): StorageUnderTest => {
    const database = openDatabase(path);
    let isOpen = true;
    const close = () => {
      if (isOpen) database.close();
      isOpen = false;
    };
    return {
      ...sqlite({ database, clock: { now: () => clock.nowMs } }),
      advance: (milliseconds) => {
        clock.nowMs += milliseconds;
      },
      reopen: async () => {
        close();
        return openStore(path, clock);
      },
      close: async () => close(),
    };
  };
  const openFresh = async () => openStore(join(folder(), 'store.db'), { nowMs: Date.UTC(2024, 0, 1) });

  /** A migrated store on a file, for tests that look behind the adapter. */
  const openWith = async (path: string, options: Partial<SqliteOptions> = {}) => {
    const database = openDatabase(path);
    const adapter = sqlite({ database, ...options });
    await adapter.storage.migrate();
    return { ...adapter, database, path };
  };
  const openFile = (options: Partial<SqliteOptions> = {}) => openWith(join(folder(), 'store.db'), options);
  return { folder, openFresh, openWith, openFile };
}

/** Rows with an ordinary prototype: `node:sqlite` gives them none. */
export function plain(rows: readonly unknown[]): readonly object[] {
  return rows.map((row) => ({ ...(row as object) }));
}

/** A store whose statements are written down, so that their plans can be looked at. */
export async function openRecorded(openDatabase: OpenDatabase, path: string) {
  const database = openDatabase(path);
  const recorded: string[] = [];
  const { storage } = sqlite({
    database: {
      exec: (sql) => database.exec(sql),
      prepare: (sql) => {
        recorded.push(sql);
        return database.prepare(sql);
      },
      function: (...args) => database.function(...args),
    },
  });
  await storage.migrate();
  const plans = async (work: () => Promise<unknown>) => {
    const start = recorded.length;
    await work();
    return recorded
      .slice(start)
      .flatMap((sql) => database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...unbound(sql)))
      .map((row) => (row as { readonly detail: string }).detail)
      .join('\n');
  };
  return { storage, recorded, plans, close: () => database.close() };
}

/** better-sqlite3 wants a value for every parameter, also to explain. */
function unbound(sql: string): readonly null[] {
  return Array.from({ length: sql.split('?').length - 1 }, () => null);
}
