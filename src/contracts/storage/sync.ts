import type { Connection } from '../connection.ts';
import type { SyncLogEntry, SyncSchedule } from '../sync.ts';

/** A schedule whose turn has come, taken by one caller. */
export interface DueSync {
  readonly schedule: SyncSchedule;
  readonly connection: Connection;
}

/**
 * When what is synced, and what came of it.
 *
 * - `SYNC-1` the log gives back what was appended, newest first, cut at the limit
 * - `SYNC-2` the log keeps the newest 100 entries of each (connection, capability)
 * - `SYNC-3` a schedule put is the schedule read; putting again replaces it
 * - `SYNC-4` claiming answers what is due, the longest overdue first, of `active` connections and the given providers only
 * - `SYNC-5` of many callers at once exactly one claims a schedule; until its claim ends nobody else gets it
 * - `SYNC-6` putting a schedule ends its claim
 * - `SYNC-7` a schedule or log entry of an unknown connection fails with `not_found` `connection_unknown`
 */
export interface SyncVerbs {
  /** Adds a line to the log of its connection. */
  appendSyncLog(entry: SyncLogEntry): Promise<void>;
  /** Lines of the log, newest first. */
  listSyncLog(filter: {
    readonly connectionId: string;
    readonly capability?: string | undefined;
    readonly limit: number;
  }): Promise<readonly SyncLogEntry[]>;
  /** Says when a capability of a connection is due. */
  putSchedule(schedule: SyncSchedule): Promise<void>;
  /** The schedule, or `undefined` when there is none. */
  readSchedule(connectionId: string, capability: string): Promise<SyncSchedule | undefined>;
  /** Takes up to `limit` due schedules for `claimMs` each. */
  claimDueConnections(request: {
    readonly providers: readonly string[];
    readonly limit: number;
    readonly claimMs: number;
  }): Promise<readonly DueSync[]>;
}

/** A connect flow that waits for its user. */
export interface ConnectState {
  /** SHA-256 of the one-time state, lower-case hex: the state itself is never stored. */
  readonly hash: string;
  readonly userId: string;
  /** Sealed by the core: PKCE verifier, redirect address, session binding. */
  readonly sealed: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/**
 * Connect flows under way.
 *
 * - `STATE-1` what was put can be taken once: of many callers at once exactly one gets it
 * - `STATE-2` an expired or unknown state answers `undefined`
 * - `STATE-3` putting purges what expired
 * - `STATE-4` putting a state under a hash that exists replaces it
 */
export interface ConnectStateVerbs {
  /** Keeps a flow until it is taken or expires. */
  putConnectState(state: ConnectState): Promise<void>;
  /** Takes a flow out, in one step. */
  takeConnectState(hash: string): Promise<ConnectState | undefined>;
}
