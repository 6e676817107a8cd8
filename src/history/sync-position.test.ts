import { expect, test } from 'vitest';
import { DAY, HOUR, START } from '../../test/support/live-setup.ts';
import type { MediaItem } from '../contracts/media-item.ts';
import { advance, nextWalk, type Position, restarted } from './sync-position.ts';

const play = (at: number): MediaItem => ({
  platform: 'fake',
  externalId: String(at),
  type: 'music',
  action: 'consumed',
  title: 'Song',
  consumedAt: new Date(at),
  tags: [],
  ids: {},
  source: 'plays',
  precision: 'second',
  rawMetadata: {},
});

/** A window that was overtaken every day: an hour told, the rest of the day not. */
function daysWithGaps(days: number): Position {
  let position: Position = { opaque: '' };
  for (let day = 0; day < days; day += 1) {
    const from = START + day * DAY;
    position = advance(
      position,
      {
        items: [play(from), play(from + HOUR)],
        cursor: '',
        hasMore: false,
        ...(day > 0 && { gap: { from: from - DAY + HOUR, to: from } }),
      },
      { platform: 'fake', order: 'newest-first', now: from + 2 * HOUR },
    );
  }
  return position;
}

test('a gap of a year ago is a gap still', () => {
  const { gaps = [], coverage = [] } = daysWithGaps(365);
  expect(gaps).toHaveLength(364);
  expect(coverage).toHaveLength(365);
  for (const [, , from, to] of coverage) expect(to - from).toBe(HOUR);
});

test('of very many gaps the nearest two become one: none is taken for told', () => {
  const { gaps = [], coverage = [] } = daysWithGaps(700);
  expect(gaps.length).toBeLessThanOrEqual(500);
  for (let day = 1; day < 700; day += 1) {
    const noon = START + day * DAY - 12 * HOUR;
    expect(coverage.some(([, , from, to]) => from < noon && noon < to)).toBe(false);
  }
});

test('what is told of after all is no gap any more', () => {
  const rules = { platform: 'fake', order: 'newest-first', now: START + 20 * DAY } as const;
  const page = { cursor: '', hasMore: false };
  const days = (...all: readonly number[]) => all.map((day) => play(START + day * DAY));
  const gap = { from: START + 3 * DAY, to: START + 10 * DAY };
  const before = advance({ opaque: '' }, { ...page, items: days(0, 3) }, rules);
  const cut = advance(before, { ...page, items: days(10, 12), gap }, rules);
  expect(cut.gaps).toEqual([[gap.from, gap.to]]);
  const told = advance(cut, { ...page, items: days(2, 4, 5, 6, 7, 8, 9, 11) }, rules);
  expect(told.gaps ?? []).toEqual([]);
  expect(told.coverage).toEqual([['plays', null, START, START + 12 * DAY]]);
  const half = advance(cut, { ...page, items: days(2, 4, 6) }, rules);
  expect(half.gaps).toEqual([[START + 6 * DAY, gap.to]]);
});

test('of very many stretches the oldest are joined: the newest claim no more than was told', () => {
  let position: Position = { opaque: '' };
  for (let index = 0; index < 600; index += 1) {
    // The newest ones are the nearest to one another.
    const at = START + index * (index < 500 ? 30 : 8) * DAY + (index < 500 ? 0 : 500 * 22 * DAY);
    const rules = { platform: 'fake', order: 'newest-first', now: at + HOUR } as const;
    position = advance(position, { items: [play(at)], cursor: '', hasMore: false }, rules);
  }
  const { coverage = [] } = position;
  expect(coverage).toHaveLength(500);
  for (const [, , from, to] of coverage.slice(-50)) expect(to - from).toBe(0);
});

test('the cursor of a last page is gone, unless it is kept', () => {
  const rules = { platform: 'fake', order: 'newest-first', now: START } as const;
  const page = { items: [], cursor: 'up to here', hasMore: false };
  expect(advance({ opaque: '' }, page, rules)).toEqual({ opaque: '' });
  expect(advance({ opaque: '' }, page, { ...rules, keepsCursor: true })).toEqual({ opaque: 'up to here' });
});

test('where a cursor is kept and lost, the next walk is everything', () => {
  const rules = { order: 'newest-first', overlapMs: DAY } as const;
  const position: Position = { highWater: START, deepAt: START, opaque: 'kept' };
  expect(nextWalk(position, { ...rules, keepsCursor: true }, START + HOUR)).toHaveProperty('since');
  const lost = restarted(position, { ...rules, keepsCursor: true });
  expect(nextWalk(lost, { ...rules, keepsCursor: true }, START + HOUR)).not.toHaveProperty('since');
  expect(nextWalk(restarted(position, rules), rules, START + HOUR)).toHaveProperty('since');
  // Also where it was lost on the way.
  const walk = { startedAt: START, since: START - DAY };
  expect(restarted({ ...position, walk }, { ...rules, keepsCursor: true }).walk).not.toHaveProperty('since');
  expect(restarted({ ...position, walk }, rules).walk).toMatchObject({ since: START - DAY });
});
