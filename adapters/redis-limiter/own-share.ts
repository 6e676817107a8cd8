import type { RateLimit } from '@mca/core/adapter-kit';

/** A start of this process. */
export interface OwnStart {
  /** Counts from 1. */
  readonly number: number;
  /** Monotonic. */
  readonly at: number;
}

/** What this process started lately, and what it may start without asking anybody: its share of the limit. */
export class OwnShare {
  readonly #requests: number;
  readonly #perMs: number;
  readonly #kept: number;
  /** Monotonic instants, oldest first; the newest has the number of `#count`. */
  readonly #starts: number[] = [];
  #count = 0;
  #heldUntil: number = Number.NEGATIVE_INFINITY;

  constructor({ requests, perMs }: RateLimit, machines: number) {
    const share = Math.floor(requests / machines);
    this.#requests = Math.max(1, share);
    // Less than one each: one, less often.
    this.#perMs = share >= 1 ? perMs : Math.ceil((perMs * machines) / requests);
    this.#kept = requests;
  }

  /** How often something was started. */
  get count(): number {
    return this.#count;
  }

  note(now: number): void {
    this.#count += 1;
    this.#starts.push(now);
    if (this.#starts.length > this.#kept) this.#starts.shift();
  }

  /**
   * Nothing is in its share for so long. One that runs already is not made longer: with a Redis that comes and goes, or
   * refuses again and again, nothing would ever start.
   */
  hold(now: number, ms: number): void {
    if (now >= this.#heldUntil) this.#heldUntil = now + ms;
  }

  waitMs(now: number): number {
    const oldest = this.#starts[this.#starts.length - this.#requests];
    const reopensAt = oldest === undefined ? now : oldest + this.#perMs + 1;
    return Math.max(0, this.#heldUntil - now, reopensAt - now);
  }

  /** What was started after that instant, oldest first. */
  since(instant: number): readonly OwnStart[] {
    const first = this.#count - this.#starts.length + 1;
    return this.#starts.map((at, index) => ({ number: first + index, at })).filter(({ at }) => at > instant);
  }
}
