import type { MediaItem } from '@mca/core/adapter-kit';
import type { SqlValue } from './driver.ts';
import { CONTENT_COLUMNS } from './items.ts';
import type { Session } from './session.ts';

const IN_RANGE = 'user_no = ? AND platform = ? AND external_id BETWEEN ? AND ?';
const COUNT = `SELECT count(*) AS count FROM (SELECT 1 FROM mca_items WHERE ${IN_RANGE} LIMIT ?)`;
const ROWS = `SELECT external_id, ${CONTENT_COLUMNS.join(', ')} FROM mca_items WHERE ${IN_RANGE} AND deleted = 0`;

/**
 * What is stored already of a page, by external id, when it looks as if that were most of it; else nothing.
 *
 * A repeated import meets equal rows only. Ids begin with the time, so a page of it is a range of the unique key, and
 * reading that range costs half as much as offering row after row to the upsert. Counting the range first costs next
 * to nothing, and keeps pages that are new, or scattered over a long history, from reading in vain.
 */
export function readStoredRows(
  session: Session,
  userNo: number,
  items: readonly MediaItem[],
): Map<string, readonly SqlValue[]> {
  const [first] = items;
  if (!first || items.some(({ platform }) => platform !== first.platform)) return new Map();
  let [from, to] = [first.externalId, first.externalId];
  for (const { externalId } of items) {
    if (externalId < from) from = externalId;
    if (externalId > to) to = externalId;
  }
  const range = [userNo, first.platform, from, to];
  const most = items.length * 2;
  const { count } = session.statement(COUNT).get(...range, most) as { readonly count: number };
  if (count < items.length / 2 || count === most) return new Map();
  const rows = session.arrays(ROWS).all(...range) as [string, ...SqlValue[]][];
  return new Map(rows.map((row) => [row[0], row]));
}

/** Whether a stored row, its id in front, holds this content. */
export function holds(row: readonly SqlValue[], content: readonly SqlValue[]): boolean {
  for (let index = 0; index < content.length; index += 1) if (row[index + 1] !== content[index]) return false;
  return true;
}
