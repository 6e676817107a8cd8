import { dateOf, parseHttpDate } from './service-clock.ts';

/** Nothing a service says makes us wait longer. */
const LONGEST_MS = 86_400_000;
/** A refusal for the limit means at least this, whatever the header says: "0" is how some services spell "soon". */
const SHORTEST_THROTTLED_MS = 1_000;
/** Numbers from here on are instants (2001 and later), below they are durations. */
const FIRST_UNIX_SECONDS = 1_000_000_000;

/**
 * How long a service asks to wait, in milliseconds, at most a day; `undefined` when it does not say, or says it in a way
 * that no specification knows (then the caller backs off by itself).
 *
 * `Retry-After` counts first, as whole seconds or as a date; then `RateLimit-Reset` (RFC draft; seconds),
 * `X-RateLimit-Reset-In` (ListenBrainz; seconds) and `X-RateLimit-Reset` (unix seconds). Those three many services send
 * with every answer: they count only where the limit is what refused the request.
 *
 * @param nowMs the service's time, epoch milliseconds; the answer's own `Date` is better still and used when there
 */
export function retryAfterMs(headers: Headers, status: number, nowMs: number): number | undefined {
  const sentMs = dateOf(headers);
  const isThrottled = status === 429 || status === 420;
  const isOfLimit = isThrottled || (status < 500 && isUsedUp(headers));
  const asked = retryAfterHeader(headers, sentMs ?? nowMs) ?? (isOfLimit ? resetMs(headers, nowMs) : undefined);
  if (asked === undefined) return undefined;
  return Math.min(LONGEST_MS, Math.max(isThrottled ? SHORTEST_THROTTLED_MS : 0, asked));
}

/** How long until the window of a rate limit begins anew, in milliseconds, at most a day. */
export function resetMs(headers: Headers, nowMs: number): number | undefined {
  for (const name of ['ratelimit-reset', 'x-ratelimit-reset-in', 'x-ratelimit-reset']) {
    const seconds = wholeSeconds(headers.get(name));
    if (seconds === undefined) continue;
    const ms = seconds < FIRST_UNIX_SECONDS ? seconds * 1_000 : seconds * 1_000 - (dateOf(headers) ?? nowMs);
    return Math.min(LONGEST_MS, Math.max(0, ms));
  }
  return undefined;
}

/** Whether the answer says that the next request of this window would be refused. */
export function isUsedUp(headers: Headers): boolean {
  return headers.get('x-ratelimit-remaining') === '0' || headers.get('ratelimit-remaining') === '0';
}

function retryAfterHeader(headers: Headers, nowMs: number): number | undefined {
  const text = headers.get('retry-after');
  const seconds = wholeSeconds(text);
  if (seconds !== undefined) return seconds * 1_000;
  const dateMs = text === null ? undefined : parseHttpDate(text.trim());
  return dateMs === undefined ? undefined : Math.max(0, dateMs - nowMs);
}

/** Digits only: no sign, no fraction, no exponent, no list. */
function wholeSeconds(text: string | null): number | undefined {
  return text !== null && /^\s*\d{1,15}\s*$/.test(text) ? Number(text) : undefined;
}
