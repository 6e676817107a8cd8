import type { Change } from '../contracts/storage/index.ts';
import { decodeItem, type ItemRow } from './item-row.ts';

/** An entry of the change feed as a query answers it: an item, or the key of one that is gone and nothing else. */
export interface ChangeRow extends ItemRow {
  /** 0 or 1. */
  readonly isRemoved: number;
}

/** The change of a row. */
export function decodeChange(row: ChangeRow): Change {
  const { sequence, userId, platform, externalId } = row;
  if (row.isRemoved === 1) return { type: 'removed', sequence, key: { userId, platform, externalId } };
  return { type: 'stored', sequence, item: decodeItem(row) };
}
