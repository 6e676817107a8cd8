import { expect, test } from 'vitest';
import { httpUnderTest, jsonAnswer, recordingFetch } from '../../../test/support/http-setup.ts';
import { recordFigure } from '../../../test/support/reliability.ts';
import { resetMs, retryAfterMs } from './retry-after.ts';

const NOW = Date.UTC(2026, 6, 1, 12, 0, 0);
const MIN = 60_000;
const at = (ms: number): string => new Date(NOW + ms).toUTCString();
const unix = (ms: number): string => String((NOW + ms) / 1_000);

type Row = readonly [headers: Readonly<Record<string, string>>, expectedMs: number | undefined, machineOffMs?: number];

/** What services send with a 429, and how long that asks to wait. */
const table: readonly Row[] = [
  [{ 'retry-after': '1' }, 1_000],
  [{ 'retry-after': '30' }, 30_000],
  [{ 'retry-after': ' 30 ' }, 30_000],
  [{ 'retry-after': '0' }, 1_000],
  [{ 'retry-after': '86400' }, 86_400_000],
  [{ 'retry-after': '9999999999' }, 86_400_000],
  [{ 'retry-after': '-5' }, undefined],
  [{ 'retry-after': '1e3' }, undefined],
  [{ 'retry-after': '0.5' }, undefined],
  [{ 'retry-after': '1, 2' }, undefined],
  [{ 'retry-after': '' }, undefined],
  [{ 'retry-after': 'soon' }, undefined],
  [{ 'retry-after': '99999999999999999999' }, undefined],
  [{ 'retry-after': at(45_000) }, 45_000],
  [{ 'retry-after': at(-MIN) }, 1_000],
  [{ 'retry-after': 'Wednesday, 01-Jul-26 12:00:45 GMT' }, 45_000],
  [{ 'retry-after': 'Wed Jul  1 12:00:45 2026' }, 45_000],
  [{ 'retry-after': '2026-07-01T12:00:45Z' }, undefined],
  // The machine is ten minutes off; the answer's own date is not.
  [{ 'retry-after': at(45_000), date: at(0) }, 45_000, 10 * MIN],
  [{ 'retry-after': at(45_000), date: at(0) }, 45_000, -10 * MIN],
  [{ 'ratelimit-reset': '20' }, 20_000],
  [{ 'x-ratelimit-reset-in': '7', 'x-ratelimit-reset': unix(99_000) }, 7_000],
  [{ 'x-ratelimit-reset': unix(25_000), date: at(0) }, 25_000, 10 * MIN],
  [{ 'retry-after': 'soon', 'x-ratelimit-reset': unix(25_000) }, 25_000],
];

for (const [headers, expected, machineOffMs = 0] of table) {
  test(`R-032 ${JSON.stringify(headers)} asks for ${expected} ms, machine off by ${machineOffMs} ms`, () => {
    expect(retryAfterMs(new Headers(headers), 429, NOW + machineOffMs)).toBe(expected);
  });
}

test('R-032 all 24 values are read, and none is slept through for more than a minute', async () => {
  expect(table).toHaveLength(24);
  let longestMs = 0;
  for (const [headers, expected, machineOffMs = 0] of table) {
    const { fetch, requests } = recordingFetch(() => jsonAnswer({}, 429, headers));
    const under = httpUnderTest(fetch, { startMs: NOW + machineOffMs });
    const { after } = under.time.timers;
    // Time-outs of requests are timers too; they never come to fire here.
    Object.assign(under.time.timers, {
      after(ms: number, run: () => void) {
        return after(ms, () => {
          longestMs = Math.max(longestMs, ms);
          run();
        });
      },
    });
    const error = await under.time.until(under.get()).catch((caught: unknown) => caught);
    expect(error, JSON.stringify(headers)).toMatchObject({ code: 'rate_limit' });
    const isLong = expected !== undefined && expected > MIN;
    expect(requests, JSON.stringify(headers)).toHaveLength(isLong ? 1 : 3);
    if (isLong) expect(error).toMatchObject({ retryAfterMs: expected });
  }
  expect(longestMs).toBeLessThanOrEqual(MIN);
  expect(longestMs).toBeGreaterThan(1_000);
  recordFigure('R-032', `24 of 24 values; longest sleep ${longestMs / 1_000} s`);
});

test('other statuses may ask for less than a second', () => {
  expect(retryAfterMs(new Headers({ 'retry-after': '0' }), 503, NOW)).toBe(0);
});

test('the reset of a window asks for a wait only where the limit refused the request', () => {
  const reset = { 'x-ratelimit-reset': '3600' };
  const usedUp = { ...reset, 'x-ratelimit-remaining': '0' };
  const cases: [status: number, headers: Record<string, string>, expected: number | undefined][] = [
    [500, reset, undefined],
    [503, usedUp, undefined],
    [503, { ...usedUp, 'retry-after': '5' }, 5_000],
    [403, reset, undefined],
    [403, usedUp, 3_600_000],
    [400, usedUp, 3_600_000],
    [404, { 'ratelimit-reset': '9', 'ratelimit-remaining': '7' }, undefined],
    [429, reset, 3_600_000],
    [420, reset, 3_600_000],
    [420, { 'retry-after': '0' }, 1_000],
  ];
  for (const [status, headers, expected] of cases)
    expect(retryAfterMs(new Headers(headers), status, NOW), `${status} ${JSON.stringify(headers)}`).toBe(expected);
});

test('a date out of a cache says nothing about now', () => {
  const headers = new Headers({ 'retry-after': at(45_000), date: at(-5 * MIN), age: '300' });
  expect(retryAfterMs(headers, 429, NOW)).toBe(45_000);
});

test('the reset of a window is read in seconds and in unix seconds', () => {
  expect(resetMs(new Headers({ 'x-ratelimit-reset': '12' }), NOW)).toBe(12_000);
  expect(resetMs(new Headers({ 'x-ratelimit-reset': unix(12_000) }), NOW)).toBe(12_000);
  expect(resetMs(new Headers({ 'x-ratelimit-reset': unix(-12_000) }), NOW)).toBe(0);
  expect(resetMs(new Headers(), NOW)).toBeUndefined();
});
