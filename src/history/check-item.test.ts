import type { MediaItem } from '@mca/core';
import { expect, test } from 'vitest';
import { faultOf } from './check-item.ts';

const item: MediaItem = {
  platform: 'fake',
  externalId: '1:a',
  type: 'music',
  action: 'consumed',
  title: 'A',
  consumedAt: new Date(0),
  tags: [],
  ids: {},
  source: 'plays',
  precision: 'second',
  rawMetadata: {},
};
const origin = { provider: 'fake', sources: { plays: { name: 'Plays', precision: 'second', rank: 1 } } } as const;

test('a whole item has no fault, whatever its script', () => {
  expect(faultOf({ ...item, externalId: '1:𝄞😀' }, origin)).toBeUndefined();
  expect(faultOf({ ...item, timeSpentMs: Number.MAX_SAFE_INTEGER }, origin)).toBeUndefined();
});

test.each([
  [{ externalId: '1:\ud834' }, 'half a character'],
  [{ externalId: '\udd1e' }, 'half a character'],
  [{ timeSpentMs: 1.7e308 }, 'amount of time'],
  [{ durationMs: Number.POSITIVE_INFINITY }, 'amount of time'],
  [{ timeSpentMs: -1 }, 'amount of time'],
  [{ externalId: '' }, 'externalId'],
  [{ title: '' }, 'title'],
  [{ consumedAt: new Date(Number.NaN) }, 'consumedAt'],
  [{ rating: 11 }, 'rating'],
])('%o is refused', (change, words) => {
  expect(faultOf({ ...item, ...change }, origin)).toContain(words);
});
