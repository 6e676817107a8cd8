import { expect, test } from 'vitest';
import { DAY, HOUR, START } from '../../test/support/live-setup.ts';
import type { MediaItem } from '../contracts/media-item.ts';
import { advance, type Position } from './sync-position.ts';

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
