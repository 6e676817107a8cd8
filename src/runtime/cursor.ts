import type { Cursor, CursorEnvelope } from '../contracts/cursor.ts';
import { McaError } from '../contracts/errors.ts';
import { fromBase64, toBase64Url, utf8 } from './encoding.ts';

const VERSION = 1;

/** Wraps a provider's position. */
export function encodeCursor(envelope: Omit<CursorEnvelope, 'v'>): Cursor {
  return sealEnvelope(JSON.stringify({ v: VERSION, ...envelope }));
}

/**
 * An envelope with a sum over it: a bit that turns over in a database or a backup could make another number of a time,
 * and then a walk would pass over what lies in between.
 */
export function sealEnvelope(json: string): Cursor {
  return toBase64Url(utf8(`${json.slice(0, -1)},"sum":"${sumOf(json)}"}`)) as Cursor;
}

const SUM = /,"sum":"([0-9a-f]{8})"\}$/;

/** The envelope without its sum, or `undefined` when they do not belong together. */
function openEnvelope(cursor: string): unknown {
  const text = textOf(cursor);
  const [end = '', sum] = SUM.exec(text ?? '') ?? [];
  if (text === undefined || sum === undefined) return undefined;
  const json = `${text.slice(0, -end.length)}}`;
  return sumOf(json) === sum ? parseJson(json) : undefined;
}

/** FNV-1a over code units, 8 hex digits. Against accidents; whoever can write cursors can write items as well. */
function sumOf(text: string): string {
  let sum = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193);
  return (sum >>> 0).toString(16).padStart(8, '0');
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
  const value = openEnvelope(cursor);
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
  const json = textOf(text);
  return json === undefined ? undefined : parseJson(json);
}

// Whatever is wrong with it, it is not one of ours; callers answer with their own typed error.

function textOf(base64Url: string): string | undefined {
  try {
    const bytes = fromBase64(base64Url.replaceAll('-', '+').replaceAll('_', '/'));
    return bytes && new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
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
