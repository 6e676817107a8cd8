import type { Clock, Env, Logger, Random } from '../contracts/env.ts';

/** The machine's clock. */
export const systemClock: Clock = { now: () => Date.now() };

/** The runtime's cryptographic randomness. */
export const systemRandom: Random = { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) };

/** Says nothing. Hosts that want log lines inject a logger. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Id of 128 random bits, 32 lower-case hex digits. */
export function randomId(random: Random): string {
  return Array.from(random.bytes(16), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The outside world as given, with the machine's own where the host gives none. */
export function makeEnv(given: Partial<Env>): Env {
  return {
    clock: given.clock ?? systemClock,
    random: given.random ?? systemRandom,
    logger: given.logger ?? silentLogger,
  };
}
