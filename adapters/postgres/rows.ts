import type { PostgresResult } from './driver.ts';
import { unescapeText } from './safe-text.ts';

/**
 * Names under which our statements answer numbers. Whatever a driver makes of them (text, `bigint`), they become numbers
 * here: which types a driver parses how is often set for a whole process.
 */
const NUMBERS: ReadonlySet<string> = new Set([
  'attempts',
  'authorizationExpiresAt',
  'authorizedAt',
  'blocked',
  'bucket',
  'connectionNo',
  'consumedAt',
  'createdAt',
  'dropped',
  'due',
  'dueAt',
  'durationMs',
  'expiresAt',
  'failures',
  'fence',
  'finishedAt',
  'firstAt',
  'horizon',
  'importNo',
  'inserted',
  'isDeleted',
  'isHeld',
  'isRemoved',
  'items',
  'lastAt',
  'lastSyncAt',
  'number',
  'oldestDueAt',
  'pages',
  'parkedAt',
  'parkedNo',
  'rating',
  'read',
  'removed',
  'running',
  'sequence',
  'startedAt',
  'timeSpentMs',
  'unchanged',
  'updated',
  'userNo',
  'version',
  'written',
]);

/** Rows of a result: numbers are numbers, texts are as they were handed in. */
export function decodeRows<Row>({ rows }: PostgresResult): readonly Row[] {
  const [first] = rows as readonly Record<string, unknown>[];
  if (!first) return [];
  const names = Object.keys(first);
  const numeric = names.filter((name) => NUMBERS.has(name));
  const others = names.filter((name) => !NUMBERS.has(name));
  return (rows as readonly Record<string, unknown>[]).map((row) => {
    const decoded: Record<string, unknown> = {};
    for (const name of numeric) decoded[name] = row[name] === null ? null : Number(row[name]);
    for (const name of others) {
      const value = row[name];
      decoded[name] = typeof value === 'string' ? unescapeText(value) : value;
    }
    return decoded as Row;
  });
}
