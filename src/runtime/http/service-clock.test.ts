import { describe, expect, test } from 'vitest';
import { httpUnderTest, jsonAnswer } from '../../../test/support/http-setup.ts';
import { recordFigure } from '../../../test/support/reliability.ts';
import { fakeClock } from '../../testing/fake-clock.ts';
import { parseHttpDate, ServiceClocks } from './service-clock.ts';

const START = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const HOST = 'api.test.example';

describe('R-040 the clock of a service', () => {
  test('R-040 is right to a second with the machine an hour off, through NTP steps, for 6 hours', async () => {
    let worstMs = 0;
    let looks = 0;
    for (const offMs of [-HOUR, HOUR, -90_000, 90_000, 0]) {
      const time = fakeClock(START + offMs);
      const clocks = new ServiceClocks(time.clock);
      let serviceMs = START + 437;
      let reports = 0;
      for (let minute = 0; minute < 360; minute += 1) {
        const sentAt = time.clock.monotonic?.() ?? 0;
        const roundTrip = 40 + (minute % 7) * 130;
        await time.advance(roundTrip / 2);
        serviceMs += roundTrip / 2;
        const date = new Date(serviceMs).toUTCString();
        await time.advance(roundTrip / 2);
        serviceMs += roundTrip / 2;
        if (clocks.observe(HOST, new Headers({ date }), sentAt) !== undefined) reports += 1;
        await time.advance(60_000 - roundTrip);
        serviceMs += 60_000 - roundTrip;
        // NTP puts the machine's clock right in the middle of everything; nothing was answered since.
        if (minute === 100) time.step(-offMs);
        const errorMs = Math.abs(clocks.now(HOST) - serviceMs);
        // Within the tolerance the machine's own clock is taken, which is 0.437 s off.
        worstMs = Math.max(worstMs, errorMs);
        looks += 1;
      }
      expect(reports, `off by ${offMs}`).toBe(offMs === 0 ? 0 : 1);
    }
    expect(worstMs).toBeLessThanOrEqual(1_500);
    recordFigure(
      'R-040',
      `${looks} looks with the machine up to 1 h off and one NTP step: off by at most ${worstMs} ms`,
    );
  });

  test('R-040 a token of an hour is neither dropped early nor used late', async () => {
    for (const offMs of [-HOUR, HOUR]) {
      const time = fakeClock(START + offMs);
      const clocks = new ServiceClocks(time.clock);
      clocks.observe(HOST, new Headers({ date: new Date(START).toUTCString() }), 0);
      const expiresAt = clocks.now(HOST) + HOUR;
      await time.advance(HOUR - 2_000);
      expect(clocks.now(HOST)).toBeLessThan(expiresAt);
      time.step(-offMs);
      await time.advance(4_000);
      expect(clocks.now(HOST)).toBeGreaterThanOrEqual(expiresAt - 1_000);
    }
  });

  test('is the machine itself before any answer, and when they differ by less than a minute', () => {
    const time = fakeClock(START);
    const clocks = new ServiceClocks(time.clock);
    expect(clocks.now(HOST)).toBe(START);
    clocks.observe(HOST, new Headers({ date: new Date(START + 59_000).toUTCString() }), 0);
    expect(clocks.now(HOST)).toBe(START);
    clocks.observe(HOST, new Headers({ date: new Date(START + 300_000).toUTCString() }), 0);
    expect(clocks.now(HOST)).toBe(START + 300_500);
    expect(clocks.now('other.example')).toBe(START);
  });

  test('does not take the date of a cached answer, nor anything that is no date', () => {
    const time = fakeClock(START);
    const clocks = new ServiceClocks(time.clock);
    const date = new Date(START - HOUR).toUTCString();
    expect(clocks.observe(HOST, new Headers({ date, age: '3600' }), 0)).toBeUndefined();
    expect(clocks.observe(HOST, new Headers({ date: '1' }), 0)).toBeUndefined();
    expect(clocks.observe(HOST, new Headers(), 0)).toBeUndefined();
    expect(clocks.now(HOST)).toBe(START);
  });

  test('is told as an event, once per change', async () => {
    let offMs = HOUR;
    const under = httpUnderTest(async () =>
      jsonAnswer({}, 200, { date: new Date(under.time.clock.now() + offMs).toUTCString() }),
    );
    for (let index = 0; index < 3; index += 1) await under.time.until(under.get());
    offMs = 2 * HOUR;
    for (let index = 0; index < 3; index += 1) await under.time.until(under.get());
    offMs = 0;
    await under.time.until(under.get());
    offMs = HOUR;
    await under.time.until(under.get());
    const skews = under.events.filter((event) => event.type === 'clock_skew');
    expect(skews.map(({ skewMs }) => Math.round(skewMs / HOUR))).toEqual([1, 2, 1]);
    expect(skews[0]).toMatchObject({ provider: 'test-service', host: HOST });
    expect(Math.abs(under.state.providerNow(HOST) - under.time.clock.now() - HOUR)).toBeLessThan(1_500);
  });
});

test('dates are read in the three forms of HTTP and no other', () => {
  const expected = Date.UTC(1994, 10, 6, 8, 49, 37);
  expect(parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT')).toBe(expected);
  expect(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT')).toBe(expected);
  expect(parseHttpDate('Sun Nov  6 08:49:37 1994')).toBe(expected);
  for (const text of ['', '1', '1, 2', '1994-11-06', 'Sun, 06 Nov 1994 08:49:37', 'Sun, 99 Nov 1994 08:49:37 GMT']) {
    expect(parseHttpDate(text), text).toBeUndefined();
  }
});
