import type { SyncProgressEvent, SyncReport, TimelineEntry } from '@mca/core';

const number = new Intl.NumberFormat('en-US');
const BAR_CELLS = 32;

/** A progress bar; silent when nobody watches. */
export function progressBar(name: string): { show(event: SyncProgressEvent): void; clear(): void } {
  const { stdout } = process;
  if (!stdout.isTTY) return { show() {}, clear() {} };
  const startedAt = performance.now();
  let most = 0;
  return {
    show({ counts: { read }, pages, total = 0 }) {
      // Between old pages the sync looks for new ones, of which there are few: the most ever said is what is to come.
      most = Math.max(most, total);
      // And it begins with them, when nothing is known of the past yet.
      if (pages === 1) return;
      const share = most > 0 ? Math.min(1, read / most) : 0;
      const bar = '█'.repeat(Math.round(share * BAR_CELLS)).padEnd(BAR_CELLS, '░');
      const rate = Math.round((read / (performance.now() - startedAt)) * 1_000);
      stdout.write(
        `\r\x1b[K${name} ${bar} ${number.format(read)} plays · page ${pages} · ${number.format(rate)} plays/s`,
      );
    },
    clear: () => void stdout.write('\r\x1b[K'),
  };
}

/** The account of a sync in two lines, and what to do about it. */
export function drawReport({ status, reason, counts, pages, durationMs, error, notBefore }: SyncReport): void {
  const fields = ['read', 'inserted', 'updated', 'unchanged', 'skipped', 'rejected'] as const;
  const cells = ['status', 'pages', ...fields, 'time'];
  const values = [
    status,
    number.format(pages),
    ...fields.map((field) => number.format(counts[field])),
    `${(durationMs / 1_000).toFixed(1)} s`,
  ];
  const widths = cells.map((cell, index) => Math.max(cell.length, values[index]?.length ?? 0));
  const line = (row: readonly string[]): string =>
    row.map((cell, index) => cell.padStart(widths[index] ?? 0)).join('  ');
  console.log(`${line(cells)}\n${widths.map((width) => '─'.repeat(width)).join('──')}\n${line(values)}`);
  const mustConnect = reason === 'not_connected' || reason === 'needs_reauth' || error?.code === 'auth_expired';
  if (reason) console.log(`  skipped: ${reason}`);
  if (error) console.log(`  ${error.code}${error.reason ? ` ${error.reason}` : ''}: ${error.message}`);
  if (mustConnect) console.log('  Connect (again) with: host.ts connect');
  if (notBefore) console.log(`  Not before ${notBefore.toISOString()}`);
  console.log();
}

/** One bar a year. */
export function drawYears(years: readonly TimelineEntry[]): void {
  const most = Math.max(...years.map(({ items }) => items));
  for (const { date, items } of years) {
    const bar = '█'.repeat(Math.max(1, Math.round((items / most) * BAR_CELLS))).padEnd(BAR_CELLS);
    console.log(`  ${date.slice(0, 4)}  ${bar} ${number.format(items).padStart(6)} plays`);
  }
  if (years.length > 0) console.log();
}
