import { foldText, type ItemFilter, type ItemRow, isHidden } from '@mca/core/adapter-kit';
import { type State, sortedRows } from './state.ts';

/** Items that a filter lets through, in reading order `oldest`. */
export function filterRows(state: State, filter: ItemFilter): readonly ItemRow[] {
  const rows = sortedRows(state, filter.userId);
  const from = filter.from?.getTime() ?? Number.NEGATIVE_INFINITY;
  const to = filter.to?.getTime() ?? Number.POSITIVE_INFINITY;
  const needle = filter.text === undefined ? undefined : foldText(filter.text);
  return rows.filter(
    (row) =>
      row.consumedAt >= from &&
      row.consumedAt < to &&
      isOneOf(row.platform, filter.platforms) &&
      isOneOf(row.type, filter.types) &&
      isOneOf(row.action, filter.actions) &&
      (filter.tag === undefined || (row.tags !== null && (JSON.parse(row.tags) as string[]).includes(filter.tag))) &&
      (needle === undefined || isTextMatch(row, needle)) &&
      (filter.minTimeSpentMs === undefined || (row.timeSpentMs ?? -1) >= filter.minTimeSpentMs) &&
      (filter.connectionId === undefined || row.connectionId === filter.connectionId) &&
      (filter.importId === undefined || row.importId === filter.importId) &&
      !isHiddenRow(row, rows, filter),
  );
}

/** Index of the first row at or after a time. */
export function firstAtOrAfter(rows: readonly ItemRow[], timeMs: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rows[middle]?.consumedAt ?? 0) < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isOneOf(value: string, wanted: readonly string[] | undefined): boolean {
  return wanted === undefined || wanted.includes(value);
}

function isTextMatch(row: ItemRow, needle: string): boolean {
  return foldText(row.title).includes(needle) || (row.creator !== null && foldText(row.creator).includes(needle));
}

function isHiddenRow(row: ItemRow, rows: readonly ItemRow[], filter: ItemFilter): boolean {
  return (filter.hidden ?? []).some((range) =>
    isHidden(row, range, (coarse, { finerSources, connectionIds }, fromMs, toMs) => {
      for (let index = firstAtOrAfter(rows, fromMs); index < rows.length; index += 1) {
        const finer = rows[index];
        if (!finer || finer.consumedAt > toMs) return false;
        if (
          finer.platform === coarse.platform &&
          finer.title === coarse.title &&
          finer.action === 'consumed' &&
          finerSources.includes(finer.source) &&
          connectionIds.includes(finer.connectionId)
        ) {
          return true;
        }
      }
      return false;
    }),
  );
}
