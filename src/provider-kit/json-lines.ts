import type { ImportBatch } from '../contracts/capabilities/file-import.ts';
import { McaError } from '../contracts/errors.ts';
import type { ImportFile } from '../contracts/import-file.ts';
import { closing, type FileFormat, type FormatContext } from './format.ts';
import { type RecordResult, reject } from './record-result.ts';
import type { Tally } from './tally.ts';
import { decodeText } from './text.ts';

/** A format of one JSON value a line. */
export interface JsonLinesFormatDefinition<Options> extends Omit<FileFormat<Options>, 'read'> {
  /** What becomes of one line; its value may be anything. */
  record(value: unknown, context: FormatContext<Options>): RecordResult;
}

const RECORDS_PER_BATCH = 1_000;
/** Characters. */
const MOST_LINE = 1_048_576;

/**
 * A format made of JSON Lines (one JSON value a line), read line by line in constant memory. A line that is not JSON is
 * rejected as `malformed_json`; one of more than a MiB of characters ends the file with `record_too_large`. Empty lines
 * are no records.
 *
 * @example
 * ```ts
 * const plays = jsonLinesFormat<Options>({
 *   id: 'plays', name: 'Plays', precision: 'second', rank: 1,
 *   names: /\.jsonl$/i,
 *   recognise: ({ text }) => (text.includes('"playedAt"') ? 0.9 : 0),
 *   record: (value) => (isPlay(value) ? toItem(value) : reject('no_play', 'the line tells of no play')),
 * });
 * ```
 */
export function jsonLinesFormat<Options>(definition: JsonLinesFormatDefinition<Options>): FileFormat<Options> {
  const { record: normalise, ...basics } = definition;
  async function* read(file: ImportFile, context: FormatContext<Options>, tally: Tally): AsyncGenerator<ImportBatch> {
    let rest = '';
    let record = 0;
    for await (const text of decodeText(file, { signal: context.signal })) {
      // Only the new text is searched: a long line arrives in many pieces.
      const lines = text.split('\n');
      lines[0] = rest + (lines[0] ?? '');
      rest = lines.pop() ?? '';
      if (rest.length > MOST_LINE) throw lineTooLong(file, record + lines.length + 1);
      for (const line of lines) {
        record += 1;
        if (line.length > MOST_LINE) throw lineTooLong(file, record);
        if (line.trim() !== '') tally.add(resultOf(line, context), { record, line: record });
        if (record % RECORDS_PER_BATCH === 0) yield tally.take();
      }
    }
    if (rest.trim() !== '') tally.add(resultOf(rest, context), { record: record + 1, line: record + 1 });
  }
  function resultOf(line: string, context: FormatContext<Options>): RecordResult {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return reject('malformed_json', 'the line is not valid JSON');
    }
    return normalise(value, context);
  }
  return { ...basics, read: (file, context) => closing(definition.id, file, context, read) };
}

function lineTooLong(file: ImportFile, line: number): McaError {
  return new McaError({
    code: 'file_parse_error',
    reason: 'record_too_large',
    message: `Line ${line} of ${file.name} is longer than ${MOST_LINE} characters.`,
    hint: 'Hand in the file as it was exported.',
    position: { file: file.name, line, record: line },
  });
}
