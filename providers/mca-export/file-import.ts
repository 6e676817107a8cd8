import {
  closing,
  csvFormat,
  decodeText,
  type FileFormat,
  type FileImportCapability,
  type FormatContext,
  fileImport,
  type ImportBatch,
  type ImportFile,
  McaError,
  type RecordResult,
  readCsvHeader,
  reject,
  type Tally,
} from '@mca/core/provider-kit';
import { z } from 'zod';
import { parseItem } from './schemas.ts';

type NoOptions = Record<never, never>;
const RECORDS_PER_BATCH = 1_000;

const csv: FileFormat<NoOptions> = csvFormat<NoOptions, readonly string[]>({
  id: 'csv',
  name: 'CSV export',
  precision: 'second',
  rank: 1,
  names: /\.csv$/i,
  recognise: ({ text }) => (text.startsWith('platform,externalId,type,') ? 1 : 0),
  prepare: async (file) => (await readCsvHeader(file)).columns,
  record: (row, context, columns) =>
    parseItem(
      Object.fromEntries(columns.map((name, index) => [name, cellValue(name, row[index] ?? '')])),
      context.now(),
    ),
});

const jsonl: FileFormat<NoOptions> = {
  id: 'jsonl',
  name: 'JSON Lines export',
  precision: 'second',
  rank: 2,
  names: /\.(jsonl|ndjson)$/i,
  recognise: ({ text }) => (text.startsWith('{"platform":"') && text.includes('"externalId":"') ? 1 : 0),
  read: (file, context) => closing('jsonl', file, context, readLines),
};

/** The importer for what `exportItems` writes. */
export function mcaExportFileImport(): FileImportCapability<NoOptions, NoOptions> {
  const capability = fileImport(
    {
      provider: 'mca-export',
      accept: ['.jsonl', '.csv'],
      formats: [jsonl, csv],
      hint: 'Hand in a file that exportItems wrote.',
    },
    z.strictObject({}),
  );
  return { ...capability, anyPlatform: true };
}

async function* readLines(
  file: ImportFile,
  context: FormatContext<NoOptions>,
  tally: Tally,
): AsyncGenerator<ImportBatch> {
  const now = context.now();
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
      if (line.trim() !== '') tally.add(parseLine(line, now), { record, line: record });
      if (record % RECORDS_PER_BATCH === 0) yield tally.take();
    }
  }
  if (rest.trim() !== '') tally.add(parseLine(rest, now), { record: record + 1, line: record + 1 });
}

const MOST_LINE = 1024 * 1024;

function lineTooLong(file: ImportFile, line: number): McaError {
  return new McaError({
    code: 'file_parse_error',
    reason: 'record_too_large',
    message: `Line ${line} of ${file.name} is longer than ${MOST_LINE} characters.`,
    hint: 'Hand in a file that exportItems wrote.',
    position: { file: file.name, line, record: line },
  });
}

function parseLine(line: string, now: number): RecordResult {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return reject('malformed_json', 'the line is not valid JSON');
  }
  return parseItem(value, now);
}

const NUMBERS = new Set(['durationMs', 'timeSpentMs', 'rating']);
const JSON_CELLS = new Set(['tags', 'ids', 'rawMetadata']);

/** Undoes what the export did to a cell; an empty one means the field is absent. */
function cellValue(column: string, cell: string): unknown {
  if (cell === '') return undefined;
  const text = cell.startsWith("'") ? cell.slice(1) : cell;
  if (NUMBERS.has(column)) return Number(text);
  if (!JSON_CELLS.has(column)) return text;
  try {
    return JSON.parse(text);
  } catch {
    // Left as text, the schema refuses it and names the column.
    return text;
  }
}
