/** @module @mca/core/adapters/sqlite */

import { type Clock, type CredentialStore, McaError, type Storage } from '@mca/core/adapter-kit';
import { connectStateVerbs } from './connect-states.ts';
import { connectionVerbs } from './connections.ts';
import { credentialStore } from './credentials.ts';
import type { SqliteDatabase } from './driver.ts';
import { feedVerbs } from './feed.ts';
import { importVerbs } from './imports.ts';
import { leaseVerbs } from './leases.ts';
import { pageVerbs } from './pages.ts';
import { readVerbs } from './reading.ts';
import { scheduleVerbs } from './schedules.ts';
import { Session } from './session.ts';
import { syncLogVerbs } from './sync-log.ts';

export type { SqliteDatabase, SqliteStatement, SqlValue } from './driver.ts';

/** Options of {@link sqlite}. */
export interface SqliteOptions {
  /** An open connection: `new DatabaseSync(path)` of `node:sqlite`, or better-sqlite3 13 or newer. Closing it stays yours. */
  readonly database: SqliteDatabase;
  /**
   * `full` survives a power cut with everything committed; `normal` may lose the last commits in one, and is never
   * corrupted by it. Both survive the death of the process.
   *
   * @default 'full'
   */
  readonly synchronous?: 'full' | 'normal' | undefined;
  /** Source of time for leases and timestamps. @default the system clock */
  readonly clock?: Clock | undefined;
}

/** What {@link sqlite} gives: hand both to `createRegistry`. */
export interface SqliteAdapter {
  readonly storage: Storage;
  readonly credentials: CredentialStore;
}

/**
 * Keeps everything in one SQLite file, in tables named `mca_…` beside your own. Several processes may share the file.
 *
 * @example
 * ```ts
 * import { DatabaseSync } from 'node:sqlite';
 * import { createRegistry } from '@mca/core';
 * import { sqlite } from '@mca/core/adapters/sqlite';
 *
 * const registry = createRegistry({ providers: [], ...sqlite({ database: new DatabaseSync('media.db') }) });
 * ```
 */
export function sqlite(options: SqliteOptions): SqliteAdapter {
  if (typeof options.database?.prepare !== 'function') {
    throw new McaError({
      code: 'configuration',
      reason: 'no_database',
      message: 'sqlite() needs an open database.',
      hint: "Pass one: sqlite({ database: new DatabaseSync('history.db') }) with DatabaseSync from node:sqlite.",
    });
  }
  const clock = options.clock ?? { now: Date.now };
  const session = new Session(options.database, { synchronous: options.synchronous ?? 'full' });
  return {
    storage: {
      apiVersion: 1,
      migrate: () => session.run(() => {}),
      ...leaseVerbs(session, clock),
      ...connectionVerbs(session, clock),
      ...pageVerbs(session, clock),
      ...importVerbs(session, clock),
      ...readVerbs(session),
      ...feedVerbs(session),
      ...syncLogVerbs(session),
      ...scheduleVerbs(session, clock),
      ...connectStateVerbs(session, clock),
    },
    credentials: credentialStore(session),
  };
}
