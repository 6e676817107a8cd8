import type { ImportFile } from '../contracts/import-file.ts';
import { createCsvRows } from './csv-rows.ts';
import {
  CSV_RECORD_BYTES_MAX,
  type CsvDelimiter,
  type CsvHeaderLine,
  findCsvHeader,
  unclosedQuote,
} from './csv-scan.ts';
import { fileFailure, throwIfCancelled } from './file-failure.ts';
import { decodeText } from './text.ts';

/** A row that cannot be used. Lines, columns (in characters) and records count from 1. */
export interface MalformedCsvRecord {
  readonly record: number;
  /** Line the record starts on. */
  readonly line: number;
  readonly column?: number | undefined;
  /** snake_case: `field_count` or `stray_quote`. */
  readonly reason: string;
  /** One sentence without the content of the row. */
  readonly message: string;
}

/** Up to a thousand consecutive data rows. */
export interface CsvBatch {
  /** Number of the first row of the batch, from 1, the header not counted; `rows[i]` is number `first + i`. */
  readonly first: number;
  /** As many fields each as the header has columns. */
  readonly rows: readonly (readonly string[])[];
  /** Line each row starts on, from 1. */
  readonly lines: readonly number[];
  /** They follow the rows of the batch. */
  readonly malformed: readonly MalformedCsvRecord[];
}

/** First row of a CSV file. */
export interface CsvHeader {
  readonly columns: readonly string[];
  readonly delimiter: CsvDelimiter;
}

/**
 * Reads the header of a CSV file: its column names and, found in that line, the delimiter of the file.
 *
 * @throws McaError as {@link readCsv}
 */
export async function readCsvHeader(
  file: ImportFile,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<CsvHeader> {
  let text = '';
  let header: CsvHeaderLine | undefined;
  for await (const chunk of decodeText(file, options)) {
    text += chunk;
    header = headerOf(file, text, false);
    if (header) break;
  }
  header ??= headerOf(file, text, true);
  const rows = await createCsvRows(file.name, header);
  return { columns: rows.columns, delimiter: header.delimiter };
}

/**
 * Reads the data rows of a CSV file of any size, in constant memory.
 *
 * The first line that is not blank is the header; it decides the delimiter (`,` `;` or tab) and the number of fields.
 * Fields may be quoted, quotes inside doubled; lines end with LF or CRLF; blank lines are skipped. A row with another
 * number of fields or a stray quote is reported in `malformed`, and reading goes on with the next line.
 *
 * @throws McaError `file_parse_error` with reason `csv_unclosed_quote` (with the line and column the quote is on: no
 *   other quote follows within 128 KiB), `record_too_large` (a row of more than 128 KiB), `csv_empty` (no header),
 *   `csv_line_ends` (CR alone), `csv_syntax` (stray quote in the header), and those of `decodeText`; code `cancelled`
 * @example
 * ```ts
 * const { columns } = await readCsvHeader(file);
 * const title = columns.indexOf('Title');
 * for await (const { rows } of readCsv(file)) for (const row of rows) console.log(row[title]);
 * ```
 */
export async function* readCsv(
  file: ImportFile,
  options: { readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<CsvBatch, void, undefined> {
  const { signal } = options;
  let text = '';
  let rows: Awaited<ReturnType<typeof createCsvRows>> | undefined;
  async function* read(chunk: string, isLast: boolean): AsyncGenerator<CsvBatch, void, undefined> {
    let failure: { readonly error: unknown } | undefined;
    try {
      if (!rows) {
        text += chunk;
        const header = headerOf(file, text, isLast);
        if (!header) return;
        chunk = text.slice(header.end);
        text = '';
        rows = await createCsvRows(file.name, header);
      }
      await rows.push(chunk, isLast);
    } catch (error) {
      failure = { error };
    }
    for (const batch of rows?.take() ?? []) {
      throwIfCancelled(file.name, signal);
      yield batch;
    }
    if (failure) throw failure.error;
  }
  for await (const chunk of decodeText(file, { signal })) yield* read(chunk, false);
  yield* read('', true);
}

function headerOf(file: ImportFile, text: string, isWhole: true): CsvHeaderLine;
function headerOf(file: ImportFile, text: string, isWhole: boolean): CsvHeaderLine | undefined;
function headerOf(file: ImportFile, text: string, isWhole: boolean): CsvHeaderLine | undefined {
  const isTooLong = text.length > CSV_RECORD_BYTES_MAX;
  const found = findCsvHeader(text, isWhole || isTooLong);
  if (found && 'openQuote' in found) throw unclosedQuote(file.name, text, found.openQuote);
  if (found && found.text.length > CSV_RECORD_BYTES_MAX) {
    throw fileFailure(file.name, {
      reason: 'record_too_large',
      message: `The header line of ${file.name} is longer than ${CSV_RECORD_BYTES_MAX} bytes.`,
      hint: 'Check that this is a CSV file with line breaks, and the one you wanted to import.',
      position: { line: found.line },
    });
  }
  if (found && /\r(?!\n|$)/.test(found.text)) {
    throw fileFailure(file.name, {
      reason: 'csv_line_ends',
      message: `The lines of ${file.name} end with a carriage return alone, as spreadsheets wrote them long ago.`,
      hint: 'Hand in the file as it was downloaded, or save it as plain CSV (not "Macintosh").',
      position: { line: found.line },
    });
  }
  if (found || !(isWhole || isTooLong)) return found;
  throw fileFailure(file.name, {
    reason: 'csv_empty',
    message: `${file.name} is empty: it begins without a header line.`,
    hint: 'Download the export again.',
    position: { line: 1 },
  });
}
