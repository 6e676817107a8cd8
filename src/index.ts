// The host API. Adding a line here makes a promise.

// Putting things together
export { createRegistry, type AnyRegistry, type Registry, type RegistryOptions } from './registry/create-registry.ts';

// Bringing history home
export { importFile, type ImportFileOptions } from './history/import-file.ts';
export type { FileReport, ImportReport } from './history/import-report.ts';
export { type FileRecognition, recogniseFile } from './history/recognise-file.ts';

// Reading it back
export { iterateItems, type ItemsPage, type QueryOptions, queryItems } from './history/query-items.ts';
export type { ReadFilter } from './history/read-filter.ts';
export {
  summarise,
  type Summary,
  timeline,
  type TimelineEntry,
  type TimelineOptions,
  topGroups,
  type TopOptions,
} from './history/aggregates.ts';
export type { TimelineUnit } from './history/time-zone.ts';
export { exportItems, type ExportOptions } from './history/export-items.ts';

// Following and changing it
export {
  type ChangesOptions,
  deleteItem,
  eraseUser,
  listImports,
  readChanges,
  undoImport,
  type UndoReport,
} from './history/manage.ts';

// Errors
export { ERROR_CODES, type ErrorCode, type FilePosition, McaError, type McaErrorOptions } from './contracts/errors.ts';

// Types of what goes in and out
export type {
  AddedProviderId,
  AnyProvider,
  Change,
  Clock,
  Connection,
  ConnectionKind,
  ConnectionStatus,
  Coverage,
  CredentialStore,
  Cursor,
  Env,
  GroupField,
  GroupTally,
  HookFailedEvent,
  ImportCounts,
  ImportFile,
  ImportFinishedEvent,
  ImportOptionsOf,
  ImportProgressEvent,
  ImportRecord,
  ImportSource,
  ImportStatus,
  ItemKey,
  Json,
  LogFields,
  Logger,
  McaEvent,
  MediaAction,
  MediaIds,
  MediaItem,
  MediaType,
  Playlist,
  Precision,
  Provider,
  ProviderIdWith,
  Random,
  Recognition,
  RejectedRecord,
  Storage,
  StoredItem,
  Tally,
  Track,
  UpdatePolicy,
} from './contracts/index.ts';
