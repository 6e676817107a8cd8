import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Cursor } from '../contracts/cursor.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';

const mine = { provider: 'lastfm', capability: 'history' };
const cursor = encodeCursor({
  ...mine,
  issuedAt: 1_700_000_000_000,
  highWater: 1_699_999_999_000,
  opaque: 'page=3&ü=🎧',
});
const refused = expect.objectContaining({ code: 'invalid_data', reason: 'cursor_invalid' });

test('what goes in comes out', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
      fc.option(fc.integer(), { nil: undefined }),
      (opaque, highWater) => {
        const decoded = decodeCursor(
          encodeCursor({ ...mine, issuedAt: 1, opaque, ...(highWater === undefined ? {} : { highWater }) }),
          mine,
        );
        expect(decoded).toMatchObject({ v: 1, ...mine, issuedAt: 1, opaque });
        expect(decoded.highWater).toBe(highWater);
      },
    ),
  );
});

test('foreign, damaged and future cursors are refused, never misread', () => {
  expect(() => decodeCursor(cursor, { ...mine, provider: 'spotify' })).toThrow(refused);
  expect(() => decodeCursor(cursor, { ...mine, capability: 'library' })).toThrow(refused);
  const future = btoa(JSON.stringify({ v: 2, ...mine, issuedAt: 1, opaque: '' }));
  for (const text of ['', 'x', future, cursor.slice(0, -5), `${cursor}AAAA`, btoa('[]'), btoa('null')])
    expect(() => decodeCursor(text as Cursor, mine)).toThrow(refused);
});

test('every flipped character gives an error or an envelope of ours', () => {
  for (let index = 0; index < cursor.length; index += 1) {
    const flipped = `${cursor.slice(0, index)}${cursor[index] === 'A' ? 'B' : 'A'}${cursor.slice(index + 1)}` as Cursor;
    try {
      expect(decodeCursor(flipped, mine)).toMatchObject(mine);
    } catch (error) {
      expect(error).toEqual(refused);
    }
  }
});
