import type { Cursor, CursorEnvelope } from '../contracts/cursor.ts';
import { McaError } from '../contracts/errors.ts';
import { fromBase64, toBase64Url, utf8 } from './encoding.ts';

const VERSION = 1;

/** Wraps a provider's position. */
export function encodeCursor(envelope: Omit<CursorEnvelope, 'v'>): Cursor {
  return toBase64Url(utf8(JSON.stringify({ v: VERSION, ...envelope }))) as Cursor;
}

/**
 * Unwraps a cursor of this provider and capability.
 *
 * @throws McaError `invalid_data` with reason `cursor_invalid` when it is damaged, foreign or from a newer version
 */
export function decodeCursor(
  cursor: Cursor,
  expected: { readonly provider: string; readonly capability: string },
): CursorEnvelope {
  const envelope = parseEnvelope(cursor);
  if (!envelope || envelope.v !== VERSION) throw invalid('it is damaged or from a newer version');
  if (envelope.provider !== expected.provider || envelope.capability !== expected.capability) {
    throw invalid(`it belongs to ${envelope.provider} ${envelope.capability}`);
  }
  return envelope;
}

function parseEnvelope(cursor: string): CursorEnvelope | undefined {
  const value = parseBase64UrlJson(cursor);
  if (typeof value !== 'object' || value === null) return undefined;
  const { v, provider, capability, issuedAt, opaque, walk, coverage, gaps, isDone, ...times } = value as Record<
    string,
    unknown
  >;
  if (v !== VERSION || typeof provider !== 'string' || typeof capability !== 'string') return undefined;
  if (typeof issuedAt !== 'number' || typeof opaque !== 'string') return undefined;
  const { highWater, floor, backfillUntil, deepAt } = times;
  if (
    ![highWater, floor, backfillUntil, deepAt].every(isTime) ||
    !isWalk(walk) ||
    !isCoverage(coverage) ||
    !isGaps(gaps)
  )
    return undefined;
  const known = {
    highWater,
    floor,
    backfillUntil,
    deepAt,
    walk,
    coverage,
    gaps,
    ...(isDone === true && { isDone }),
  } as Partial<CursorEnvelope>;
  return { v, provider, capability, issuedAt, ...withoutAbsent(known), opaque };
}

function isTime(value: unknown): boolean {
  return value === undefined || (typeof value === 'number' && Number.isFinite(value));
}

function isWalk(value: unknown): boolean {
  if (value === undefined) return true;
  if (typeof value !== 'object' || value === null) return false;
  const { startedAt, since, until, seen } = value as Record<string, unknown>;
  return typeof startedAt === 'number' && [since, until, seen].every(isTime);
}

function isCoverage(value: unknown): boolean {
  if (value === undefined) return true;
  return (
    Array.isArray(value) &&
    value.every(
      (stretch: unknown) =>
        Array.isArray(stretch) &&
        typeof stretch[0] === 'string' &&
        (stretch[1] === null || typeof stretch[1] === 'string') &&
        typeof stretch[2] === 'number' &&
        typeof stretch[3] === 'number',
    )
  );
}

function isGaps(value: unknown): boolean {
  if (value === undefined) return true;
  return (
    Array.isArray(value) &&
    value.every((gap: unknown) => Array.isArray(gap) && typeof gap[0] === 'number' && typeof gap[1] === 'number')
  );
}

function withoutAbsent(fields: Partial<CursorEnvelope>): Partial<CursorEnvelope> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The JSON value inside base64url text, or `undefined` when there is none. */
export function parseBase64UrlJson(text: string): unknown {
  try {
    const bytes = fromBase64(text.replaceAll('-', '+').replaceAll('_', '/'));
    return bytes && JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // Whatever is wrong with it, it is not one of ours; callers answer with their own typed error.
    return undefined;
  }
}

function invalid(why: string): McaError {
  return new McaError({
    code: 'invalid_data',
    reason: 'cursor_invalid',
    message: `The cursor cannot be used: ${why}.`,
    hint: 'Start again without a cursor.',
  });
}
