import type { Clock } from '../contracts/env.ts';

const KEEP_MS = 300_000;
const KEEP_MOST = 1_000;

/**
 * Opened data keys, for a short while: a key service that is away for some minutes stops nobody who was just served.
 * They are kept as keys that cannot be exported.
 */
export class DataKeys {
  readonly #clock: Clock;
  readonly #kept = new Map<string, { readonly key: CryptoKey; readonly until: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The key by this name, opened when it is not known any more. */
  async get(name: string, open: () => Promise<CryptoKey>): Promise<CryptoKey> {
    const known = this.#kept.get(name);
    if (known && known.until > this.#now()) return known.key;
    this.#kept.delete(name);
    const key = await open();
    this.remember(name, key);
    return key;
  }

  /** Keeps a key for five minutes, at most a thousand at a time. */
  remember(name: string, key: CryptoKey): void {
    this.#kept.delete(name);
    this.#kept.set(name, { key, until: this.#now() + KEEP_MS });
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEEP_MOST) return;
      this.#kept.delete(oldest);
    }
  }

  /** How many keys are kept. */
  get size(): number {
    return this.#kept.size;
  }

  // A clock that was set back must not keep keys longer.
  #now(): number {
    return this.#clock.monotonic?.() ?? this.#clock.now();
  }
}
