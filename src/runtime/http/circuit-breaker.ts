const FAILURES_TO_OPEN = 5;
const SUCCESSES_TO_CLOSE = 2;
const PROBE_EVERY_MS = 60_000;
/** Whoever comes while a probe is under way asks again soon, not at once. */
const SHORTEST_RETRY_MS = 1_000;

/** How a request ended, as far as the health of the host goes: `unknown` says nothing about it. */
export type Health = 'working' | 'failing' | 'unknown';

/** Leave to send one request. It has to be handed back with the outcome. */
export interface Pass {
  readonly isProbe: boolean;
}

/**
 * Leaves a host alone that failed five times in a row: one probe a minute, and business as usual after two probes that
 * went well. Takes monotonic time from its caller.
 */
export class CircuitBreaker {
  #failures = 0;
  #probesThatWorked = 0;
  #isOpen = false;
  #isProbing = false;
  #nextProbeAt = 0;

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Nothing to remember. */
  get isIdle(): boolean {
    return !this.#isOpen && this.#failures === 0;
  }

  /** How long nothing would be let through; 0 when the next request would be. Changes nothing. */
  closedForMs(nowMs: number): number {
    if (!this.#isOpen) return 0;
    const isDue = this.#probesThatWorked > 0 || nowMs >= this.#nextProbeAt;
    if (isDue && !this.#isProbing) return 0;
    return Math.max(SHORTEST_RETRY_MS, this.#nextProbeAt - nowMs);
  }

  /** Leave to send a request, or `undefined` while the host is left alone. */
  enter(nowMs: number): Pass | undefined {
    if (!this.#isOpen) return { isProbe: false };
    if (this.closedForMs(nowMs) > 0) return undefined;
    this.#isProbing = true;
    this.#nextProbeAt = nowMs + PROBE_EVERY_MS;
    return { isProbe: true };
  }

  /** Hands a pass back. Answers what changed, if anything. */
  leave(pass: Pass, health: Health, nowMs: number): 'opened' | 'closed' | undefined {
    if (pass.isProbe) {
      this.#isProbing = false;
      if (health === 'failing') this.#probesThatWorked = 0;
      if (health === 'working') this.#probesThatWorked += 1;
      // A probe that was called off proves nothing, and the next may come at once.
      if (health === 'unknown') this.#nextProbeAt = nowMs;
      if (this.#probesThatWorked < SUCCESSES_TO_CLOSE) return undefined;
      this.#isOpen = false;
      this.#failures = 0;
      this.#probesThatWorked = 0;
      return 'closed';
    }
    // Answers to requests from before it opened come late and change nothing.
    if (this.#isOpen) return undefined;
    if (health === 'working') this.#failures = 0;
    if (health !== 'failing') return undefined;
    this.#failures += 1;
    if (this.#failures < FAILURES_TO_OPEN) return undefined;
    this.#isOpen = true;
    this.#nextProbeAt = nowMs + PROBE_EVERY_MS;
    return 'opened';
  }
}
