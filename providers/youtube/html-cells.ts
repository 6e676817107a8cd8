import { decodeText, type ImportFile, McaError } from '@mca/core/provider-kit';

/** What every record of the page begins with. */
export const CELL = '<div class="outer-cell';
/** A cell is about a kilobyte; one this long is no cell. */
const LONGEST_CELL = 1024 * 1024;

/** The way out of all that HTML does not say. */
export const ASK_FOR_JSON =
  'At takeout.google.com choose JSON as the format of the history; it is the same in every language.';

/**
 * Cells of a page, as they arrive. Before the first one there is a style sheet of any length.
 *
 * @throws McaError `file_parse_error`, reason `no_activity_cells` or `record_too_large`
 */
export async function* cellsOf(file: ImportFile, signal: AbortSignal): AsyncGenerator<readonly string[]> {
  let pieces: string[] = [];
  let length = 0;
  // May be the beginning of a mark. Only this and the new text are searched: a long cell arrives in many pieces.
  let tail = '';
  let hasBegun = false;
  let record = 0;
  for await (const text of decodeText(file, { signal })) {
    const parts = (tail + text).split(CELL);
    const last = parts.pop() ?? '';
    const cells: string[] = [];
    for (const part of parts) {
      if (hasBegun) cells.push(pieces.join('') + part);
      hasBegun = true;
      pieces = [];
      length = 0;
    }
    tail = last.slice(1 - CELL.length);
    if (hasBegun) pieces.push(last.slice(0, last.length - tail.length));
    length += last.length - tail.length;
    record += cells.length;
    if (cells.length > 0) yield cells;
    if (hasBegun && length > LONGEST_CELL) throw tooLong(file, record + 1);
  }
  if (!hasBegun) throw noCells(file);
  yield [pieces.join('') + tail];
}

function noCells(file: ImportFile): McaError {
  return new McaError({
    code: 'file_parse_error',
    reason: 'no_activity_cells',
    provider: 'youtube',
    message: `${file.name} is a web page without any activity.`,
    hint: ASK_FOR_JSON,
    position: { file: file.name },
  });
}

function tooLong(file: ImportFile, record: number): McaError {
  return new McaError({
    code: 'file_parse_error',
    reason: 'record_too_large',
    provider: 'youtube',
    message: `Cell ${record} of ${file.name} never ends.`,
    hint: ASK_FOR_JSON,
    position: { file: file.name, record },
  });
}
