import type { Clock } from '../../contracts/env.ts';
import { monotonicMs } from '../sleep.ts';

/** Differences up to this are nobody's concern. */
const TOLERATED_SKEW_MS = 60_000;
/** The instant of an answer is only known to within the request's duration: slow answers are worse witnesses. */
const SLOW_ANSWER_MS = 10_000;

interface Sighting {
  /** The service's time, by its `Date` header, when this much monotonic time had passed. */
  readonly serviceMs: number;
  readonly atMonotonicMs: number;
}

/**
 * What time it is at each host, by the `Date` headers of its answers. Lifetimes of tokens are reckoned by it: a machine
 * whose clock is an hour off neither throws good tokens away nor uses expired ones.
 */
export class ServiceClocks {
  readonly #clock: Clock;
  readonly #sightings = new Map<string, Sighting>();
  /** Skew last reported, by host. */
  readonly #reported = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The host's time; the machine's while nothing else is known, or when they differ by less than a minute. */
  now(host: string): number {
    const machineMs = this.#clock.now();
    const sighting = this.#sightings.get(host);
    if (!sighting) return machineMs;
    const serviceMs = sighting.serviceMs + monotonicMs(this.#clock) - sighting.atMonotonicMs;
    return Math.abs(serviceMs - machineMs) <= TOLERATED_SKEW_MS ? machineMs : serviceMs;
  }

  /**
   * Takes note of an answer's `Date`.
   *
   * @returns the skew in milliseconds, service minus machine, when it is more than a minute and news
   */
  observe(host: string, headers: Headers, sentAtMonotonicMs: number): number | undefined {
    const dateMs = dateOf(headers);
    if (dateMs === undefined) return undefined;
    const atMonotonicMs = monotonicMs(this.#clock);
    const durationMs = Math.max(0, atMonotonicMs - sentAtMonotonicMs);
    if (durationMs > SLOW_ANSWER_MS && this.#sightings.has(host)) return undefined;
    // The header is cut to whole seconds and was written some time between sending and now: take the middle.
    const uncertaintyMs = (1_000 + durationMs) / 2;
    const serviceMs = dateMs + uncertaintyMs;
    this.#sightings.set(host, { serviceMs, atMonotonicMs });
    const skewMs = serviceMs - this.#clock.now();
    if (Math.abs(skewMs) - uncertaintyMs <= TOLERATED_SKEW_MS) {
      this.#reported.delete(host);
      return undefined;
    }
    const before = this.#reported.get(host);
    if (before !== undefined && Math.abs(skewMs - before) <= TOLERATED_SKEW_MS) return undefined;
    this.#reported.set(host, skewMs);
    return Math.round(skewMs);
  }

  clear(): void {
    this.#sightings.clear();
    this.#reported.clear();
  }
}

/** The instant an answer was made, epoch milliseconds; `undefined` for answers out of a cache. */
export function dateOf(headers: Headers): number | undefined {
  const text = headers.get('date');
  if (text === null || headers.has('age')) return undefined;
  return parseHttpDate(text);
}

const HTTP_DATES = [
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
];

/** Epoch milliseconds of a date in one of the three forms of HTTP (RFC 9110, 5.6.7), and of nothing else. */
export function parseHttpDate(text: string): number | undefined {
  const form = HTTP_DATES.findIndex((each) => each.test(text));
  if (form < 0) return undefined;
  // The third form names no zone; it is GMT all the same. `Date.parse` would take it for local time.
  const dateMs = Date.parse(form === 2 ? `${text} GMT` : text.replaceAll('-', ' '));
  return Number.isNaN(dateMs) ? undefined : dateMs;
}
