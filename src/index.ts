/**
 * What a host app imports: `createRegistry`, and the engines that are functions over it.
 *
 * @module @mca/core
 */

// Adding a line here makes a promise.

// Connecting accounts
export { addConnection } from './auth/add-connection.ts';
export { beginConnect, continueConnect } from './auth/connect.ts';
export type {
  AddConnectionOptions,
  BeginConnectOptions,
  ConnectedStep,
  ConnectionChoices,
  ConnectRequest,
  ConnectStep,
  ContinueConnectOptions,
  DeviceStep,
  FileStep,
  FormStep,
  GivenCredentials,
  RedirectStep,
} from './auth/connect-steps.ts';
export {
  type ConnectionRef,
  type ConnectionReport,
  connectionStatus,
  type DisconnectReport,
  disconnect,
} from './auth/disconnect.ts';
export {
  type CallbackResult,
  type ConnectHandlers,
  type ConnectHandlersOptions,
  connectHandlers,
  type FlowChoices,
  type RequestUser,
} from './auth/handlers.ts';
export { type KeyRing, type KeyRingOptions, keyRing } from './auth/key-ring.ts';
export { type RewrapReport, rewrapCredentials } from './auth/rewrap.ts';
export {
  type BoundCapability,
  type BoundMethod,
  type ProviderById,
  type UserProvider,
  type UserProviderOptions,
  userProvider,
} from './auth/user-provider.ts';
// Errors
export { ERROR_CODES, type ErrorCode, type FilePosition, McaError, type McaErrorOptions } from './contracts/errors.ts';
// Types of what goes in and out
export type {
  AddedProviderId,
  AnyProvider,
  AuthStrategy,
  BacklogHealth,
  CapabilityName,
  Change,
  CircuitEvent,
  CircuitHealth,
  Clock,
  ClockSkewEvent,
  Connection,
  ConnectionEvent,
  ConnectionKind,
  ConnectionStatus,
  Coverage,
  CoverageGapEvent,
  CredentialStore,
  Cursor,
  DataPolicy,
  Env,
  Fetch,
  FormField,
  GroupField,
  GroupTally,
  HealthReport,
  HookFailedEvent,
  ImportCounts,
  ImportFile,
  ImportFinishedEvent,
  ImportOptionsOf,
  ImportProgressEvent,
  ImportRecord,
  ImportSource,
  ImportStatus,
  IncrementalName,
  ItemKey,
  ItemsRemovedUpstreamEvent,
  Job,
  JobEngine,
  JobName,
  JobOutcome,
  Json,
  KeyProvider,
  LogFields,
  Logger,
  McaEvent,
  MediaAction,
  MediaIds,
  MediaItem,
  MediaType,
  PartHealth,
  Playlist,
  Precision,
  PresentContent,
  Provider,
  ProviderIdWith,
  Random,
  RateLimit,
  RateLimiter,
  RateLimiterFactory,
  ReauthDueEvent,
  ReauthRequiredEvent,
  Recognition,
  RefreshFailedEvent,
  RejectedRecord,
  RequestEvent,
  RequestWaitingEvent,
  RunJob,
  ScopesMissingEvent,
  Storage,
  StoredItem,
  StoredParkedRecord,
  SyncBacklog,
  SyncCounts,
  SyncFinishedEvent,
  SyncLogEntry,
  SyncProgressEvent,
  SyncSchedule,
  SyncStatus,
  SyncStuckEvent,
  Tally,
  Timers,
  TokenRefreshedEvent,
  Track,
  UpdatePolicy,
  WhyKept,
} from './contracts/index.ts';
export {
  type Summary,
  summarise,
  type TimelineEntry,
  type TimelineOptions,
  type TopOptions,
  timeline,
  topGroups,
} from './history/aggregates.ts';
// How everything is, and taking it elsewhere
export { checkHealth, type HealthOptions } from './history/check-health.ts';
export { type ExportOptions, exportItems } from './history/export-items.ts';
// Following and changing it
export { exportUser } from './history/export-user.ts';
// Bringing history home
export { type ImportFileOptions, importFile } from './history/import-file.ts';
export type { FileReport, ImportReport } from './history/import-report.ts';
export { type DueJobsOptions, dueJobs, type RunJobOptions, runJob } from './history/jobs.ts';
export {
  type ChangesOptions,
  type ConnectionFilter,
  deleteItem,
  eraseUser,
  listConnections,
  listImports,
  readChanges,
  type UndoReport,
  undoImport,
} from './history/manage.ts';
export {
  type ConnectionChange,
  listSyncLog,
  type OwnConnection,
  updateConnection,
} from './history/manage-connections.ts';
// Reading it back
export { type ItemsPage, iterateItems, type QueryOptions, queryItems } from './history/query-items.ts';
export type { ReadFilter } from './history/read-filter.ts';
export { type FileRecognition, recogniseFile } from './history/recognise-file.ts';
// Syncing
export {
  listParked,
  type ReplayReport,
  replayParked,
} from './history/replay-parked.ts';
export { type Scheduler, type SchedulerOptions, startScheduler } from './history/scheduler.ts';
export {
  type StreamBatch,
  type StreamOptions,
  streamHistory,
  streamLibrary,
  streamRatings,
} from './history/stream-history.ts';
export { type SyncConnectionOptions, syncConnection } from './history/sync-connection.ts';
export { type SyncDueOptions, type SyncDueReport, syncDue } from './history/sync-due.ts';
export { type SyncOptions, syncHistory, syncLibrary, syncRatings } from './history/sync-history.ts';
export type { RemovedUpstream, SyncReport } from './history/sync-report.ts';
export type { SyncSettings } from './history/sync-tracks.ts';
export type { TimelineUnit } from './history/time-zone.ts';
// Putting things together
export { type AnyRegistry, createRegistry, type Registry, type RegistryOptions } from './registry/create-registry.ts';
export {
  type ConnectChoice,
  describeProvider,
  describeProviders,
  type ProviderDescription,
  type SourceDescription,
  type SyncDescription,
} from './registry/describe-provider.ts';
