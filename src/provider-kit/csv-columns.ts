import { type CsvDelimiter, scanCsvRecord, splitPlainLine } from './csv-scan.ts';
import type { KnownMistake } from './file-import.ts';
import type { FileSample } from './format.ts';

/**
 * Position of the first column that has one of the names, or -1. Case and spaces around do not matter.
 *
 * @param names - in lower case
 */
export function columnOf(columns: readonly string[], ...names: readonly string[]): number {
  return columns.findIndex((column) => names.includes(column.trim().toLowerCase()));
}

/** One cell of a row, without the spaces around it; empty for a column that the file lacks (-1). */
export function cellOf(row: readonly string[], column: number): string {
  return (row[column] ?? '').trim();
}

/** The different texts of a list in one cell, with commas between them. */
export function listOf(cell: string): readonly string[] {
  const texts = cell.split(',').map((text) => text.trim());
  return [...new Set(texts)].filter((text) => text !== '');
}

/** 64 KiB, which is all that is looked at, are at least so many characters; a shorter sample is the whole file. */
const MAYBE_CUT_LENGTH = 16_384;
/** The widest exports have some ninety columns; more is no table, and costs memory. */
const CELLS_MAX = 256;

/**
 * Rows at the beginning of a CSV file as cells, header first, for telling what the file is. Blank lines are left out, and
 * so is the last line when it may be cut. A row that is more than one line comes as rows that say nothing.
 *
 * @example
 * ```ts
 * recognise(sample) {
 *   const [header = []] = sampleRows(sample);
 *   return columnOf(header, 'artist') >= 0 && columnOf(header, 'played at') >= 0 ? 0.95 : 0;
 * }
 * ```
 */
export function sampleRows(sample: FileSample): readonly (readonly string[])[] {
  const lines = sample.text.split(/\r?\n/);
  if (sample.text.length >= MAYBE_CUT_LENGTH) lines.pop();
  const filled = lines.filter((line) => line.trim() !== '');
  const { counts } = scanCsvRecord(filled[0] ?? '', 0);
  const delimiters = Object.keys(counts) as CsvDelimiter[];
  const delimiter = delimiters.reduce((most, next) => (counts[next] > counts[most] ? next : most));
  return filled.map((line) => (splitPlainLine(line, delimiter) ?? []).slice(0, CELLS_MAX));
}

/**
 * A web page, handed in instead of an export: somebody saved the page, or the download ended at a log-in.
 *
 * @param hint - what to do instead, one sentence
 */
export function webPageMistake(hint: string): KnownMistake {
  return {
    reason: 'html_page',
    // Nothing of that kind is looked for inside archives; a page under the name of an export is found all the same.
    names: /$^/,
    matches: ({ text }) => /^\s*<(?:!doctype html|html|head|body)\b/i.test(text),
    message: 'is a web page, not an export.',
    hint,
  };
}
