import type { FilePosition } from '../contracts/errors.ts';
import { fileFailure } from './file-failure.ts';

/** Longest record, in bytes of UTF-8. */
export const CSV_RECORD_BYTES_MAX: number = 131_072;

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const QUOTE = 34;

/** Delimiters that are told apart by counting them in the header line. */
export type CsvDelimiter = ',' | ';' | '\t';

const DELIMITERS: readonly CsvDelimiter[] = [',', ';', '\t'];

/** What one CSV record looks like to somebody who only follows its quotes. Indexes are those of the text. */
export interface CsvRecordScan {
  /** Index of the line break behind the record, `undefined` when the text ends first. */
  readonly end: number | undefined;
  /** Index of the quote that is still open at the end of the text. */
  readonly openQuote: number | undefined;
  /** Index of the first quote inside an unquoted field, or of what follows a closing quote and should not. */
  readonly stray: number | undefined;
  /** Delimiters outside quotes. */
  readonly counts: Readonly<Record<CsvDelimiter, number>>;
}

/** Follows one record from `start`. Slow and exact: for headers and for telling what is wrong. */
export function scanCsvRecord(text: string, start: number, delimiters: readonly string[] = DELIMITERS): CsvRecordScan {
  const counts = { ',': 0, ';': 0, '\t': 0 };
  let openQuote: number | undefined;
  let stray: number | undefined;
  let isFieldStart = true;
  let isClosed = false;
  for (let at = start; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (openQuote !== undefined) {
      if (code !== QUOTE) continue;
      if (text.charCodeAt(at + 1) === QUOTE) at += 1;
      else {
        openQuote = undefined;
        isClosed = true;
      }
    } else if (code === LINE_FEED || (code === CARRIAGE_RETURN && text.charCodeAt(at + 1) === LINE_FEED)) {
      return { end: at, openQuote, stray, counts };
    } else if (delimiters.includes(text.charAt(at))) {
      counts[text.charAt(at) as CsvDelimiter] += 1;
      isFieldStart = true;
      isClosed = false;
    } else if (code === QUOTE && isFieldStart) {
      openQuote = at;
      isFieldStart = false;
    } else {
      if (code === QUOTE || isClosed) stray ??= at;
      isFieldStart = false;
    }
  }
  return { end: undefined, openQuote, stray, counts };
}

/**
 * Cells of a row that is one line, its line break included; none for a blank line.
 *
 * @returns `undefined` for a line that is more than it seems: a cell that goes on, a stray quote, a line too long
 */
export function splitPlainLine(source: string, delimiter: CsvDelimiter): string[] | undefined {
  // A character has up to three bytes.
  if (source.length > CSV_RECORD_BYTES_MAX / 3) return undefined;
  const breakLength = source.endsWith('\r\n') ? 2 : source.endsWith('\n') ? 1 : 0;
  if (source.length === breakLength) return [];
  // A copy: slices of `source` would keep the whole chunk of the file alive for as long as one cell is remembered.
  const line = ` ${source.slice(0, source.length - breakLength)}`.slice(1);
  if (!line.includes('"')) return line.split(delimiter);
  const cells: string[] = [];
  for (let at = 0; at <= line.length; ) {
    const end = line.charCodeAt(at) === QUOTE ? endOfQuoted(line, at) : indexOrLength(line, delimiter, at);
    if (end === undefined || (end < line.length && line[end] !== delimiter)) return undefined;
    const cell = line.slice(at, end);
    if (cell.charCodeAt(0) === QUOTE) cells.push(cell.slice(1, -1).replaceAll('""', '"'));
    else if (cell.includes('"')) return undefined;
    else cells.push(cell);
    at = end + 1;
  }
  return cells;
}

/** Index behind the closing quote. */
function endOfQuoted(line: string, opening: number): number | undefined {
  let at = line.indexOf('"', opening + 1);
  while (at !== -1 && line.charCodeAt(at + 1) === QUOTE) at = line.indexOf('"', at + 2);
  return at === -1 ? undefined : at + 1;
}

function indexOrLength(line: string, char: string, from: number): number {
  const at = line.indexOf(char, from);
  return at === -1 ? line.length : at;
}

/** The header line of a CSV file. */
export interface CsvHeaderLine {
  readonly text: string;
  /** Index in the text of what follows the line break. */
  readonly end: number;
  /** Line it starts on, from 1: blank lines may come first. */
  readonly line: number;
  /** Line after it. */
  readonly nextLine: number;
  readonly delimiter: CsvDelimiter;
}

/**
 * Finds the header line at the beginning of a file.
 *
 * @param isWhole - whether the file ends where the text ends
 * @returns `undefined` when more text is needed or, if `isWhole`, the file is empty; the scan when a quote stays open
 */
export function findCsvHeader(
  text: string,
  isWhole: boolean,
): CsvHeaderLine | { readonly openQuote: number } | undefined {
  const blank = /^(?:[^\S\n]*\n)*/.exec(text)?.[0] ?? '';
  const start = blank.length;
  if (text.slice(start).trim() === '') return undefined;
  const { end, openQuote, counts } = scanCsvRecord(text, start);
  if (end === undefined && openQuote !== undefined && isWhole) return { openQuote };
  if (end === undefined && !isWhole) return undefined;
  const header = text.slice(start, end);
  const delimiter = DELIMITERS.reduce((best, candidate) => (counts[candidate] > counts[best] ? candidate : best));
  const line = lineAt(text, start);
  const after = end === undefined ? text.length : text.indexOf('\n', end) + 1;
  return { text: header, end: after, line, nextLine: lineAt(text, after), delimiter };
}

/** Line of an index, from 1. */
export function lineAt(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < index; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}

/** Column of an index, from 1. */
export function columnAt(text: string, index: number): number {
  return index - text.lastIndexOf('\n', index - 1);
}

/**
 * The error of a quote that is never closed.
 *
 * @param position - `line` of the beginning of the text, and the record
 */
export function unclosedQuote(file: string, text: string, index: number, position: FilePosition = {}): Error {
  const line = (position.line ?? 1) + lineAt(text, index) - 1;
  return fileFailure(file, {
    reason: 'csv_unclosed_quote',
    message: `A quote opened on line ${line} of ${file} is never closed.`,
    hint: `Close or remove the quote on line ${line}, or download the export again.`,
    position: { ...position, line, column: columnAt(text, index) },
  });
}
