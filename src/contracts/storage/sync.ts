import type { Connection } from '../connection.ts';
import type { SyncLogEntry, SyncSchedule } from '../sync.ts';
import type { Lease } from './lease.ts';

/** A schedule whose turn has come, and the right to work it off. */
export interface DueSync {
  readonly schedule: SyncSchedule;
  readonly connection: Connection;
  /** On `sync:<connectionId>:<capability>`. */
  readonly lease: Lease;
}

/** How a sync ended, written in one step that also gives its lease back. */
export interface SyncConclusion {
  readonly lease: Lease;
  /** The line it leaves in the log. */
  readonly log: SyncLogEntry;
  /** Next turns: its own, and those of other capabilities that it moved. */
  readonly schedules: readonly SyncSchedule[];
  /** When the connection of `log` was last synced, if it was. */
  readonly lastSyncAt?: Date | undefined;
}

/** What waits to be synced, and what is being synced. */
export interface SyncBacklog {
  /** Schedules that claiming would answer now, had it no limit; counted up to 10,000. */
  readonly due: number;
  /** When the longest overdue of them was due, epoch milliseconds; absent when none is. */
  readonly oldestDueAt?: number | undefined;
  /** Schedules whose resource is under a valid lease. */
  readonly running: number;
}

/**
 * When what is synced, and what came of it.
 *
 * - `SYNC-1` the log gives back what was concluded, newest first, cut at the limit
 * - `SYNC-2` the log keeps the newest 100 entries of each (connection, capability)
 * - `SYNC-3` a schedule put is the schedule read; putting again replaces it; those of a connection come in order of capability
 * - `SYNC-4` claiming answers what is due, the longest overdue first, of `active` connections and the given providers only
 * - `SYNC-5` a claim is a lease: of many callers at once exactly one claims a schedule, and while any lease on its resource is
 *   valid nobody does
 * - `SYNC-6` while one schedule of a connection is `blocked` and not due yet, none of that connection is claimed
 * - `SYNC-7` concluding writes log line, schedules and `lastSyncAt` and releases the lease, together or not at all
 * - `SYNC-8` concluding under a lost lease fails with `storage` `lease_lost` and writes nothing
 * - `SYNC-9` a schedule or log entry of an unknown connection fails with `not_found` `connection_unknown`
 * - `SYNC-10` the backlog counts what claiming would answer, and what is under a lease; it takes nothing
 * - `SYNC-11` listing what is due answers what claiming would, in its order, cut at the limit; it takes nothing
 */
export interface SyncVerbs {
  /** Lines of the log, newest first. */
  listSyncLog(filter: {
    readonly connectionId: string;
    readonly capability?: string | undefined;
    readonly limit: number;
  }): Promise<readonly SyncLogEntry[]>;
  /** Says when a capability of a connection is due. */
  putSchedule(schedule: SyncSchedule): Promise<void>;
  /** All schedules of a connection; none when it is unknown. */
  readSchedules(connectionId: string): Promise<readonly SyncSchedule[]>;
  /** Takes up to `limit` due schedules under leases of `ttlMs`, milliseconds. */
  claimDueConnections(request: {
    readonly providers: readonly string[];
    readonly limit: number;
    readonly owner: string;
    readonly ttlMs: number;
  }): Promise<readonly DueSync[]>;
  /** Up to `limit` schedules that claiming would answer now, the longest overdue first. */
  listDue(request: { readonly providers: readonly string[]; readonly limit: number }): Promise<readonly SyncSchedule[]>;
  /** Counts what is due and what runs, of the given providers. */
  readBacklog(request: { readonly providers: readonly string[] }): Promise<SyncBacklog>;
  /** Writes how a sync ended and gives its lease back. */
  concludeSync(conclusion: SyncConclusion): Promise<void>;
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
