import {
  type Change,
  compareKeysets,
  compareText,
  decodeItem,
  type GroupField,
  type GroupTally,
  type ItemRow,
  type ReadVerbs,
  type Tally,
  type TimeBucket,
} from '@mca/core/adapter-kit';
import { filterRows, firstAtOrAfter } from './filtering.ts';
import { BLANK, entryKey, type State } from './state.ts';

/** Reading, aggregates, the change feed and deleting one item. */
export function readVerbs(state: State): ReadVerbs {
  return {
    async queryItems({ order, limit, after, ...filter }) {
      const direction = order === 'oldest' ? 1 : -1;
      const rows = filterRows(state, filter);
      const following = after ? rows.filter((row) => compareKeysets(row, after) * direction > 0) : rows;
      const page = direction === 1 ? following.slice(0, limit) : following.toReversed().slice(0, limit);
      return page.map(decodeItem);
    },
    async timeline(filter, buckets) {
      const rows = filterRows(state, filter);
      return buckets.map((bucket) => tally(rowsOfBucket(rows, bucket)));
    },
    async groups(filter, { by, orderBy, limit }) {
      return groupRows(filterRows(state, filter), by)
        .sort(
          (a, b) =>
            (orderBy === 'items' ? b.items - a.items : b.timeSpentMs - a.timeSpentMs) ||
            compareText(a.value, b.value) ||
            compareText(a.creator ?? '', b.creator ?? ''),
        )
        .slice(0, limit);
    },
    async summary(filter) {
      const rows = filterRows(state, filter);
      const [first, last] = [rows[0], rows.at(-1)];
      if (!first || !last) return { items: 0, timeSpentMs: 0 };
      return { ...tally(rows), firstAt: new Date(first.consumedAt), lastAt: new Date(last.consumedAt) };
    },
    async changes({ after, limit, userId }) {
      const changes: Change[] = [];
      for (const [user, entries] of state.items) {
        if (userId !== undefined && user !== userId) continue;
        for (const { row, deleted } of entries.values()) {
          if (row.sequence <= after) continue;
          const { sequence, platform, externalId } = row;
          if (deleted) changes.push({ type: 'removed', sequence, key: { userId: user, platform, externalId } });
          else changes.push({ type: 'stored', sequence, item: decodeItem(row) });
        }
      }
      for (const { sequence, key } of state.removals) {
        if (sequence > after && (userId === undefined || key.userId === userId)) {
          changes.push({ type: 'removed', sequence, key });
        }
      }
      return changes.sort((a, b) => a.sequence - b.sequence).slice(0, limit);
    },
    async deleteItem(key) {
      const entry = state.items.get(key.userId)?.get(entryKey(key));
      if (!entry || entry.deleted) return false;
      state.sequence += 1;
      entry.row = { ...entry.row, ...BLANK, sequence: state.sequence };
      entry.deleted = true;
      state.sorted.delete(key.userId);
      return true;
    },
  };
}

function rowsOfBucket(rows: readonly ItemRow[], bucket: TimeBucket): readonly ItemRow[] {
  const start = firstAtOrAfter(rows, Math.min(bucket.from, bucket.dayFrom));
  const end = firstAtOrAfter(rows, Math.max(bucket.to, bucket.dayTo));
  return rows
    .slice(start, end)
    .filter(({ precision, consumedAt }) =>
      precision === 'day'
        ? consumedAt >= bucket.dayFrom && consumedAt < bucket.dayTo
        : consumedAt >= bucket.from && consumedAt < bucket.to,
    );
}

function tally(rows: readonly ItemRow[]): Tally {
  return { items: rows.length, timeSpentMs: rows.reduce((sum, row) => sum + (row.timeSpentMs ?? 0), 0) };
}

function groupRows(rows: readonly ItemRow[], by: GroupField): GroupTally[] {
  const groups = new Map<string, ItemRow[]>();
  for (const row of rows) {
    const key = by === 'title' ? `${row.title}\u0000${row.creator ?? ''}` : (row[by] ?? '');
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return [...groups.values()].flatMap((group) => {
    // Rows come oldest first.
    const [first, last] = [group[0], group.at(-1)];
    if (!first || !last) return [];
    return {
      value: first[by] ?? '',
      ...(by === 'title' && first.creator && { creator: first.creator }),
      ...tally(group),
      firstAt: new Date(first.consumedAt),
      lastAt: new Date(last.consumedAt),
    };
  });
}
