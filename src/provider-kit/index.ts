/**
 * What authors of providers import: the contracts, and the tools to fulfil them.
 *
 * @module @mca/core/provider-kit
 */

// Contracts

export { McaError } from '../contracts/errors.ts';
export type * from '../contracts/index.ts';
export { cellOf, columnOf, listOf, sampleRows, webPageMistake } from './csv-columns.ts';
// Readers underneath, for formats made by hand
export { type CsvBatch, type CsvHeader, type MalformedCsvRecord, readCsv, readCsvHeader } from './csv-records.ts';
export type { CsvDelimiter } from './csv-scan.ts';
// Live services
export { cursorInvalid } from './cursor-invalid.ts';
export { daysInMonth, isPlausible, type PlausibleTimes, parseUtc, UNDATED_MS, utcTime } from './dates.ts';
export { defineProvider, type ProviderDefinition } from './define-provider.ts';
export { contentHash, type EventIdParts, eventId, type OccurrenceCounter, occurrenceCounter } from './event-id.ts';
// File imports
export { type FileImportDefinition, type FoundFile, fileImport, type KnownMistake } from './file-import.ts';
export {
  type CsvFormatDefinition,
  closing,
  csvFormat,
  type FileFormat,
  type FileSample,
  type FormatContext,
  type JsonFormatDefinition,
  type JsonPlace,
  type JsonRow,
  jsonFormat,
} from './format.ts';
export { withDefaults } from './import-options.ts';
export { type FetchedPage, type IncrementalDefinition, incremental } from './incremental.ts';
export { type JsonLinesFormatDefinition, jsonLinesFormat } from './json-lines.ts';
export {
  type JsonRecordBatch,
  type JsonRecordOptions,
  type MalformedJsonRecord,
  readJsonRecords,
} from './json-records.ts';
export { type RecordResult, type Rejected, reject, type Skipped, skip } from './record-result.ts';
export { baseName } from './sample.ts';
export { createTally, type RecordPlace, type Tally } from './tally.ts';
export { decodeText } from './text.ts';
export { isZip, openZip, type Zip, type ZipLimits } from './zip.ts';
