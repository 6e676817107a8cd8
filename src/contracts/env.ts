/** Source of time. Everything in the SDK that needs the time asks this. */
export interface Clock {
  /** Epoch milliseconds. May step when the machine's clock is set. */
  now(): number;
  /** Milliseconds since an unknown instant; never steps. @default `now` */
  monotonic?(): number;
}

/** Source of waiting. Everything in the SDK that waits asks this. */
export interface Timers {
  /** Calls `run` once after `ms` milliseconds, at most 2^31-1. The answer takes it back. */
  after(ms: number, run: () => void): () => void;
}

/** The web's `fetch`. */
export type Fetch = typeof globalThis.fetch;

/** Source of randomness for ids and jitter. */
export interface Random {
  /** Fills the array with random bytes and returns it. */
  bytes(length: number): Uint8Array;
}

/** Where the SDK writes what an operator may want to know. Fields never hold secrets or a user's history. */
export interface Logger {
  /** For whoever hunts a defect. */
  debug(message: string, fields?: LogFields): void;
  /** Something worth knowing happened. */
  info(message: string, fields?: LogFields): void;
  /** Something went wrong and was dealt with. */
  warn(message: string, fields?: LogFields): void;
  /** Something went wrong and somebody should look. */
  error(message: string, fields?: LogFields): void;
}

/** Structured fields of a log line. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** All that the SDK takes from the outside world, injected through `createRegistry`. */
export interface Env {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly timers: Timers;
  /** How services are reached. Requests to hosts of a provider's own list only. */
  readonly fetch: Fetch;
}
