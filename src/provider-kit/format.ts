import type { ImportBatch, ImportContext } from '../contracts/capabilities/file-import.ts';
import { McaError } from '../contracts/errors.ts';
import type { ImportFile } from '../contracts/import-file.ts';
import type { Precision } from '../contracts/media-item.ts';
import { type CsvBatch, readCsv } from './csv-records.ts';
import type { OccurrenceCounter } from './event-id.ts';
import { type JsonRecordBatch, readJsonRecords } from './json-records.ts';
import { type RecordResult, reject } from './record-result.ts';
import { createTally, type Tally } from './tally.ts';

/** Name and beginning of a file, for telling what it is. */
export interface FileSample {
  /** Base name, without folders. */
  readonly name: string;
  /** Full path, inside the archive when there is one. */
  readonly path: string;
  /** The first 64 KiB as text; half a character may be missing at its end. Empty for an empty file. */
  readonly text: string;
}

/** What a format works with while it reads. */
export interface FormatContext<Options> extends ImportContext<Options> {
  /** Counts equal events of this file, or of all parts of a format that comes `inParts`. */
  readonly occurrences: OccurrenceCounter;
}

/** One kind of file an importer reads. Made by {@link jsonFormat}, {@link csvFormat} or by hand. */
export interface FileFormat<Options> {
  /** Becomes `source` of its items, such as `extended-history`. */
  readonly id: string;
  readonly name: string;
  readonly precision: Precision;
  /** Where two sources cover the same interval, reads show the one of higher rank; see `SourceInfo`. */
  readonly rank: number;
  /** Base names it has inside archives; only those are opened. A file given by itself may have any name. */
  readonly names: RegExp;
  /**
   * Set when the service cuts one history of this format into several files: equal events are then counted over the files
   * of one folder or archive together. Otherwise each file is whole by itself, and a copy of it beside it adds nothing.
   */
  readonly inParts?: true | undefined;
  /** Full paths inside archives to try as well, where names vary by language; such a file of another format is left alone. */
  readonly paths?: RegExp | undefined;
  /** How sure the content is of this format, 0 to 1. */
  recognise(sample: FileSample): number;
  /** Reads the whole file, batch by batch; see `closing`. */
  read(file: ImportFile, context: FormatContext<Options>): AsyncIterable<ImportBatch>;
}

interface FormatBasics<Options, State> extends Omit<FileFormat<Options>, 'read'> {
  /** A first look at the whole file before its records are read: column order, date order, language. */
  readonly prepare?: ((file: ImportFile, context: FormatContext<Options>) => Promise<State>) | undefined;
  /** Warnings that follow from the first look. */
  readonly warnings?: ((state: State) => readonly string[]) | undefined;
}

/** Where a JSON record was found. */
export interface JsonPlace {
  /** Keys from the root to the list; empty when the root is the list. */
  readonly path: readonly string[];
  /** Its own key, when the list is a map. */
  readonly key?: string | undefined;
}

/** A format whose records are the elements of JSON lists. */
export interface JsonFormatDefinition<Options, State> extends FormatBasics<Options, State> {
  /** Lists (or maps) to read when the root is an object. @default the root must be the list */
  readonly lists?: ((path: readonly string[]) => boolean) | undefined;
  /** What becomes of one record. */
  record(row: JsonRow, context: FormatContext<Options>, state: State, place: JsonPlace): RecordResult;
}

/** A JSON object of unknown content. */
export type JsonRow = Readonly<Record<string, unknown>>;

/**
 * A format made of JSON lists, read record by record in constant memory.
 *
 * @example
 * ```ts
 * const plays = jsonFormat<Options>({
 *   id: 'plays', name: 'Plays', precision: 'second', rank: 1,
 *   names: /^plays\.json$/i,
 *   recognise: (sample) => (sample.text.includes('"playedAt"') ? 0.9 : 0),
 *   record: (row) => (typeof row.title === 'string' ? toItem(row) : reject('no_title', 'title is missing', 'title')),
 * });
 * ```
 */
export function jsonFormat<Options, State = undefined>(
  definition: JsonFormatDefinition<Options, State>,
): FileFormat<Options> {
  const { lists, record } = definition;
  async function* read(file: ImportFile, context: FormatContext<Options>, tally: Tally): AsyncGenerator<ImportBatch> {
    const state = await look(definition, file, context, tally);
    for await (const batch of readJsonRecords(file, {
      lists,
      root: lists ? 'object' : 'array',
      signal: context.signal,
    })) {
      addJson(batch, (row, place) => record(row, context, state, place), tally);
      yield tally.take();
    }
  }
  return { ...basics(definition), read: (file, context) => closing(definition.id, file, context, read) };
}

function addJson(batch: JsonRecordBatch, record: (row: JsonRow, place: JsonPlace) => RecordResult, tally: Tally): void {
  const { path, keys, records, first, malformed } = batch;
  const place: JsonPlace = { path };
  for (let index = 0; index < records.length; index += 1) {
    const row = records[index];
    const result =
      typeof row === 'object' && row !== null && !Array.isArray(row)
        ? record(row as JsonRow, keys ? { path, key: keys[index] } : place)
        : reject('not_an_object', 'the record is not a JSON object');
    tally.add(result, { record: first + index });
  }
  // Whoever takes the batch waits for a commit with it, and these are done with.
  (records as unknown[]).length = 0;
  // Malformed ones follow the records of their batch; added first, they could look like a file that is bad from the start.
  for (const bad of malformed) {
    tally.add(reject('malformed_json', 'the record is not valid JSON'), {
      record: bad.record,
      line: bad.line,
      column: bad.column,
    });
  }
}

/** A format whose records are the rows of a CSV file. */
export interface CsvFormatDefinition<Options, State> extends FormatBasics<Options, State> {
  /** What becomes of one row; cells are in the order of the file. */
  record(row: readonly string[], context: FormatContext<Options>, state: State): RecordResult;
}

/**
 * A format made of CSV rows, read row by row in constant memory. The delimiter is found in the header line;
 * `prepare` usually maps column names to positions.
 */
export function csvFormat<Options, State = undefined>(
  definition: CsvFormatDefinition<Options, State>,
): FileFormat<Options> {
  const { record } = definition;
  async function* read(file: ImportFile, context: FormatContext<Options>, tally: Tally): AsyncGenerator<ImportBatch> {
    const state = await look(definition, file, context, tally);
    for await (const batch of readCsv(file, { signal: context.signal })) {
      addCsv(batch, (row) => record(row, context, state), tally);
      yield tally.take();
    }
  }
  return { ...basics(definition), read: (file, context) => closing(definition.id, file, context, read) };
}

function addCsv(batch: CsvBatch, record: (row: readonly string[]) => RecordResult, tally: Tally): void {
  for (let index = 0; index < batch.rows.length; index += 1) {
    tally.add(record(batch.rows[index] ?? []), { record: batch.first + index, line: batch.lines[index] });
  }
  for (const bad of batch.malformed) {
    tally.add(reject('malformed_row', bad.message), { record: bad.record, line: bad.line, column: bad.column });
  }
}

async function look<Options, State>(
  definition: FormatBasics<Options, State>,
  file: ImportFile,
  context: FormatContext<Options>,
  tally: Tally,
): Promise<State> {
  const state = (await definition.prepare?.(file, context)) as State;
  for (const warning of definition.warnings?.(state) ?? []) tally.warn(warning);
  return state;
}

function basics<Options, State>(definition: FormatBasics<Options, State>): Omit<FileFormat<Options>, 'read'> {
  const { id, name, precision, rank, names, inParts, paths, recognise } = definition;
  return { id, name, precision, rank, names, inParts, paths, recognise };
}

/**
 * Runs the reader of one file and turns its failure into a last batch with `error`, so that what was read before
 * is still accounted for and an import of several files goes on with the next. Cancelling is not a failure of the file.
 */
export async function* closing<Options>(
  format: string,
  file: ImportFile,
  context: FormatContext<Options>,
  read: (file: ImportFile, context: FormatContext<Options>, tally: Tally) => AsyncIterable<ImportBatch>,
): AsyncGenerator<ImportBatch> {
  const tally = createTally(file.name, format, context.strict);
  try {
    yield* read(file, context, tally);
    const { verdict } = tally;
    if (verdict || tally.hasNews) yield tally.take(verdict);
  } catch (error) {
    if (!McaError.isInstance(error) || error.code !== 'file_parse_error') throw error;
    yield tally.take(error);
  }
}
