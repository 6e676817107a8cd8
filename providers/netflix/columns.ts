import { decodeText, type ImportFile } from '@mca/core/provider-kit';

/** A row is a few hundred characters; what is longer is a quote that never closes. */
const LINE_LENGTH_MAX = 1_000_000;
const QUOTE = 34;

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
