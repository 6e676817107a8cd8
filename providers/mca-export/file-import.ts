import {
  csvFormat,
  type FileFormat,
  type FileImportCapability,
  fileImport,
  jsonLinesFormat,
  readCsvHeader,
} from '@mca/core/provider-kit';
import { z } from 'zod';
import { parseItem } from './schemas.ts';

type NoOptions = Record<never, never>;

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

const jsonl: FileFormat<NoOptions> = jsonLinesFormat<NoOptions>({
  id: 'jsonl',
  name: 'JSON Lines export',
  precision: 'second',
  rank: 2,
  names: /\.(jsonl|ndjson)$/i,
  recognise: ({ text }) => (text.startsWith('{"platform":"') && text.includes('"externalId":"') ? 1 : 0),
  record: (value, context) => parseItem(value, context.now()),
});

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
