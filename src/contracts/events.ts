import type {
  ConnectionEvent,
  ReauthDueEvent,
  ReauthRequiredEvent,
  RefreshFailedEvent,
  ScopesMissingEvent,
  TokenRefreshedEvent,
} from './events-connection.ts';
import type {
  CircuitEvent,
  ClockSkewEvent,
  CoverageGapEvent,
  ItemsRemovedUpstreamEvent,
  RequestEvent,
  RequestWaitingEvent,
  SyncFinishedEvent,
  SyncProgressEvent,
  SyncStuckEvent,
} from './events-live.ts';
import type { ImportCounts, ImportStatus } from './import-record.ts';

/** How far an import is; good enough for a progress bar. */
export interface ImportProgressEvent {
  readonly type: 'import_progress';
  readonly userId: string;
  readonly provider: string;
  readonly importId: string;
  readonly counts: ImportCounts;
  /** Bytes read so far; a format that is read twice counts twice, in both numbers. */
  readonly bytesRead: number;
  /** Bytes to read, when the sizes of all files are known. */
  readonly bytesTotal?: number | undefined;
  /** Records per second since the start. */
  readonly recordsPerSecond: number;
  /** Estimated milliseconds to go. */
  readonly remainingMs?: number | undefined;
}

/** An import ended, however it ended. */
export interface ImportFinishedEvent {
  readonly type: 'import_finished';
  readonly userId: string;
  readonly provider: string;
  readonly importId: string;
  /** Nothing was stored, on purpose. */
  readonly dryRun: boolean;
  readonly status: ImportStatus;
  readonly counts: ImportCounts;
  readonly durationMs: number;
}

/** A hook of the host threw. The SDK goes on; the durable feed still has the data. */
export interface HookFailedEvent {
  readonly type: 'hook_failed';
  readonly hook: 'onItems' | 'onProgress' | 'onReport';
  readonly message: string;
}

/** Everything `createRegistry({ onEvent })` can hear. Never holds a secret, a title or a file's content. */
export type McaEvent =
  | ImportProgressEvent
  | ImportFinishedEvent
  | HookFailedEvent
  | RequestEvent
  | RequestWaitingEvent
  | CircuitEvent
  | ClockSkewEvent
  | ConnectionEvent
  | TokenRefreshedEvent
  | RefreshFailedEvent
  | ReauthRequiredEvent
  | ReauthDueEvent
  | ScopesMissingEvent
  | SyncProgressEvent
  | SyncFinishedEvent
  | SyncStuckEvent
  | CoverageGapEvent
  | ItemsRemovedUpstreamEvent;

export type * from './events-connection.ts';
export type * from './events-live.ts';
