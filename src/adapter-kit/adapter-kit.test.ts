import {
  type ContentRow,
  compareForLongest,
  compareKeysets,
  compareText,
  decodeItem,
  encodeItem,
  foldText,
  isSameContent,
  type MediaItem,
  wins,
} from '@mca/core/adapter-kit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const text = fc.string({ unit: 'binary', maxLength: 6 });
const perhaps = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined, freq: 2 });

const items: fc.Arbitrary<MediaItem> = fc.record({
  platform: fc.constant('spotify'),
  externalId: fc.constant('1'),
  type: fc.constantFrom('music' as const, 'video' as const),
  subtype: perhaps(fc.constantFrom('', 'live')),
  action: fc.constant('consumed' as const),
  title: fc.constantFrom('a', 'ﬁ', '😀'),
  creator: perhaps(text),
  consumedAt: fc.constantFrom(new Date(0), new Date(-5)),
  durationMs: perhaps(fc.nat(2)),
  timeSpentMs: perhaps(fc.nat(2)),
  tags: fc.array(text, { maxLength: 2 }),
  url: perhaps(text),
  contentId: perhaps(text),
  ids: fc.constantFrom({}, { isrc: 'I' }, { isrc: undefined }),
  rating: perhaps(fc.nat(2)),
  source: fc.constant('s'),
  precision: fc.constant('day' as const),
  account: perhaps(text),
  rawMetadata: fc.constantFrom({}, { a: [1, null] }),
});
const rows = items.map(encodeItem);

describe('compareText', () => {
  test('is the byte order of UTF-8', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareText(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
      { numRuns: 2_000, seed: 1 },
    );
    expect(compareText('ﬁ', '😀')).toBeLessThan(0);
    expect('ﬁ' < '😀').toBe(false);
  });
});

describe('the order of `longest`', () => {
  const greater = (a: ContentRow, b: ContentRow) => (compareForLongest(a, b) >= 0 ? a : b);

  test('taking the greater one is commutative, associative and idempotent', () => {
    fc.assert(
      fc.property(rows, rows, rows, (a, b, c) => {
        expect(greater(a, b)).toEqual(greater(b, a));
        expect(greater(greater(a, b), c)).toEqual(greater(a, greater(b, c)));
        expect(greater(a, a)).toBe(a);
        expect(compareForLongest(a, b) === 0).toBe(isSameContent(a, b));
      }),
      { numRuns: 2_000, seed: 2 },
    );
  });

  test('time spent decides before everything else', () => {
    const base = encodeItem(fc.sample(items, { numRuns: 1, seed: 3 })[0] as MediaItem);
    const [unknown, none, some] = [null, 0, 1].map((timeSpentMs) => ({ ...base, timeSpentMs }));
    if (!unknown || !none || !some) expect.unreachable();
    expect(compareForLongest({ ...none, title: 'A' }, { ...unknown, title: 'Z' })).toBeGreaterThan(0);
    expect(compareForLongest({ ...some, title: 'A' }, { ...none, title: 'Z' })).toBeGreaterThan(0);
    expect(wins(some, none, 'longest')).toBe(true);
    expect(wins(none, some, 'longest')).toBe(false);
    expect(wins(none, some, 'replace')).toBe(true);
    expect(wins(some, some, 'replace')).toBe(false);
    expect(wins(some, none, 'keep')).toBe(false);
  });
});

describe('rows', () => {
  test('an item survives the round trip', () => {
    fc.assert(
      fc.property(items, (item) => {
        const stored = {
          userId: 'u',
          platform: 'spotify',
          externalId: '1',
          sequence: 1,
          connectionId: 'c',
          importId: null,
        };
        const { userId: _, sequence: __, connectionId: ___, ...back } = decodeItem({ ...encodeItem(item), ...stored });
        expect(back).toEqual(item);
      }),
      { numRuns: 500, seed: 4 },
    );
  });

  test('an invalid date is refused, not stored as nothing', () => {
    const item = fc.sample(items, { numRuns: 1, seed: 5 })[0] as MediaItem;
    expect(() => encodeItem({ ...item, consumedAt: new Date(Number.NaN) })).toThrow(/invalid consumedAt/);
  });
});

describe('foldText', () => {
  test.for([
    ['Straße', 'STRASSE'],
    ['ΟΔΟΣ', 'οδοσ'],
    ['ΟΔΟΣ', 'οδος'],
    ['İ', 'i'],
    ['ÅNGSTRÖM', 'A\u030angstro\u0308m'],
    ['ДА', 'да'],
    ['ꭰ', 'Ꭰ'],
  ])('%s and %s fold to the same', ([a = '', b = '']) => {
    expect(foldText(a)).toBe(foldText(b));
  });

  test('folding twice is folding once, and upper case folds like the text itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (any) => {
        expect(foldText(foldText(any))).toBe(foldText(any));
        expect(foldText(any.normalize('NFC').toUpperCase())).toBe(foldText(any));
      }),
      { numRuns: 2_000, seed: 6 },
    );
  });
});

test('keysets compare by time, then platform, then external id', () => {
  const keyset = (consumedAt: number, platform: string, externalId: string) => ({ consumedAt, platform, externalId });
  const sorted = [
    keyset(-1, 'z', 'z'),
    keyset(0, 'a', 'ﬁ'),
    keyset(0, 'a', '😀'),
    keyset(0, 'b', 'a'),
    keyset(1, 'a', 'a'),
  ];
  expect(sorted.toReversed().sort(compareKeysets)).toEqual(sorted);
});
