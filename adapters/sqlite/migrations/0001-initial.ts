import type { Migration } from './index.ts';

/**
 * Everything carries the prefix `mca_`, because hosts keep their own tables in the same file.
 *
 * Users, connections and imports are small integers in the big table: they are repeated in every row and index entry.
 */
export const initial: Migration = {
  version: 1,
  name: 'initial',
  sql: `
    -- One row. Both numbers only ever grow, also when everything they counted is erased.
    CREATE TABLE mca_counters (
      id INTEGER PRIMARY KEY CHECK (id = 0),
      sequence INTEGER NOT NULL,
      fence INTEGER NOT NULL,
      credential_version INTEGER NOT NULL
    ) STRICT;
    INSERT INTO mca_counters VALUES (0, 0, 0, 0);

    CREATE TABLE mca_users (
      user_no INTEGER PRIMARY KEY,
      user_id TEXT NOT NULL UNIQUE
    ) STRICT;

    CREATE TABLE mca_connections (
      connection_no INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      user_no INTEGER NOT NULL,
      provider TEXT NOT NULL,
      kind TEXT NOT NULL,
      account TEXT NOT NULL,
      status TEXT NOT NULL,
      settings TEXT NOT NULL,
      granted_scopes TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      last_sync_at INTEGER,
      UNIQUE (user_no, provider, kind, account)
    ) STRICT;

    CREATE TABLE mca_imports (
      import_no INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      user_no INTEGER NOT NULL,
      connection_no INTEGER NOT NULL,
      status TEXT NOT NULL,
      started_at INTEGER NOT NULL,
      finished_at INTEGER,
      files TEXT NOT NULL,
      read INTEGER NOT NULL,
      inserted INTEGER NOT NULL,
      updated INTEGER NOT NULL,
      unchanged INTEGER NOT NULL,
      skipped TEXT NOT NULL,
      rejected TEXT NOT NULL,
      coverage TEXT NOT NULL
    ) STRICT;
    CREATE INDEX mca_imports_of_user ON mca_imports (user_no);

    -- Not STRICT: a strict INTEGER refuses fractions of a millisecond instead of keeping them.
    -- The unique key holds ids that begin with the time, so that rows of one user are appended to it, not scattered.
    CREATE TABLE mca_items (
      sequence INTEGER PRIMARY KEY,
      user_no INTEGER NOT NULL,
      platform TEXT NOT NULL,
      external_id TEXT NOT NULL,
      connection_no INTEGER NOT NULL,
      import_no INTEGER,
      type TEXT NOT NULL,
      subtype TEXT,
      action TEXT NOT NULL,
      title TEXT NOT NULL,
      creator TEXT,
      consumed_at INTEGER NOT NULL,
      duration_ms INTEGER,
      time_spent_ms INTEGER,
      tags TEXT,
      url TEXT,
      content_id TEXT,
      ids TEXT,
      rating REAL,
      source TEXT NOT NULL,
      precision TEXT NOT NULL,
      account TEXT,
      raw_metadata TEXT,
      deleted INTEGER NOT NULL DEFAULT 0,
      UNIQUE (user_no, platform, external_id)
    );
    CREATE INDEX mca_items_by_time ON mca_items (user_no, consumed_at);

    CREATE TABLE mca_removals (
      sequence INTEGER PRIMARY KEY,
      user_no INTEGER NOT NULL,
      connection_no INTEGER NOT NULL,
      platform TEXT NOT NULL,
      external_id TEXT NOT NULL
    ) STRICT;
    CREATE INDEX mca_removals_of_user ON mca_removals (user_no);

    CREATE TABLE mca_cursors (
      connection_no INTEGER NOT NULL,
      capability TEXT NOT NULL,
      value TEXT NOT NULL,
      PRIMARY KEY (connection_no, capability)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE mca_parked (
      parked_no INTEGER PRIMARY KEY,
      connection_no INTEGER NOT NULL,
      parked_at INTEGER NOT NULL,
      reason TEXT NOT NULL,
      message TEXT NOT NULL,
      raw TEXT NOT NULL
    ) STRICT;
    CREATE INDEX mca_parked_of_connection ON mca_parked (connection_no);

    CREATE TABLE mca_leases (
      resource TEXT PRIMARY KEY,
      owner TEXT NOT NULL,
      fence INTEGER NOT NULL,
      expires_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE mca_credentials (
      connection_id TEXT PRIMARY KEY,
      version INTEGER NOT NULL,
      sealed TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
  `,
};
