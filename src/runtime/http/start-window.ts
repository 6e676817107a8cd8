import type { Env } from '../../contracts/env.ts';
import type { RateLimit } from '../../contracts/provider.ts';
import { LONGEST_TIMER_MS, monotonicMs } from '../sleep.ts';

/**
 * Lets work start in the order it came, at most `requests` times in any window of `perMs`, and not during a pause.
 *
 * A window that slides, not one that is refilled: refilling lets twice the number through around the refill.
 */
export class StartWindow {
  readonly #env: Env;
  readonly #requests: number;
  readonly #perMs: number;
  /** Monotonic instants of the last starts, oldest first, never more than `requests`. */
  readonly #starts: number[] = [];
  readonly #waiting = new Set<() => void>();
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #takeBackTimer: (() => void) | undefined;

  constructor(env: Env, limit: RateLimit) {
    this.#env = env;
    this.#requests = limit.requests;
    this.#perMs = limit.perMs;
  }

  /** Calls `start` when its turn comes, perhaps at once. The answer takes it out of the line. */
  enter(start: () => void): () => void {
    this.#waiting.add(start);
    // With a timer set somebody is before us already.
    if (!this.#takeBackTimer) this.#advance();
    return () => {
      if (this.#waiting.delete(start) && this.#waiting.size === 0) this.#stopTimer();
    };
  }

  pause(ms: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, monotonicMs(this.#env.clock) + ms);
  }

  /** How long new work would wait, in milliseconds. */
  get waitMs(): number {
    const now = monotonicMs(this.#env.clock);
    const rounds = Math.floor(this.#waiting.size / this.#requests);
    const place = this.#waiting.size % this.#requests;
    const before = this.#starts[this.#starts.length + place - this.#requests];
    const due = Math.max(now, this.#pausedUntil, before === undefined ? now : this.#reopensAt(before));
    return due - now + rounds * (this.#perMs + 1);
  }

  #advance(): void {
    this.#stopTimer();
    for (const start of this.#waiting) {
      const now = monotonicMs(this.#env.clock);
      const oldest = this.#starts[this.#starts.length - this.#requests];
      const due = Math.max(this.#pausedUntil, oldest === undefined ? now : this.#reopensAt(oldest));
      if (due > now) {
        // Looked at again when it fires: timers may be early, and pauses may have come.
        const wait = Math.min(LONGEST_TIMER_MS, Math.ceil(due - now));
        this.#takeBackTimer = this.#env.timers.after(wait, () => this.#advance());
        return;
      }
      this.#waiting.delete(start);
      this.#starts.push(now);
      if (this.#starts.length > this.#requests) this.#starts.shift();
      start();
    }
  }

  /** One millisecond later than the window ends, so that whoever counts in whole milliseconds agrees. */
  #reopensAt(start: number): number {
    return start + this.#perMs + 1;
  }

  #stopTimer(): void {
    this.#takeBackTimer?.();
    this.#takeBackTimer = undefined;
  }
}
