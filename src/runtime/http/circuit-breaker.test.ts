import { expect, test } from 'vitest';
import { CircuitBreaker, type Pass } from './circuit-breaker.ts';

const MINUTE = 60_000;

function openAt(nowMs: number): CircuitBreaker {
  const breaker = new CircuitBreaker();
  for (let failure = 1; failure <= 5; failure += 1) {
    const change = breaker.leave(breaker.enter(nowMs) as Pass, 'failing', nowMs);
    expect(change).toBe(failure === 5 ? 'opened' : undefined);
  }
  return breaker;
}

test('R-039 lets one probe through each minute, and two good ones close it', () => {
  const breaker = openAt(0);
  expect(breaker.enter(MINUTE - 1)).toBeUndefined();
  expect(breaker.closedForMs(MINUTE - 5_000)).toBe(5_000);
  const probe = breaker.enter(MINUTE) as Pass;
  expect(probe.isProbe).toBe(true);
  expect(breaker.enter(MINUTE + 1)).toBeUndefined();
  expect(breaker.leave(probe, 'failing', MINUTE + 10)).toBeUndefined();
  expect(breaker.enter(2 * MINUTE - 1)).toBeUndefined();

  expect(breaker.leave(breaker.enter(2 * MINUTE) as Pass, 'working', 2 * MINUTE)).toBeUndefined();
  expect(breaker.isOpen).toBe(true);
  const second = breaker.enter(2 * MINUTE + 1) as Pass;
  expect(second.isProbe).toBe(true);
  expect(breaker.enter(2 * MINUTE + 2)).toBeUndefined();
  expect(breaker.leave(second, 'working', 2 * MINUTE + 3)).toBe('closed');
  expect(breaker.enter(2 * MINUTE + 4)).toEqual({ isProbe: false });
  expect(breaker.isIdle).toBe(true);
});

test('a good probe before a bad one does not count towards closing', () => {
  const breaker = openAt(0);
  breaker.leave(breaker.enter(MINUTE) as Pass, 'working', MINUTE);
  breaker.leave(breaker.enter(MINUTE + 1) as Pass, 'failing', MINUTE + 1);
  expect(breaker.enter(MINUTE + 2)).toBeUndefined();
  expect(breaker.leave(breaker.enter(2 * MINUTE + 1) as Pass, 'working', 2 * MINUTE + 1)).toBeUndefined();
  expect(breaker.isOpen).toBe(true);
});

test('a probe that was called off makes room for the next', () => {
  const breaker = openAt(0);
  breaker.leave(breaker.enter(MINUTE) as Pass, 'unknown', MINUTE + 5);
  expect(breaker.enter(MINUTE + 6)).toEqual({ isProbe: true });
});

test('late answers from before it opened change nothing', () => {
  const breaker = new CircuitBreaker();
  const early = breaker.enter(0) as Pass;
  for (let failure = 0; failure < 5; failure += 1) breaker.leave(breaker.enter(0) as Pass, 'failing', 0);
  expect(breaker.leave(early, 'working', 10)).toBeUndefined();
  expect(breaker.isOpen).toBe(true);
  expect(breaker.leave({ isProbe: false }, 'failing', 10)).toBeUndefined();
});
