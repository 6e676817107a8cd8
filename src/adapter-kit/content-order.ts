import type { UpdatePolicy } from '../contracts/storage/index.ts';
import { CONTENT_FIELDS, type ContentRow } from './item-row.ts';

/**
 * Compares texts by code point, which is the byte order of UTF-8: SQLite's `memcmp`, Postgres' `COLLATE "C"`.
 *
 * JavaScript's `<` compares UTF-16 units and puts `😀` (a surrogate pair) before `ﬁ` (U+FB01); databases do not.
 */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const unitA = a.charCodeAt(index);
    const unitB = b.charCodeAt(index);
    if (unitA !== unitB) return rankOfUnit(unitA) - rankOfUnit(unitB);
  }
  return a.length - b.length;
}

/** Moves the surrogates behind the rest of the first plane. */
function rankOfUnit(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/**
 * A total order on content: time spent first, then the other fields in the order of {@link CONTENT_FIELDS}; what is
 * absent comes before everything. Taking the greater one is commutative, associative and idempotent, which is what
 * makes the order of file imports irrelevant.
 */
export function compareForLongest(a: ContentRow, b: ContentRow): number {
  for (const field of CONTENT_FIELDS) {
    const order = compareValues(a[field], b[field]);
    if (order !== 0) return order;
  }
  return 0;
}

function compareValues(a: string | number | null, b: string | number | null): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  return typeof a === 'string' ? compareText(a, b as string) : a - (b as number);
}

/** Whether two contents are equal in every field. */
export function isSameContent(a: ContentRow, b: ContentRow): boolean {
  return CONTENT_FIELDS.every((field) => a[field] === b[field]);
}

/** Whether an incoming content takes the place of the stored one. */
export function wins(incoming: ContentRow, stored: ContentRow, policy: UpdatePolicy): boolean {
  if (policy === 'keep') return false;
  // One source may correct itself. What another source told is another telling, not an older one.
  const isCorrection = policy === 'replace' && incoming.source === stored.source;
  return isCorrection ? !isSameContent(incoming, stored) : compareForLongest(incoming, stored) > 0;
}
