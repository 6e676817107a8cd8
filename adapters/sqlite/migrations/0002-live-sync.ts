import type { Migration } from './index.ts';

/**
 * What live syncs need: a history of cursors, parked records that are met again, the sync log, schedules, connect flows.
 *
 * Instants that a caller computes (waits with jitter) are REAL: a strict INTEGER refuses fractions of a millisecond
 * instead of keeping them.
 */
export const liveSync: Migration = {
  version: 2,
  name: 'live-sync',
  sql: `
    ALTER TABLE mca_connections ADD COLUMN label TEXT;
    ALTER TABLE mca_connections ADD COLUMN status_reason TEXT;
    ALTER TABLE mca_connections ADD COLUMN authorized_at INTEGER;
    ALTER TABLE mca_connections ADD COLUMN authorization_expires_at INTEGER;

    -- The highest number of a capability is its position; the ones below it are those before.
    CREATE TABLE mca_cursor_history (
      connection_no INTEGER NOT NULL,
      capability TEXT NOT NULL,
      cursor_no INTEGER NOT NULL,
      value TEXT NOT NULL,
      PRIMARY KEY (connection_no, capability, cursor_no)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO mca_cursor_history SELECT connection_no, capability, 1, value FROM mca_cursors;
    DROP TABLE mca_cursors;
    ALTER TABLE mca_cursor_history RENAME TO mca_cursors;

    -- Ids of parked records are not used again, so that what was made good once cannot take another record with it.
    ALTER TABLE mca_counters ADD COLUMN parked INTEGER NOT NULL DEFAULT 0;
    UPDATE mca_counters SET parked = (SELECT coalesce(max(parked_no), 0) FROM mca_parked);

    -- A record is known by its hash: raw text may be long, and an index would hold all of it once more.
    CREATE TABLE mca_parked_records (
      parked_no INTEGER PRIMARY KEY,
      connection_no INTEGER NOT NULL,
      capability TEXT NOT NULL,
      raw_sha256 TEXT NOT NULL,
      parked_at INTEGER NOT NULL,
      attempts INTEGER NOT NULL,
      reason TEXT NOT NULL,
      message TEXT NOT NULL,
      raw TEXT NOT NULL,
      UNIQUE (connection_no, capability, raw_sha256)
    ) STRICT;
    -- Older rows do not say what met them, and SQL cannot hash: each stays a record of its own, of no capability.
    INSERT INTO mca_parked_records
      SELECT parked_no, connection_no, '', 'unknown ' || parked_no, parked_at, 1, reason, message, raw FROM mca_parked;
    DROP TABLE mca_parked;
    ALTER TABLE mca_parked_records RENAME TO mca_parked;

    CREATE TABLE mca_sync_log (
      log_no INTEGER PRIMARY KEY,
      connection_no INTEGER NOT NULL,
      capability TEXT NOT NULL,
      id TEXT NOT NULL,
      status TEXT NOT NULL,
      started_at INTEGER NOT NULL,
      finished_at INTEGER NOT NULL,
      pages INTEGER NOT NULL,
      counts TEXT NOT NULL,
      gaps TEXT NOT NULL,
      error TEXT
    ) STRICT;
    CREATE INDEX mca_sync_log_of_connection ON mca_sync_log (connection_no, capability);

    CREATE TABLE mca_schedules (
      connection_no INTEGER NOT NULL,
      capability TEXT NOT NULL,
      due_at REAL NOT NULL,
      blocked INTEGER NOT NULL,
      failures INTEGER NOT NULL,
      PRIMARY KEY (connection_no, capability)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX mca_schedules_by_due ON mca_schedules (due_at);

    -- Users are named here, not numbered: whoever is about to connect for the first time has no row yet.
    CREATE TABLE mca_connect_states (
      hash TEXT PRIMARY KEY,
      user_id TEXT NOT NULL,
      sealed TEXT NOT NULL,
      expires_at REAL NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX mca_connect_states_of_user ON mca_connect_states (user_id);
    CREATE INDEX mca_connect_states_by_expiry ON mca_connect_states (expires_at);
  `,
};
