import type { ErrorCode } from './error-codes.ts';

/** How one part is. */
export interface PartHealth {
  readonly ok: boolean;
  /** Code of the failure. */
  readonly code?: ErrorCode | undefined;
  /** Its finer cause: `timeout`, `key_unavailable`, `credential_tampered`, …, or whatever the adapter says. */
  readonly reason?: string | undefined;
}

/** What waits for the scheduler. */
export interface BacklogHealth {
  /** Syncs that are due now; counted up to 10,000. */
  readonly due: number;
  /** How long the longest overdue of them has been due, in milliseconds; 0 when none is. */
  readonly oldestOverdueMs: number;
  /** Syncs under way, on all machines. */
  readonly running: number;
}

/** A service of which hosts are left alone for a while. */
export interface CircuitHealth {
  readonly provider: string;
  /** How many of its hosts; servers of users' own are counted and not named. */
  readonly openHosts: number;
}

/** Plain data, good for a `/health` endpoint. Holds no secret and nothing of a user. */
export interface HealthReport {
  /** `down` when nothing works: the storage is away, or the registry closed. `degraded` when a part of it does not. */
  readonly status: 'ok' | 'degraded' | 'down';
  /** Why it is not `ok`: `storage:<reason>`, `backlog:<reason>`, `credentials:<reason>`, `circuit_open:<provider>`, `closed`. */
  readonly reasons: readonly string[];
  /** Version of `@mca/core`. */
  readonly version: string;
  readonly storage: PartHealth;
  /** The credential store and the key; absent where no provider logs in. */
  readonly credentials?: PartHealth | undefined;
  /** Absent when the storage did not say, or not in time. */
  readonly backlog?: BacklogHealth | undefined;
  /** Services that this process leaves alone because they failed. */
  readonly circuits: readonly CircuitHealth[];
}
