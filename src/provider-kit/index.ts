// What authors of providers import. Contracts first, then the tools to fulfil them.
export type * from '../contracts/index.ts';
export { McaError } from '../contracts/errors.ts';
export { defineProvider, type ProviderDefinition } from './define-provider.ts';
export { contentHash, eventId, type EventIdParts, type OccurrenceCounter, occurrenceCounter } from './event-id.ts';
export { daysInMonth, parseUtc, utcTime } from './dates.ts';
export { type Rejected, type RecordResult, reject, type Skipped, skip } from './record-result.ts';
// File imports
export { fileImport, type FileImportDefinition, type FoundFile, type KnownMistake } from './file-import.ts';
export {
  closing,
  csvFormat,
  type CsvFormatDefinition,
  type FileFormat,
  type FileSample,
  type FormatContext,
  jsonFormat,
  type JsonFormatDefinition,
  type JsonPlace,
  type JsonRow,
} from './format.ts';
export { withDefaults } from './import-options.ts';
export { baseName } from './sample.ts';
export { createTally, type RecordPlace, type Tally } from './tally.ts';
// Readers underneath, for formats made by hand
export { type CsvBatch, type CsvHeader, type MalformedCsvRecord, readCsv, readCsvHeader } from './csv-records.ts';
export type { CsvDelimiter } from './csv-scan.ts';
export { type JsonRecordBatch, type JsonRecordOptions, type MalformedJsonRecord, readJsonRecords } from './json-records.ts';
export { decodeText } from './text.ts';
export { isZip, openZip, type Zip, type ZipLimits } from './zip.ts';
