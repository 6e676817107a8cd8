import type { Migration, Place } from './index.ts';

/**
 * Everything lies in one schema, so names need no prefix. All numbers that count something are `bigint`: `ON CONFLICT`
 * uses them up faster than rows are made. Texts that are ordered or compared for order are `COLLATE "C"`: code points.
 *
 * Users, connections and imports are small integers in the big table: they are repeated in every row and index entry.
 */
export const initial: Migration = {
  version: 1,
  name: 'initial',
  statements: (place) => [...functions(place), ...tables(place)],
};

/** How far numbers of the feed may lie apart that are in flight at the same time: half of what a lock's key can tell. */
const KEY_SPAN = 2 ** 31;

/**
 * The feed without losses. Numbers come from a sequence, so a transaction may commit after another one that took higher
 * numbers, and a reader who has seen those would never look back. Therefore a writer first notes L, the last number taken
 * so far, as a shared lock that ends with its transaction; all numbers it takes are above L. A reader first reads the last
 * number H and then the locks: with the smallest L among them it reads up to min(H, L), in a statement of its own. A
 * number n <= H whose writer is still at work is above that writer's L, for the lock was taken before n was, and n before H
 * was read: the reader stays below it. A writer that has left the locks is visible to every statement that starts later,
 * because Postgres lets go of locks only after a commit has become visible.
 */
function functions({ schema, feedLock }: Place): readonly string[] {
  return [
    // The numbers before the first one, so that "last value" always is a number that was taken.
    `CREATE SEQUENCE ${schema}.feed_sequence MINVALUE 0 START 0`,
    `SELECT nextval('${schema}.feed_sequence')`,
    `CREATE SEQUENCE ${schema}.fences`,
    `CREATE SEQUENCE ${schema}.credential_versions`,
    // The one clock of the adapter: epoch milliseconds.
    `CREATE FUNCTION ${schema}.mca_now() RETURNS bigint LANGUAGE sql VOLATILE AS
       $$ SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint $$`,
    `CREATE FUNCTION ${schema}.take_feed_turn() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
     BEGIN
       PERFORM pg_advisory_xact_lock_shared(${feedLock}, (last_value % ${KEY_SPAN})::int) FROM ${schema}.feed_sequence;
     END $$`,
    // Keys of locks are told relative to H; what was noted after H was read is above it and binds nobody.
    `CREATE FUNCTION ${schema}.feed_horizon() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
     DECLARE
       highest bigint;
       lowest bigint;
     BEGIN
       SELECT last_value INTO highest FROM ${schema}.feed_sequence;
       SELECT min((objid::bigint - highest % ${KEY_SPAN} + ${KEY_SPAN + KEY_SPAN / 2}) % ${KEY_SPAN} - ${KEY_SPAN / 2})
         INTO lowest FROM pg_catalog.pg_locks
         WHERE locktype = 'advisory' AND classid::bigint = ${feedLock} AND objsubid = 2
           AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database());
       RETURN highest + least(lowest, 0);
     END $$`,
  ];
}

function tables({ schema }: Place): readonly string[] {
  return [
    `CREATE TABLE ${schema}.users (
      user_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      user_id text COLLATE "C" NOT NULL UNIQUE
    )`,

    `CREATE TABLE ${schema}.connections (
      connection_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      id text COLLATE "C" NOT NULL UNIQUE,
      user_no bigint NOT NULL,
      provider text COLLATE "C" NOT NULL,
      kind text COLLATE "C" NOT NULL,
      account text COLLATE "C" NOT NULL,
      label text,
      status text COLLATE "C" NOT NULL,
      status_reason text,
      settings text NOT NULL,
      granted_scopes text NOT NULL,
      created_at bigint NOT NULL,
      last_sync_at bigint,
      authorized_at bigint,
      authorization_expires_at bigint,
      UNIQUE (user_no, provider, kind, account)
    )`,

    `CREATE TABLE ${schema}.imports (
      import_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      id text COLLATE "C" NOT NULL UNIQUE,
      user_no bigint NOT NULL,
      connection_no bigint NOT NULL,
      status text COLLATE "C" NOT NULL,
      started_at bigint NOT NULL,
      finished_at bigint,
      files text NOT NULL,
      read bigint NOT NULL,
      inserted bigint NOT NULL,
      updated bigint NOT NULL,
      unchanged bigint NOT NULL,
      skipped text NOT NULL,
      rejected text NOT NULL,
      coverage text NOT NULL
    )`,
    `CREATE INDEX imports_of_user ON ${schema}.imports (user_no)`,

    // Numbers first, so that no row is padded. The folded texts are there only where lower() of ASCII would not do.
    `CREATE TABLE ${schema}.items (
      sequence bigint NOT NULL,
      user_no bigint NOT NULL,
      connection_no bigint NOT NULL,
      import_no bigint,
      consumed_at bigint NOT NULL,
      time_spent_ms float8,
      duration_ms float8,
      rating float8,
      deleted boolean NOT NULL DEFAULT false,
      platform text COLLATE "C" NOT NULL,
      external_id text COLLATE "C" NOT NULL,
      type text COLLATE "C" NOT NULL,
      subtype text COLLATE "C",
      action text COLLATE "C" NOT NULL,
      title text COLLATE "C" NOT NULL,
      creator text COLLATE "C",
      tags text COLLATE "C",
      url text COLLATE "C",
      content_id text COLLATE "C",
      ids text COLLATE "C",
      source text COLLATE "C" NOT NULL,
      precision text COLLATE "C" NOT NULL,
      account text COLLATE "C",
      raw_metadata text COLLATE "C",
      title_folded text COLLATE "C",
      creator_folded text COLLATE "C"
    )`,
    // Ids begin with the time, so that rows of one user are appended to the index, not scattered over it.
    `CREATE UNIQUE INDEX items_by_key ON ${schema}.items (user_no, platform, external_id)`,
    `CREATE INDEX items_by_time ON ${schema}.items (user_no, consumed_at)`,
    `CREATE INDEX items_by_sequence ON ${schema}.items (sequence)`,

    `CREATE TABLE ${schema}.removals (
      sequence bigint PRIMARY KEY,
      user_no bigint NOT NULL,
      connection_no bigint NOT NULL,
      platform text COLLATE "C" NOT NULL,
      external_id text COLLATE "C" NOT NULL
    )`,
    `CREATE INDEX removals_of_user ON ${schema}.removals (user_no)`,

    // The highest number of a capability is its position; the ones below it are those before.
    `CREATE TABLE ${schema}.cursors (
      connection_no bigint NOT NULL,
      capability text COLLATE "C" NOT NULL,
      cursor_no bigint GENERATED ALWAYS AS IDENTITY,
      value text NOT NULL,
      PRIMARY KEY (connection_no, capability, cursor_no)
    )`,

    // A record is known by its hash: raw text may be long, and an index would hold all of it once more.
    `CREATE TABLE ${schema}.parked (
      parked_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      connection_no bigint NOT NULL,
      capability text COLLATE "C" NOT NULL,
      raw_sha256 text COLLATE "C" NOT NULL,
      parked_at bigint NOT NULL,
      attempts bigint NOT NULL,
      reason text NOT NULL,
      message text NOT NULL,
      raw text NOT NULL,
      UNIQUE (connection_no, capability, raw_sha256)
    )`,

    `CREATE TABLE ${schema}.sync_log (
      log_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      connection_no bigint NOT NULL,
      capability text COLLATE "C" NOT NULL,
      id text NOT NULL,
      status text NOT NULL,
      started_at bigint NOT NULL,
      finished_at bigint NOT NULL,
      pages bigint NOT NULL,
      counts text NOT NULL,
      gaps text NOT NULL,
      error text
    )`,
    `CREATE INDEX sync_log_of_connection ON ${schema}.sync_log (connection_no, capability, log_no)`,

    // Instants that a caller computes (waits with jitter) may have fractions of a millisecond.
    `CREATE TABLE ${schema}.schedules (
      connection_no bigint NOT NULL,
      capability text COLLATE "C" NOT NULL,
      due_at float8 NOT NULL,
      blocked boolean NOT NULL,
      failures bigint NOT NULL,
      PRIMARY KEY (connection_no, capability)
    )`,
    `CREATE INDEX schedules_by_due ON ${schema}.schedules (due_at, connection_no, capability)`,

    // Users are named here, not numbered: whoever is about to connect for the first time has no row yet.
    `CREATE TABLE ${schema}.connect_states (
      hash text COLLATE "C" PRIMARY KEY,
      user_id text COLLATE "C" NOT NULL,
      sealed text NOT NULL,
      expires_at float8 NOT NULL
    )`,
    `CREATE INDEX connect_states_of_user ON ${schema}.connect_states (user_id)`,
    `CREATE INDEX connect_states_by_expiry ON ${schema}.connect_states (expires_at)`,

    `CREATE TABLE ${schema}.leases (
      resource text COLLATE "C" PRIMARY KEY,
      owner text NOT NULL,
      fence bigint NOT NULL,
      expires_at float8 NOT NULL
    )`,

    `CREATE TABLE ${schema}.credentials (
      connection_id text COLLATE "C" PRIMARY KEY,
      version bigint NOT NULL,
      sealed text NOT NULL
    )`,
  ];
}
