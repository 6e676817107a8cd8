import type { ErrorCode } from './error-codes.ts';

/** How many records a sync met, and where they went. `read = inserted + updated + unchanged + skipped + rejected`, always. */
export interface SyncCounts {
  /** Records the service sent. */
  readonly read: number;
  readonly inserted: number;
  /** Stored before, now with other content. */
  readonly updated: number;
  /** Stored before with the same content, or deleted by the host before. */
  readonly unchanged: number;
  /** Left out on purpose. */
  readonly skipped: number;
  /** Could not be normalised; parked for inspection and replay. */
  readonly rejected: number;
}

/**
 * - `complete` everything the service had is stored
 * - `partial` part is stored, the rest comes next time
 * - `failed` nothing new is stored
 * - `skipped` there was nothing to do, or somebody else is doing it
 * - `cancelled` the host's `AbortSignal` fired; whole pages are stored
 */
export type SyncStatus = 'complete' | 'partial' | 'failed' | 'skipped' | 'cancelled';

/** One line of the sync log. */
export interface SyncLogEntry {
  readonly id: string;
  readonly connectionId: string;
  readonly capability: string;
  readonly status: SyncStatus;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly counts: SyncCounts;
  readonly pages: number;
  /** Stretches that the service no longer tells of. */
  readonly gaps: readonly { readonly from: Date; readonly to: Date }[];
  readonly error?:
    | { readonly code: ErrorCode; readonly reason?: string | undefined; readonly message: string }
    | undefined;
}

/** When one capability of one connection is synced next. */
export interface SyncSchedule {
  readonly connectionId: string;
  readonly capability: string;
  /** Not before this instant, epoch milliseconds: the next turn, or the end of the wait the service asked for. */
  readonly dueAt: number;
  /** True while `dueAt` ends a wait that the service imposed: a host's own call keeps to it too. */
  readonly blocked: boolean;
  /** Failures in a row. */
  readonly failures: number;
}
