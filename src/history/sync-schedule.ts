import type { Random } from '../contracts/env.ts';
import type { McaError } from '../contracts/errors.ts';
import type { SyncSchedule } from '../contracts/sync.ts';
import { randomFraction } from '../runtime/env.ts';
import type { SyncReport } from './sync-report.ts';

const DEFAULT_INTERVAL_MS = 3_600_000;
const FIRST_RETRY_MS = 60_000;
const LONGEST_RETRY_MS = 21_600_000;
/** Failures in a row after which somebody should look, and once a day is often enough. */
export const FAILURES_TO_STUCK: number = 12;
const STUCK_RETRY_MS = 86_400_000;
/** What a service that only says "slow down" is given. */
export const DEFAULT_WAIT_MS: number = 60_000;

/** Until when a service asked to leave a connection alone, epoch milliseconds; whichever of its capabilities was told. */
export function waitOf(schedules: readonly SyncSchedule[], now: number): number | undefined {
  const ends = schedules.filter(({ blocked, dueAt }) => blocked && dueAt > now).map(({ dueAt }) => dueAt);
  return ends.length === 0 ? undefined : Math.max(...ends);
}

/** When the next sync is due, given how this one ended. */
export function nextTurn(
  { connectionId, capability, failures }: Pick<SyncSchedule, 'connectionId' | 'capability' | 'failures'>,
  report: Pick<SyncReport, 'status' | 'hasMore'>,
  stopped: McaError | undefined,
  { now, intervalMs = DEFAULT_INTERVAL_MS, random }: { now: number; intervalMs: number | undefined; random: Random },
): SyncSchedule {
  const turn = (waitMs: number, more: Pick<SyncSchedule, 'blocked' | 'failures'>): SyncSchedule => ({
    connectionId,
    capability,
    dueAt: now + waitMs,
    ...more,
  });
  if (!stopped) return turn(report.hasMore ? 0 : intervalMs, { blocked: false, failures: 0 });
  if (stopped.code === 'rate_limit') return turn(stopped.retryAfterMs ?? DEFAULT_WAIT_MS, { blocked: true, failures });
  if (stopped.code === 'cancelled') return turn(0, { blocked: false, failures });
  // What the service must mend is asked for again soon; what the user must mend is not worth more than the usual turn. What
  // is wrong with this process, a key that it lacks, may be right with the next one.
  const isTransient = stopped.retryable || stopped.code === 'storage' || stopped.code === 'configuration';
  const backOffMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 20));
  const soonMs = isTransient ? backOffMs : Math.max(intervalMs, backOffMs);
  const waitMs = failures + 1 < FAILURES_TO_STUCK ? soonMs : Math.max(soonMs, STUCK_RETRY_MS);
  // Half fixed, half random: a thousand connections that failed together do not come back together.
  const jittered = Math.round(waitMs / 2 + (waitMs / 2) * randomFraction(random));
  return turn(Math.max(jittered, stopped.retryAfterMs ?? 0), { blocked: false, failures: failures + 1 });
}
