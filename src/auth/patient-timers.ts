import type { Env, Timers } from '../contracts/env.ts';
import { monotonicMs } from '../runtime/sleep.ts';

const LATE_MS = 500;
const GRACE_MS = 1_000;

/**
 * Timers that know when the machine slept. A process that was stopped in the middle of a request finds its time-out due
 * and the answer waiting, and would look at the time-out first: the answer, with the only good refresh token in it,
 * would be thrown away. A timer that is late therefore waits a little longer.
 */
export function patientTimers({ clock, timers }: Pick<Env, 'clock' | 'timers'>): Timers {
  return {
    after(ms, run) {
      const dueAt = monotonicMs(clock) + ms;
      let takeBack = timers.after(ms, () => {
        const isLate = monotonicMs(clock) - dueAt > LATE_MS;
        if (isLate) takeBack = timers.after(GRACE_MS, run);
        else run();
      });
      return () => takeBack();
    },
  };
}
