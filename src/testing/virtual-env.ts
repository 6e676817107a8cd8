import { createHash } from 'node:crypto';
import type { Env, Fetch, Logger } from '../contracts/env.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';
import { seededRandom } from './kill-loop.ts';

/** A world of its own: time, chance, network and log, all of it decided by one number. */
export interface VirtualEnv {
  readonly seed: number;
  readonly time: FakeClock;
  /** The world's dice: numbers from 0 (included) to 1 (excluded). */
  readonly random: () => number;
  /** What happened, line by line. */
  readonly trace: Trace;
  /** Starts a process: what `createRegistry({ env })` takes, and the power to kill or freeze it. */
  start(): VirtualProcess;
}

/** A process that may die at any await. What it was doing then never ends, and never goes on. */
export interface VirtualProcess {
  readonly env: Env;
  readonly isAlive: boolean;
  /** Resolves when it dies. */
  readonly death: Promise<void>;
  /** Wraps an adapter so that its verbs end with the process. Every call is a chance to die: before it, or after it. */
  mortal<Adapter extends object>(adapter: Adapter): Adapter;
  /** Dies after so many calls of adapters and fetch. */
  dieAfter(calls: number): void;
  /** Dies now. */
  kill(): void;
  /** Stands still for so long, as under SIGSTOP: calls, timers and answers wait. */
  freeze(ms: number): void;
}

/** Lines of what happened, and one hash for all of them. */
export interface Trace {
  readonly lines: readonly string[];
  /** Adds a line. */
  add(line: string): void;
  /** SHA-256 of all lines, hex. Equal seeds give equal hashes. */
  hash(): string;
}

/**
 * Makes a virtual environment. Days pass in milliseconds, and always the same way for the same seed.
 *
 * @param options - `fetch` reaches the world's services; `startMs` is its first instant, epoch milliseconds; `quick` see `fakeClock`
 * @example
 * ```ts
 * const world = virtualEnv(42, { fetch: service.fetch });
 * const process = world.start();
 * const adapter = memory({ clock: world.time.clock });
 * const registry = createRegistry({ providers, storage: process.mortal(adapter.storage), env: process.env });
 * process.dieAfter(20);
 * await world.time.until(Promise.race([syncDue(registry), process.death]));
 * ```
 */
export function virtualEnv(
  seed: number,
  options: { readonly fetch: Fetch; readonly startMs?: number | undefined; readonly quick?: boolean | undefined },
): VirtualEnv {
  const time = fakeClock(options.startMs ?? Date.UTC(2026, 0, 1), { quick: options.quick });
  const random = seededRandom(seed);
  const trace = makeTrace();
  return {
    seed,
    time,
    random,
    trace,
    start: () => startProcess({ time, random, trace, fetch: options.fetch }),
  };
}

interface World {
  readonly time: FakeClock;
  readonly random: () => number;
  readonly trace: Trace;
  readonly fetch: Fetch;
}

function startProcess({ time, random, trace, fetch }: World): VirtualProcess {
  const bytes = seededRandom(Math.floor(random() * 2 ** 32));
  let isAlive = true;
  let callsLeft = Number.POSITIVE_INFINITY;
  let frozenUntilMs = 0;
  let die: () => void = () => {};
  const death = new Promise<void>((resolve) => {
    die = resolve;
  });
  const never = <Result>(): Promise<Result> => new Promise(() => {});
  const monotonic = (): number => time.clock.monotonic?.() ?? time.clock.now();

  function kill(): void {
    if (!isAlive) return;
    isAlive = false;
    trace.add('process died');
    die();
  }

  function thaw(): Promise<void> {
    const waitMs = frozenUntilMs - monotonic();
    return waitMs > 0 ? new Promise((resolve) => time.timers.after(waitMs, resolve)) : Promise.resolve();
  }

  /** One call out of the process, which may be its last. */
  async function passing<Result>(call: () => Promise<Result>): Promise<Result> {
    await thaw();
    if (!isAlive) return never();
    callsLeft -= 1;
    const isLast = callsLeft <= 0;
    if (isLast && random() < 0.5) kill();
    if (!isAlive) return never();
    try {
      return await call();
    } finally {
      if (isLast) kill();
      await thaw();
      if (!isAlive) await never();
    }
  }

  const log = (level: string) => (message: string, fields?: object) => {
    if (isAlive) trace.add(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
  };
  const logger: Logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
  return {
    env: {
      clock: time.clock,
      logger,
      random: { bytes: (length) => Uint8Array.from({ length }, () => Math.floor(bytes() * 256)) },
      timers: {
        after(ms, run) {
          return time.timers.after(ms, () => {
            void thaw().then(() => {
              if (isAlive) run();
            });
          });
        },
      },
      fetch: (input, init) => passing(() => fetch(input, init)),
    },
    get isAlive() {
      return isAlive;
    },
    death,
    mortal: (adapter) =>
      new Proxy(adapter, {
        get(target, key) {
          const value: unknown = Reflect.get(target, key);
          if (typeof value !== 'function') return value;
          return (...args: unknown[]) => passing(() => value.apply(target, args) as Promise<unknown>);
        },
      }),
    dieAfter(calls) {
      callsLeft = calls;
    },
    kill,
    freeze(ms) {
      frozenUntilMs = monotonic() + ms;
      trace.add(`process frozen for ${ms} ms`);
    },
  };
}

function makeTrace(): Trace {
  const lines: string[] = [];
  return {
    lines,
    add: (line) => void lines.push(line),
    hash: () => createHash('sha256').update(lines.join('\n')).digest('hex'),
  };
}
