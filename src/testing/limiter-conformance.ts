import type { Env } from '../contracts/env.ts';
import { McaError } from '../contracts/errors.ts';
import type { RateLimit } from '../contracts/provider.ts';
import type { RateLimiter, RateLimiterFactory } from '../contracts/rate-limiter.ts';
import type { ConformanceCase } from './conformance-case.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';

/** How {@link limiterConformance} lets time pass. */
export interface LimiterConformanceOptions {
  /**
   * For limiters that go by a clock elsewhere, such as that of a database: cases take real time, and all of their
   * durations are multiplied by this. Smaller is faster, and harder on a limiter that is late. @default a fake clock
   */
  readonly realTimeScale?: number | undefined;
}

/**
 * The promises `LIMIT-1` to `LIMIT-6` of a {@link RateLimiterFactory}, on a fake clock unless told otherwise.
 *
 * @param open a factory without any state of earlier cases
 * @example
 * ```ts
 * for (const { id, title, run } of limiterConformance(() => bottleneckLimiters())) test(`${id} ${title}`, run);
 * ```
 */
export function limiterConformance(
  open: () => RateLimiterFactory | Promise<RateLimiterFactory>,
  options: LimiterConformanceOptions = {},
): readonly ConformanceCase[] {
  const make = (
    id: string,
    title: string,
    limit: Limit,
    run: (under: UnderTest) => Promise<void>,
  ): ConformanceCase => ({
    id,
    title,
    run: async () => run(underTest(await open(), limit, options.realTimeScale)),
  });
  return [
    make(
      'LIMIT-1',
      'no window holds more starts than allowed, for a burst',
      { requests: 5, perMs: 1_000 },
      async (under) => {
        for (let index = 0; index < 40; index += 1) under.work(10);
        await under.finish();
        fullestWindow(under, 5, 1_000, 40);
      },
    ),
    make('LIMIT-1', 'nor for work that comes now and then', { requests: 3, perMs: 1_000 }, async (under) => {
      for (let index = 0; index < 60; index += 1) {
        under.work(5);
        await under.time.advance((index * 37) % 460);
      }
      await under.finish();
      fullestWindow(under, 3, 1_000, 60);
    }),
    make('LIMIT-1', 'nor around the edge of a window', { requests: 10, perMs: 1_000 }, async (under) => {
      under.work(1);
      await under.time.advance(990);
      for (let index = 0; index < 30; index += 1) under.work(1);
      await under.finish();
      fullestWindow(under, 10, 1_000, 31);
    }),
    make('LIMIT-1', 'and the limit is used: a burst starts at once', { requests: 5, perMs: 1_000 }, async (under) => {
      for (let index = 0; index < 5; index += 1) under.work(1);
      // Long before the window is over, and long enough for a question to somebody else.
      await under.time.advance(500);
      demand(under.starts.length === 5, `only ${under.starts.length} of 5 started`);
    }),
    make(
      'LIMIT-2',
      'so many run at once and no more',
      { requests: 100, perMs: 1_000, concurrency: 3 },
      async (under) => {
        const gate = under.gate(20);
        // Limiters may start work by something else than the fake clock, so this waits in real time.
        await gate.untilStarted(3);
        demand(under.mostRunning === 3, `${under.mostRunning} ran at once instead of 3`);
        gate.open();
        await under.finish();
        demand(under.mostRunning === 3, `${under.mostRunning} ran at once`);
      },
    ),
    ...[undefined, 2].map((concurrency) =>
      make(
        'LIMIT-3',
        `work starts in the order it came, concurrency ${concurrency}`,
        { requests: 4, perMs: 500, concurrency },
        async (under) => {
          for (let index = 0; index < 30; index += 1) under.work((index * 7) % 50);
          await under.finish();
          const names = under.starts.map(({ name }) => name);
          demand(
            names.every((name, index) => name === index),
            `started in the order ${names.join(' ')}`,
          );
        },
      ),
    ),
    ...[undefined, 1].map((concurrency) =>
      make(
        'LIMIT-4',
        `an aborted signal takes waiting work out, concurrency ${concurrency}`,
        { requests: 1, perMs: 10_000, concurrency },
        async (under) => {
          const controller = new AbortController();
          under.work(12_000);
          const waiting = under.work(1, { signal: controller.signal });
          under.work(1);
          await under.time.advance(100);
          controller.abort();
          const before = under.now();
          const error = await under.time.until(waiting.catch((caught: unknown) => caught));
          demand(under.now() - before <= 250, 'it waited on after the signal fired');
          demand(McaError.isInstance(error) && error.code === 'cancelled', `it ended with ${error}`);
          demand(under.limiter.load === 2, `the load is ${under.limiter.load} instead of 2`);
          const late = await under.limiter
            .run(async () => 'ran', AbortSignal.abort())
            .catch((caught: unknown) => caught);
          demand(McaError.isInstance(late) && late.code === 'cancelled', 'work with a fired signal was taken on');
          await under.finish();
          demand(!under.starts.some(({ name }) => name === 1), 'aborted work was started');
          demand(under.starts.length === 2, 'work behind it never started');
        },
      ),
    ),
    make('LIMIT-5', 'nothing starts during a pause', { requests: 100, perMs: 1_000 }, async (under) => {
      under.pause(5_000);
      under.work(1);
      const waitMs = under.freeAt - under.now();
      demand(Math.abs(waitMs - 5_000) <= 1_100, `freeAt is off: in ${waitMs} ms`);
      await under.finish();
      demand((under.starts[0]?.atMs ?? 0) >= 5_000, `work started after ${under.starts[0]?.atMs} ms`);
    }),
    make('LIMIT-5', 'a shorter pause does not shorten a longer one', { requests: 100, perMs: 1_000 }, async (under) => {
      under.pause(5_000);
      under.pause(10);
      under.work(1);
      await under.finish();
      demand((under.starts[0]?.atMs ?? 0) >= 5_000, `work started after ${under.starts[0]?.atMs} ms`);
    }),
    make('LIMIT-5', 'a pause also stops work that waits already', { requests: 1, perMs: 1_000 }, async (under) => {
      under.work(1);
      under.work(1);
      await under.time.advance(500);
      under.pause(3_000);
      await under.finish();
      demand((under.starts[1]?.atMs ?? 0) >= 3_500, `work started after ${under.starts[1]?.atMs} ms`);
    }),
    ...[undefined, 1].map((concurrency) =>
      make(
        'LIMIT-6',
        `failures are the caller's, and free the place, concurrency ${concurrency}`,
        { requests: 10, perMs: 1_000, concurrency },
        async (under) => {
          const failure = new Error('of the work');
          const failing = [
            under.limiter.run(() => Promise.reject(failure), under.signal),
            under.limiter.run(() => raise(failure), under.signal),
          ];
          const ended = under.time.until(Promise.allSettled(failing));
          for (const end of await ended) {
            demand(end.status === 'rejected' && end.reason === failure, 'the failure did not reach its caller');
          }
          under.work(1);
          await under.finish();
          demand(under.starts.length === 1, 'work after a failure never started');
          demand(under.limiter.load === 0, `the load is ${under.limiter.load} when nothing is left`);
        },
      ),
    ),
  ];
}

type Limit = Omit<RateLimit, 'scope'>;

/** All durations and instants are those of the cases, whatever they are scaled by. */
interface UnderTest {
  readonly limiter: RateLimiter;
  readonly time: Pick<FakeClock, 'advance' | 'until'>;
  /** Milliseconds since the start of the case. */
  now(): number;
  pause(ms: number): void;
  /** {@link RateLimiter.freeAt} on the time of {@link now}. */
  readonly freeAt: number;
  readonly signal: AbortSignal;
  readonly starts: readonly { readonly name: number; readonly atMs: number }[];
  readonly mostRunning: number;
  /** Work that takes so long, named by its turn. */
  work(ms: number, options?: { readonly signal: AbortSignal }): Promise<void>;
  /** So much work that goes on until the gate opens. */
  gate(count: number): { untilStarted(atLeast: number): Promise<void>; open(): void };
  /** Lets time pass until all work is over. */
  finish(): Promise<unknown>;
}

function underTest(factory: RateLimiterFactory, limit: Limit, realTimeScale: number | undefined): UnderTest {
  const scale = realTimeScale ?? 1;
  const time = realTimeScale === undefined ? fakeClock(Date.UTC(2026, 0, 1)) : realTime();
  const silent = (): void => {};
  const env: Env = {
    clock: time.clock,
    timers: time.timers,
    random: { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) },
    logger: { debug: silent, info: silent, warn: silent, error: silent },
    fetch: () => Promise.reject(new Error('A limiter fetches nothing')),
  };
  const limiter = factory.create({
    key: 'service:one',
    limit: { scope: 'connection', ...limit, perMs: limit.perMs * scale },
    env,
  });
  const { signal } = new AbortController();
  const starts: { name: number; atMs: number }[] = [];
  const all: Promise<void>[] = [];
  let running = 0;
  let mostRunning = 0;
  let names = 0;
  const startMs = time.clock.now();
  const startTicks = time.clock.monotonic?.() ?? startMs;
  const now = (): number => ((time.clock.monotonic?.() ?? time.clock.now()) - startTicks) / scale;

  function take(work: () => Promise<void>, waitSignal: AbortSignal): Promise<void> {
    const name = names;
    names += 1;
    const taken = limiter.run(async () => {
      starts.push({ name, atMs: now() });
      running += 1;
      mostRunning = Math.max(mostRunning, running);
      await work();
      running -= 1;
    }, waitSignal);
    // Some cases let it fail on purpose.
    taken.catch(() => {});
    all.push(taken);
    return taken;
  }

  return {
    limiter,
    time: { advance: (ms) => time.advance(ms * scale), until: time.until },
    now,
    pause: (ms) => limiter.pause(ms * scale),
    get freeAt() {
      return (limiter.freeAt - startMs) / scale;
    },
    signal,
    starts,
    get mostRunning() {
      return mostRunning;
    },
    work: (ms, options = { signal }) =>
      take(() => new Promise((done) => time.timers.after(ms * scale, done)), options.signal),
    gate(count) {
      let open = (): void => {};
      const opened = new Promise<void>((resolve) => {
        open = resolve;
      });
      for (let index = 0; index < count; index += 1) take(() => opened, signal);
      return {
        open,
        async untilStarted(atLeast) {
          for (let tries = 0; tries < 500 && starts.length < atLeast; tries += 1) await realMoment();
          // One more could still be on its way.
          for (let tries = 0; tries < 20; tries += 1) await realMoment();
        },
      };
    },
    finish: () => time.until(Promise.allSettled(all)),
  };
}

function fullestWindow(under: UnderTest, requests: number, perMs: number, total: number): void {
  const times = under.starts.map(({ atMs }) => atMs);
  demand(times.length === total, `${times.length} of ${total} started`);
  const most = Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + perMs).length));
  demand(most <= requests, `${most} started within ${perMs} ms, ${requests} are allowed`);
}

function demand(isKept: boolean, broken: string): void {
  if (!isKept) throw new Error(broken);
}

function raise(error: Error): never {
  throw error;
}

/** The machine's clock, where a fake one cannot be had. */
function realTime(): Pick<FakeClock, 'clock' | 'timers' | 'advance' | 'until'> {
  return {
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    timers: {
      after(ms, run) {
        const timer = setTimeout(run, ms);
        return () => clearTimeout(timer);
      },
    },
    advance: (ms) => new Promise((wake) => setTimeout(wake, ms)),
    until: (work) => work,
  };
}

function realMoment(): Promise<void> {
  return new Promise((wake) => setTimeout(wake, 1));
}
