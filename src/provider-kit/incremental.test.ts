import { expect, test } from 'vitest';
import { z } from 'zod';
import { incremental } from './incremental.ts';
import { reject, skip } from './record-result.ts';

const entry = z.object({ id: z.string(), at: z.number() });
const capability = incremental({
  sources: { plays: { name: 'Plays', precision: 'second', rank: 1 } },
  order: 'oldest-first',
  backfill: true,
  entry,
  async fetch(_, { cursor }) {
    const records = [{ id: 'good', at: 0 }, { id: 'ad', at: 0 }, { id: 'bad', at: 0 }, { id: 'odd', at: 0 }, { id: 7 }];
    return { records, cursor: `${cursor}+`, hasMore: true, total: 5 };
  },
  normalise({ id, at }) {
    if (id === 'ad') return skip('ad');
    if (id === 'bad') return reject('invalid_date', 'no date');
    if (id === 'odd') throw new RangeError(`cannot read ${id}`);
    return {
      platform: 'shop',
      externalId: id,
      type: 'music',
      action: 'consumed',
      title: id,
      consumedAt: new Date(at),
      tags: [],
      ids: {},
      source: 'plays',
      precision: 'second',
      rawMetadata: {},
    };
  },
});

test('every record has one outcome, also the one the author did not think of', async () => {
  const context = {} as Parameters<typeof capability.fetchPage>[0];
  const request = { cursor: '1', since: undefined, until: undefined, highWater: undefined, limit: 10 };
  const page = await capability.fetchPage(context, request);
  expect(page).toMatchObject({ read: 5, skipped: { ad: 1 }, cursor: '1+', hasMore: true, total: 5 });
  expect(page.items.map(({ title }) => title)).toEqual(['good']);
  expect(page.rejected).toEqual([
    { reason: 'invalid_date', message: 'no date', raw: { id: 'bad', at: 0 } },
    { reason: 'unexpected_record', message: 'normalise threw RangeError', raw: { id: 'odd', at: 0 } },
    { reason: 'unexpected_shape', message: 'not as expected: id, at', raw: { id: 7 } },
  ]);
});

test('a parked record is read again as a page would read it', () => {
  expect(capability.replay({ id: 'good', at: 1 }).items).toHaveLength(1);
  expect(capability.replay({ id: 'odd', at: 1 }).rejected).toMatchObject([{ reason: 'unexpected_record' }]);
});
