import { McaError } from '@mca/core';
import { expect, test } from 'vitest';
import { seededBytes } from '../../test/support/live-setup.ts';
import { nextTurn } from './sync-schedule.ts';

const HOUR = 3_600_000;

function waitAfter(code: 'configuration' | 'permission_denied' | 'upstream', failures: number): number {
  const stopped = new McaError({ code, reason: 'key_unavailable', message: 'No.', retryable: code === 'upstream' });
  const before = { connectionId: 'c', capability: 'history', failures };
  const report = { status: 'failed', hasMore: true } as const;
  const { dueAt } = nextTurn(before, report, stopped, { now: 0, intervalMs: HOUR, random: seededBytes(1) });
  return dueAt;
}

test('what is wrong with this process is tried again soon, perhaps by another; what the user must mend is not', () => {
  expect(waitAfter('configuration', 0)).toBeLessThanOrEqual(60_000);
  expect(waitAfter('upstream', 0)).toBeLessThanOrEqual(60_000);
  expect(waitAfter('permission_denied', 0)).toBeGreaterThanOrEqual(HOUR / 2);
});

test('from the twelfth failure in a row on it is tried about once a day', () => {
  expect(waitAfter('upstream', 10)).toBeLessThanOrEqual(6 * HOUR);
  expect(waitAfter('upstream', 11)).toBeGreaterThanOrEqual(12 * HOUR);
  expect(waitAfter('upstream', 11)).toBeLessThanOrEqual(24 * HOUR);
});
