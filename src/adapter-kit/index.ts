/**
 * What an adapter author needs: the contracts of storage and credentials, the error class, and the pure helpers
 * that keep adapters of different databases in agreement.
 *
 * @module @mca/core/adapter-kit
 */

// Contracts
export type { Connection, ConnectionKind, ConnectionStatus } from '../contracts/connection.ts';
export type { CredentialStore, SealedCredential } from '../contracts/credential-store.ts';
export type { Cursor } from '../contracts/cursor.ts';
export type { Clock, Env, LogFields, Logger, Timers } from '../contracts/env.ts';
export { ERROR_CODES, type ErrorCode, McaError, type McaErrorOptions } from '../contracts/errors.ts';
export type { McaEvent } from '../contracts/events.ts';
export type { BacklogHealth, CircuitHealth, HealthReport, PartHealth } from '../contracts/health.ts';
export type { Coverage, ImportCounts, ImportRecord, ImportStatus } from '../contracts/import-record.ts';
export type { Job, JobEngine, JobName, JobOutcome, RunJob } from '../contracts/jobs.ts';
export type {
  ItemKey,
  Json,
  MediaAction,
  MediaIds,
  MediaItem,
  MediaType,
  Precision,
  StoredItem,
} from '../contracts/media-item.ts';
export type { RateLimit } from '../contracts/provider.ts';
export type { RateLimiter, RateLimiterFactory } from '../contracts/rate-limiter.ts';
export type {
  Change,
  ConnectionPatch,
  ConnectionVerbs,
  ConnectState,
  ConnectStateVerbs,
  DueSync,
  GroupField,
  GroupTally,
  HiddenRange,
  ImportProgress,
  ImportVerbs,
  ItemFilter,
  ItemQuery,
  Keyset,
  Lease,
  LeaseVerbs,
  PageCommit,
  PageResult,
  PageVerbs,
  ParkedRecord,
  ReadVerbs,
  Storage,
  StoredParkedRecord,
  SyncBacklog,
  SyncConclusion,
  SyncVerbs,
  Tally,
  TimeBucket,
  UpdatePolicy,
} from '../contracts/storage/index.ts';
export type { SyncCounts, SyncLogEntry, SyncSchedule, SyncStatus } from '../contracts/sync.ts';

// Rows: how things lie in columns (encode…, decode…, …Row). Beside them orders and predicates that every adapter must
// share, how much history every adapter keeps, and refusals with one wording.

export { type ChangeRow, decodeChange } from './change-row.ts';
export { type ConnectionRow, decodeConnection, encodePatch, type PatchField } from './connection-row.ts';
export { compareForLongest, compareText, isSameContent, wins } from './content-order.ts';
export { decodeCoverage, encodeCoverage, withoutCoverage } from './coverage.ts';
export { foldText } from './fold-text.ts';
export { isHidden } from './hidden-range.ts';
export { decodeImport, encodeProgress, type ImportRow, type ProgressRow } from './import-row.ts';
export {
  CONTENT_FIELDS,
  type ContentRow,
  consumedAtMs,
  decodeItem,
  encodeItem,
  encodeObject,
  encodeTags,
  type ItemRow,
} from './item-row.ts';
export { BACKLOG_COUNTED, CURSORS_KEPT, SYNC_LOG_KEPT } from './kept.ts';
export { compareKeysets } from './keyset.ts';
export { foreignImport, importUndone, leaseLost, schemaTooNew, unknownConnection } from './refusals.ts';
export { decodeLogEntry, decodeSchedule, encodeLogEntry, type ScheduleRow, type SyncLogRow } from './sync-row.ts';
export { decodeGroup, decodeSummary, type GroupRow, type SummaryRow } from './tally-row.ts';
