import type { StoredItem } from '../contracts/media-item.ts';
import { checkOneOf } from '../registry/check-one-of.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { iterateItems } from './query-items.ts';
import type { ReadFilter } from './read-filter.ts';

/** What to export, and how. */
export interface ExportOptions extends ReadFilter {
  /** JSON Lines (one item a line), or CSV for spreadsheets. */
  readonly format: 'jsonl' | 'csv';
  /** @default 'all', so that importing the export gives the same set */
  readonly resolve?: 'finest' | 'all' | undefined;
}

/** Columns of the CSV, in order; also the keys of a JSON line. */
const EXPORT_COLUMNS = [
  'platform',
  'externalId',
  'type',
  'subtype',
  'action',
  'title',
  'creator',
  'consumedAt',
  'durationMs',
  'timeSpentMs',
  'tags',
  'url',
  'contentId',
  'ids',
  'rating',
  'source',
  'precision',
  'account',
  'rawMetadata',
] as const satisfies readonly (keyof StoredItem)[];

const LINES_PER_CHUNK = 500;

/**
 * Writes a user's history out as text, oldest first, in constant memory. The provider `mca-export` imports it again.
 *
 * CSV cells that a spreadsheet would take for a formula are preceded by an apostrophe.
 *
 * @example
 * ```ts
 * await writeFile('history.jsonl', exportItems(registry, { userId: 'ana', format: 'jsonl' }));
 * ```
 */
export async function* exportItems(
  registry: AnyRegistry,
  options: ExportOptions,
): AsyncGenerator<string, void, undefined> {
  const { format, ...filter } = options;
  checkOneOf(format, ['jsonl', 'csv'], 'format');
  const line = format === 'csv' ? csvLine : jsonLine;
  let lines = format === 'csv' ? [`${EXPORT_COLUMNS.join(',')}\r\n`] : [];
  for await (const item of iterateItems(registry, { ...filter, resolve: filter.resolve ?? 'all', order: 'oldest' })) {
    lines.push(line(item));
    if (lines.length < LINES_PER_CHUNK) continue;
    yield lines.join('');
    lines = [];
  }
  if (lines.length > 0) yield lines.join('');
}

function jsonLine(item: StoredItem): string {
  return `${JSON.stringify(Object.fromEntries(EXPORT_COLUMNS.map((column) => [column, item[column]])))}\n`;
}

function csvLine(item: StoredItem): string {
  return `${EXPORT_COLUMNS.map((column) => csvCell(item[column])).join(',')}\r\n`;
}

/** What spreadsheets take for the start of a formula, and the apostrophe that guards against it. */
const GUARDED = /^[=+\-@\t\r\0']/;

function csvCell(value: StoredItem[(typeof EXPORT_COLUMNS)[number]]): string {
  if (value === undefined) return '';
  const text =
    value instanceof Date ? value.toISOString() : typeof value === 'object' ? JSON.stringify(value) : String(value);
  const guarded = GUARDED.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}
