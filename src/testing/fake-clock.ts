import type { Clock, Timers } from '../contracts/env.ts';
import { nativeWork } from './native-work.ts';

/** Time that stands still until told otherwise. */
export interface FakeClock {
  /** For `env.clock`. */
  readonly clock: Clock;
  /** For `env.timers`. */
  readonly timers: Timers;
  /** Timers that have not fired: 0 when nothing waits. */
  readonly pending: number;
  /** Lets so much time pass. Timers fire in order, each at its instant, and promises settle in between. */
  advance(ms: number): Promise<void>;
  /** Lets just as much time pass as the work needs, and answers or rejects as it does. */
  until<Result>(work: Promise<Result>): Promise<Result>;
  /** Sets the wall clock forward or back, as NTP does; monotonic time and timers do not notice. */
  step(ms: number): void;
}

/** How a {@link fakeClock} finds out that nothing is under way. */
export interface FakeClockOptions {
  /**
   * Looks at promises only, not at work that Node does on other threads (sealing, files): many times faster, and right
   * only where there is no such work.
   *
   * @default false
   */
  readonly quick?: boolean | undefined;
}

interface FakeTimer {
  readonly dueMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** Turns of the event loop after which promises of web streams, `fetch` and `crypto` have settled. */
const TURNS_TO_SETTLE = 12;
/** Real time that work may spend without any timer, such as loading a module. A hang guard. */
const REAL_IDLE_MAX_MS = 10_000;

/**
 * A clock and timers for tests of what waits: hours pass in milliseconds, and always the same way.
 *
 * @param startMs epoch milliseconds
 * @example
 * ```ts
 * const time = fakeClock(Date.UTC(2026, 0, 1));
 * const registry = createRegistry({ providers, ...memory(), env: { clock: time.clock, timers: time.timers } });
 * await time.until(syncUser(registry, { userId: 'ana' }));
 * ```
 */
export function fakeClock(startMs = 0, options: FakeClockOptions = {}): FakeClock {
  let elapsedMs = 0;
  let steppedMs = 0;
  let order = 0;
  const waiting = new Set<FakeTimer>();
  const quiet: Quiet = { native: options.quick ? undefined : nativeWork(), turns: options.quick ? 4 : TURNS_TO_SETTLE };

  function next(): FakeTimer | undefined {
    let first: FakeTimer | undefined;
    for (const timer of waiting) {
      if (!first || timer.dueMs < first.dueMs || (timer.dueMs === first.dueMs && timer.order < first.order))
        first = timer;
    }
    return first;
  }

  function fire(timer: FakeTimer): void {
    waiting.delete(timer);
    elapsedMs = Math.max(elapsedMs, timer.dueMs);
    timer.run();
  }

  return {
    clock: { now: () => startMs + steppedMs + elapsedMs, monotonic: () => elapsedMs },
    timers: {
      after(ms, run) {
        if (!(ms >= 0 && ms <= 2 ** 31 - 1)) throw new RangeError(`A timer cannot wait ${ms} ms`);
        order += 1;
        const timer: FakeTimer = { dueMs: elapsedMs + ms, order, run };
        waiting.add(timer);
        return () => waiting.delete(timer);
      },
    },
    get pending() {
      return waiting.size;
    },
    async advance(ms) {
      const endMs = elapsedMs + ms;
      await settle(quiet);
      for (let timer = next(); timer && timer.dueMs <= endMs; timer = next()) {
        fire(timer);
        await settle(quiet);
      }
      elapsedMs = endMs;
    },
    async until(work) {
      let isDone = false;
      const done = (): void => {
        isDone = true;
      };
      work.then(done, done);
      const startedAt = performance.now();
      while (!isDone) {
        await settle(quiet, () => isDone);
        if (isDone) break;
        const timer = next();
        if (timer) fire(timer);
        else if (performance.now() - startedAt < REAL_IDLE_MAX_MS) await new Promise((wake) => setTimeout(wake, 1));
        else throw new Error('The work neither ended nor waits for a timer of the fake clock');
      }
      return work;
    },
    step(ms) {
      steppedMs += ms;
    },
  };
}

/** When nothing is under way any more. */
interface Quiet {
  readonly native: { readonly size: number } | undefined;
  readonly turns: number;
}

/** Turns the event loop until nothing happens any more, or `isDone`. */
async function settle({ native, turns }: Quiet, isDone: () => boolean = () => false): Promise<void> {
  const startedAt = performance.now();
  for (let quietTurns = 0; quietTurns < turns && !isDone(); ) {
    // Native work that never ends, such as a read of a pipe, must not hold time up for ever.
    if (performance.now() - startedAt > REAL_IDLE_MAX_MS) return;
    await new Promise((wake) => setImmediate(wake));
    quietTurns = native === undefined || native.size === 0 ? quietTurns + 1 : 0;
  }
}
