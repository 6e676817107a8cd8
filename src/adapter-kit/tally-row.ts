import type { GroupTally, Tally } from '../contracts/storage/index.ts';

/** Sums over a group of items as a query answers them: times as epoch milliseconds. */
export interface GroupRow extends Tally {
  readonly value: string;
  /** Empty unless grouped by title, and where the items have none. */
  readonly creatorOrEmpty: string;
  readonly firstAt: number;
  readonly lastAt: number;
}

/** The group of a row. */
export function decodeGroup({ value, creatorOrEmpty, items, timeSpentMs, firstAt, lastAt }: GroupRow): GroupTally {
  return {
    value,
    ...(creatorOrEmpty !== '' && { creator: creatorOrEmpty }),
    items,
    timeSpentMs,
    firstAt: new Date(firstAt),
    lastAt: new Date(lastAt),
  };
}

/** Sums over all items of a filter as a query answers them: without items there is no first and no last. */
export interface SummaryRow extends Tally {
  readonly firstAt: number | null;
  readonly lastAt: number | null;
}

/** The summary of a row. */
export function decodeSummary({ items, timeSpentMs, firstAt, lastAt }: SummaryRow): Tally & {
  readonly firstAt?: Date;
  readonly lastAt?: Date;
} {
  if (firstAt === null || lastAt === null) return { items, timeSpentMs };
  return { items, timeSpentMs, firstAt: new Date(firstAt), lastAt: new Date(lastAt) };
}
