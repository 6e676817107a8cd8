import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { SqliteDatabase } from '@mca/core/adapters/sqlite';
import { expect, test } from 'vitest';
import { sqliteSuite } from '../support/sqlite-suite.ts';

type Connection = SqliteDatabase & { close(): void; defaultSafeIntegers(on: boolean): unknown };
type BetterSqlite3 = new (path: string, options: { readonly timeout?: number }) => Connection;

const installed = existsSync(new URL('node_modules/better-sqlite3', import.meta.url));

if (installed) {
  const Database = createRequire(import.meta.url)('better-sqlite3') as BetterSqlite3;
  sqliteSuite('better-sqlite3', (path, { timeoutMs, bigints } = {}) => {
    const database = new Database(path, timeoutMs ? { timeout: timeoutMs } : {});
    database.defaultSafeIntegers(bigints ?? false);
    return database;
  });
} else {
  // Locally this is a choice; in CI a driver that nobody tried must not look like one that passed.
  const reason = 'better-sqlite3 is NOT TESTED: run `npm ci --ignore-scripts` in test/better-sqlite3 first';
  console.warn(reason);
  test.skipIf(!process.env.CI)(reason, () => {
    expect.unreachable('CI has to install test/better-sqlite3 before the tests');
  });
}
