import type { ErrorCode } from './error-codes.ts';
import type { AtConnection } from './events-connection.ts';
import type { SyncCounts, SyncStatus } from './sync.ts';

/** One request ended, however it ended. Addresses and bodies are never told. */
export interface RequestEvent {
  readonly type: 'request';
  readonly provider: string;
  readonly connectionId?: string | undefined;
  /** What the call was for, as the provider names it. */
  readonly operation: string;
  readonly method: string;
  readonly host: string;
  /** Absent when no answer came. */
  readonly status?: number | undefined;
  /** Counts from 1. */
  readonly attempt: number;
  readonly durationMs: number;
  /** Bytes of the decoded body. */
  readonly bytes: number;
  /** Absent when all went well. */
  readonly error?: { readonly code: ErrorCode; readonly reason?: string | undefined } | undefined;
}

/** A request waits before it is sent. */
export interface RequestWaitingEvent {
  readonly type: 'request_waiting';
  readonly provider: string;
  readonly connectionId?: string | undefined;
  readonly cause: 'limit' | 'rate_limited' | 'retry';
  readonly waitMs: number;
}

/** A service failed so often that it is left alone for a while, or works again. */
export interface CircuitEvent {
  readonly type: 'circuit_opened' | 'circuit_closed';
  readonly provider: string;
  readonly host: string;
}

/** This machine's clock and the service's differ by more than a minute; expiry is reckoned by the service's. */
export interface ClockSkewEvent {
  readonly type: 'clock_skew';
  readonly provider: string;
  readonly host: string;
  /** Service minus machine, in milliseconds. */
  readonly skewMs: number;
}

/** How far a sync is; good enough for a progress bar. */
export interface SyncProgressEvent extends AtConnection {
  readonly type: 'sync_progress';
  readonly capability: string;
  readonly counts: SyncCounts;
  readonly pages: number;
  /** Which of the two walks the page was of: what is new, or old history. */
  readonly walk: 'recent' | 'backfill';
  /** Items the service says there are in this walk, if it says so. */
  readonly total?: number | undefined;
}

/** A sync ended, however it ended. */
export interface SyncFinishedEvent extends AtConnection {
  readonly type: 'sync_finished';
  readonly capability: string;
  readonly status: SyncStatus;
  readonly counts: SyncCounts;
  readonly durationMs: number;
  readonly error?: { readonly code: ErrorCode; readonly reason?: string | undefined } | undefined;
}

/** Twelve syncs in a row failed, and it is tried once a day from now on. Somebody should look. */
export interface SyncStuckEvent extends AtConnection {
  readonly type: 'sync_stuck';
  readonly capability: string;
  /** Of the last one. */
  readonly error: { readonly code: ErrorCode; readonly reason?: string | undefined };
}

/** The service no longer tells what happened in between: import an export to fill it. */
export interface CoverageGapEvent extends AtConnection {
  readonly type: 'coverage_gap';
  readonly capability: string;
  readonly from: Date;
  readonly to: Date;
}

/**
 * Why an item that the service no longer has was not deleted here.
 *
 * - `not_asked` the host did not ask for it: `removedUpstream` is `'report'`
 * - `implausible` of more than 20 items over half are gone at once
 * - `would_not_return` its name holds no time, so that it could not come back if the user added it again
 */
export type WhyKept = 'not_asked' | 'implausible' | 'would_not_return';

/** Items stored before are gone at the service. Told before any of them is deleted; once or more often. */
export interface ItemsRemovedUpstreamEvent extends AtConnection {
  readonly type: 'items_removed_upstream';
  readonly capability: string;
  readonly count: number;
  /** How many of them stay here, by reason; the others are deleted. */
  readonly kept: Readonly<Partial<Record<WhyKept, number>>>;
}
