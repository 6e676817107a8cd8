import { decodeText, type FileSample, type ImportFile } from '@mca/core/provider-kit';

/** Position of the first column that has one of the names, or -1. Case and spaces around do not matter. */
export function columnOf(columns: readonly string[], ...names: readonly string[]): number {
  return columns.findIndex((column) => names.includes(column.trim().toLowerCase()));
}

/** 64 KiB, which is all that is looked at, are at least so many characters; a shorter sample is the whole file. */
const MAYBE_CUT_LENGTH = 16_384;
/** The widest of our files has ten columns; a row of more is looked at no further. */
const CELLS_MAX = 64;
/** A row is a few hundred characters; what is longer is a quote that never closes. */
const LINE_LENGTH_MAX = 1_000_000;
const QUOTE = 34;

/** Rows at the beginning of a file, header first, as cells; without the last line when it may be cut. */
export function sampleRows(sample: FileSample): readonly (readonly string[])[] {
  const lines = sample.text.split(/\r?\n/);
  if (sample.text.length >= MAYBE_CUT_LENGTH) lines.pop();
  const delimiter = delimiterOf(lines[0] ?? '');
  return lines.filter((line) => line !== '').map((line) => cellsOf(line, delimiter));
}

function delimiterOf(header: string): string {
  const bare = header.replace(/"[^"]*"/g, '');
  const counts = [',', ';', '\t'].map((each) => ({ each, count: bare.split(each).length }));
  return counts.reduce((most, next) => (next.count > most.count ? next : most)).each;
}

/** Cells of a line that holds a whole row, in one pass over it, and no more than any of our files has. */
function cellsOf(line: string, delimiter: string): readonly string[] {
  const cells: string[] = [];
  for (let start = 0; cells.length < CELLS_MAX; ) {
    const end = cellEnd(line, delimiter, start);
    cells.push(cellText(line, start, end));
    if (end === -1) break;
    start = end + 1;
  }
  return cells;
}

/** One cell of a line that holds a whole row. */
export function cellAt(line: string, delimiter: string, index: number): string | undefined {
  let start = 0;
  for (let before = index; before > 0; before -= 1) {
    const end = cellEnd(line, delimiter, start);
    if (end === -1) return undefined;
    start = end + 1;
  }
  return cellText(line, start, line.charCodeAt(start) === QUOTE ? -1 : line.indexOf(delimiter, start));
}

/** Index of the delimiter behind a cell, -1 for the last one. */
function cellEnd(line: string, delimiter: string, start: number): number {
  return line.indexOf(delimiter, line.charCodeAt(start) === QUOTE ? closingQuote(line, start) : start);
}

function cellText(line: string, start: number, end: number): string {
  if (line.charCodeAt(start) === QUOTE) return line.slice(start + 1, closingQuote(line, start)).replaceAll('""', '"');
  return end === -1 ? line.slice(start) : line.slice(start, end);
}

function closingQuote(line: string, opening: number): number {
  let at = line.indexOf('"', opening + 1);
  while (at !== -1 && line.charCodeAt(at + 1) === QUOTE) at = line.indexOf('"', at + 2);
  return at === -1 ? line.length : at;
}

/**
 * Lines of a file, for a first look that must not cost as much as reading it. Good enough for evidence: a row that
 * spans lines comes in pieces here.
 */
export async function* linesOf(file: ImportFile, signal: AbortSignal): AsyncGenerator<readonly string[]> {
  let rest = '';
  for await (const text of decodeText(file, { signal })) {
    // Only the new text is searched: a long line arrives in many pieces.
    const [first = '', ...lines] = text.split('\n');
    rest += first;
    if (lines.length > 0) {
      const whole = rest;
      rest = lines.pop() ?? '';
      yield [whole, ...lines];
    }
    // A quote that never closes must not pile up the whole file.
    if (rest.length > LINE_LENGTH_MAX) rest = '';
  }
  if (rest !== '') yield [rest];
}
