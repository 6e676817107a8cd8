import { basename } from 'node:path';
import type { GroupTally, ImportProgressEvent, ImportReport, McaError, Summary, TimelineEntry } from '@mca/core';

/** One export and what became of it. */
export interface Outcome {
  readonly file: string;
  readonly report?: ImportReport;
  readonly error?: McaError;
}

const number = new Intl.NumberFormat('en-US');
const HOUR_MS = 3_600_000;
const BAR_CELLS = 28;

/** A progress bar with rate and remaining time; silent when nobody watches. */
export function progressBar(file: string): { show(event: ImportProgressEvent): void; clear(): void } {
  const { stdout } = process;
  if (!stdout.isTTY) return { show() {}, clear() {} };
  return {
    show({ bytesRead, bytesTotal, counts, recordsPerSecond, remainingMs }) {
      const share = bytesTotal ? bytesRead / bytesTotal : 0;
      const bar = '█'.repeat(Math.round(share * BAR_CELLS)).padEnd(BAR_CELLS, '░');
      const rest = remainingMs === undefined ? '' : ` · ${Math.ceil(remainingMs / 1000)} s left`;
      const rate = `${number.format(counts.read)} records · ${number.format(recordsPerSecond)}/s${rest}`;
      stdout.write(`\r\x1b[K${basename(file).slice(0, 32).padEnd(32)} ${bar} ${rate}`);
    },
    clear: () => void stdout.write('\r\x1b[K'),
  };
}

/** The account of every record, as a table, and what went wrong below it. */
export function drawReports(outcomes: readonly Outcome[]): void {
  const fields = ['read', 'inserted', 'updated', 'unchanged', 'skipped', 'rejected'] as const;
  const rows = outcomes.map(({ file, report }) => [
    basename(file),
    ...fields.map((field) => (report ? number.format(report.counts[field]) : '–')),
  ]);
  const totals = fields.map((field) => outcomes.reduce((sum, { report }) => sum + (report?.counts[field] ?? 0), 0));
  drawTable([['export', ...fields], ...rows, ['total', ...totals.map((total) => number.format(total))]]);
  for (const { file, report, error } of outcomes) {
    if (report)
      for (const [reason, count] of Object.entries(report.skipped))
        note(file, `${number.format(count)} skipped: ${reason}`);
    if (report) for (const warning of report.warnings) note(file, warning);
    const problem = error ?? report?.error;
    for (const each of report?.files ?? []) if (each.error) note(each.name, each.error.message);
    const flag =
      problem?.reason === 'ambiguous_date' ? 'Run again with --netflix-dates DMY, MDY or YMD.' : problem?.hint;
    if (problem) note(file, [problem.message, flag].filter(Boolean).join(' '));
  }
  console.log();
}

function note(file: string, text: string): void {
  const name = basename(file);
  console.log(`  ${text.startsWith(name) ? '' : `${name}: `}${text}`);
}

function drawTable(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const rule = widths.map((width) => '─'.repeat(width)).join('──');
  rows.forEach((row, index) => {
    if (index === 1 || index === rows.length - 1) console.log(rule);
    console.log(
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  '),
    );
  });
}

const LEVELS = ['·', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** What the lines of {@link drawHistory} do not show. */
interface Left {
  /** Rows that a finer export tells better. */
  readonly toldBetter: number;
  /** Items of which nobody knows when they were. */
  readonly undated: number;
}

/** One line a year that has items, one bar a month. */
export function drawHistory(
  { items, timeSpentMs, firstAt, lastAt }: Summary,
  { toldBetter, undated }: Left,
  months: readonly TimelineEntry[],
): void {
  if (items === 0) {
    console.log('No history yet.');
    return;
  }
  const [first, last] = [firstAt, lastAt].map((date) => date?.toISOString().slice(0, 10));
  const span = first === undefined ? '' : `, ${first} to ${last}`;
  console.log(`Your history: ${number.format(items)} items, ${hours(timeSpentMs)}${span}`);
  if (toldBetter > 0)
    console.log(
      `(${number.format(toldBetter)} more rows tell the same plays less exactly; they are kept, and left out here)`,
    );
  if (undated > 0)
    console.log(`(${number.format(undated)} of them have no date, or one before 1970: not in the chart)`);
  console.log();
  console.log('      J  F  M  A  M  J  J  A  S  O  N  D');
  const most = Math.max(...months.map((month) => month.items));
  for (const [year, entries] of Map.groupBy(months, ({ date }) => date.slice(0, 4))) {
    const bars = Array.from({ length: 12 }, (_, index) => {
      const month = entries.find(({ date }) => Number(date.slice(5, 7)) === index + 1);
      return (LEVELS[month ? Math.ceil((month.items / most) * 8) : 0] ?? '').repeat(2);
    });
    const sum = entries.reduce((total, entry) => total + entry.items, 0);
    if (sum > 0) console.log(`${year}  ${bars.join(' ')}  ${number.format(sum).padStart(7)} items`);
  }
  console.log();
}

/** A top list with bars. */
export function drawTop(title: string, groups: readonly GroupTally[]): void {
  const known = groups.filter(({ value }) => value !== '');
  if (known.length === 0) return;
  const most = Math.max(...known.map(({ items }) => items));
  console.log(title);
  for (const { value, creator, items, timeSpentMs } of known) {
    const label = creator ? `${value} – ${creator}` : value;
    const bar = '█'.repeat(Math.max(1, Math.round((items / most) * 16))).padEnd(16);
    console.log(
      `  ${label.slice(0, 38).padEnd(38)} ${bar} ${number.format(items).padStart(6)}${timeSpentMs > 0 ? `  ${hours(timeSpentMs)}` : ''}`,
    );
  }
  console.log();
}

function hours(milliseconds: number): string {
  if (milliseconds < HOUR_MS) return `${Math.round(milliseconds / 60_000)} min`;
  return `${number.format(Math.round(milliseconds / HOUR_MS))} h`;
}
