import type { Clock, Env, Fetch, Logger, Random, Timers } from '../contracts/env.ts';

/** The machine's clock. */
export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** The runtime's cryptographic randomness. */
export const systemRandom: Random = { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) };

/** The runtime's timers. They keep the process alive: whoever waits means to go on. */
export const systemTimers: Timers = {
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** The runtime's `fetch`, looked up at each call so that interceptors installed later are heard. */
export const systemFetch: Fetch = (input, init) => globalThis.fetch(input, init);

/** Says nothing. Hosts that want log lines inject a logger. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Id of 128 random bits, 32 lower-case hex digits. */
export function randomId(random: Random): string {
  return Array.from(random.bytes(16), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A number from 0 (included) to 1 (excluded). */
export function randomFraction(random: Random): number {
  const [a = 0, b = 0, c = 0, d = 0] = random.bytes(4);
  return (((a << 24) | (b << 16) | (c << 8) | d) >>> 0) / 2 ** 32;
}

/** The outside world as given, with the machine's own where the host gives none. */
export function makeEnv(given: Partial<Env>): Env {
  return {
    clock: given.clock ?? systemClock,
    random: given.random ?? systemRandom,
    logger: given.logger ?? silentLogger,
    timers: given.timers ?? systemTimers,
    fetch: given.fetch ?? systemFetch,
  };
}
