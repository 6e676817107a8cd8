import type { Cursor } from '@mca/core';
import { sealEnvelope } from '../../src/runtime/cursor.ts';

/** What a cursor holds, its sum left out. */
export function envelopeOf(cursor: string): Readonly<Record<string, unknown>> {
  const { sum: _sum, ...envelope } = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as Record<string, unknown>;
  return envelope;
}

/** The cursor with something else in it, and a sum that fits. */
export function changedCursor(cursor: string, change: object): Cursor {
  return sealEnvelope(JSON.stringify({ ...envelopeOf(cursor), ...change }));
}
