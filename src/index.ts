/**
 * What a host app imports: `createRegistry`, and the engines that are functions over it.
 *
 * @module @mca/core
 */

// Adding a line here makes a promise.

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
export {
  type Summary,
  summarise,
  type TimelineEntry,
  type TimelineOptions,
  type TopOptions,
  timeline,
  topGroups,
} from './history/aggregates.ts';
export { type ExportOptions, exportItems } from './history/export-items.ts';
// Bringing history home
export { type ImportFileOptions, importFile } from './history/import-file.ts';
export type { FileReport, ImportReport } from './history/import-report.ts';
// Following and changing it
export {
  type ChangesOptions,
  deleteItem,
  eraseUser,
  listConnections,
  listImports,
  readChanges,
  type UndoReport,
  undoImport,
} from './history/manage.ts';
// Reading it back
export { type ItemsPage, iterateItems, type QueryOptions, queryItems } from './history/query-items.ts';
export type { ReadFilter } from './history/read-filter.ts';
export { type FileRecognition, recogniseFile } from './history/recognise-file.ts';
export type { TimelineUnit } from './history/time-zone.ts';
// Putting things together
export { type AnyRegistry, createRegistry, type Registry, type RegistryOptions } from './registry/create-registry.ts';
