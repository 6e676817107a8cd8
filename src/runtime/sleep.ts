import type { Clock, Timers } from '../contracts/env.ts';
import { McaError } from '../contracts/errors.ts';

/** Longest wait a timer can hold; anything longer fires at once in every runtime. */
export const LONGEST_TIMER_MS: number = 2_147_483_647;

/** Milliseconds that only ever grow, by the best clock there is. */
export function monotonicMs(clock: Clock): number {
  return clock.monotonic?.() ?? clock.now();
}

/** What a call ends with whose signal fired: the reason itself when it is one of our errors. */
export function cancelledBy(signal: AbortSignal): McaError {
  const reason: unknown = signal.reason;
  if (McaError.isInstance(reason)) return reason;
  return new McaError({ code: 'cancelled', message: 'The call was cancelled.' });
}

/** Throws `cancelled` when the signal has fired. */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw cancelledBy(signal);
}

/** Waits, at most 2^31-1 ms. Rejects with `cancelled` as soon as the signal fires, and leaves no timer behind. */
export function sleep(timers: Timers, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(cancelledBy(signal));
      return;
    }
    const onAbort = (): void => {
      takeBack();
      reject(cancelledBy(signal));
    };
    const takeBack = timers.after(Math.min(Math.max(0, Math.ceil(ms)), LONGEST_TIMER_MS), () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
