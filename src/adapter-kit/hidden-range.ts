import type { HiddenRange } from '../contracts/storage/index.ts';
import type { ItemRow } from './item-row.ts';

/**
 * Whether a range leaves out an item.
 *
 * `isToldByFinerSource` is asked only at the edges: is there a consumed item of the same user, platform and title, of one of
 * `finerSources` and `connectionIds`, with `fromMs <= consumedAt <= toMs`?
 */
export function isHidden(
  row: ItemRow,
  range: HiddenRange,
  isToldByFinerSource: (row: ItemRow, range: HiddenRange, fromMs: number, toMs: number) => boolean,
): boolean {
  if (row.action !== 'consumed' || row.platform !== range.platform || row.source !== range.source) return false;
  if (!range.connectionIds.includes(row.connectionId)) return false;
  if (range.account !== undefined && row.account !== null && row.account !== range.account) return false;
  const at = row.consumedAt;
  if (range.from <= at && at <= range.to) return true;
  if (!range.edges.some((edge) => edge.from <= at && at <= edge.to)) return false;
  return isToldByFinerSource(row, range, at - range.reachBeforeMs, at + range.reachAfterMs);
}
