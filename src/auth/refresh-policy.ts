import type { Random } from '../contracts/env.ts';
import { randomFraction } from '../runtime/env.ts';
import type { OAuthTokens, RefreshFailure } from './credentials.ts';

const MINUTE = 60_000;
const FIRST_COOL_DOWN = 30_000;
const LONGEST_COOL_DOWN = 3_600_000;
/** A service that failed on so many different days will not come back by itself. */
const DAYS_TO_EXHAUSTION = 4;
const LONGEST_LIFETIME_S = 315_360_000;

/**
 * How long before its end a token is replaced: a tenth of its life, at least a minute, at most a quarter of an hour, and
 * never more than half of it.
 */
export function refreshMarginMs(lifetimeMs: number): number {
  return Math.min(Math.max(lifetimeMs / 10, MINUTE), 15 * MINUTE, lifetimeMs / 2);
}

/** Life of a token in milliseconds from what the service says in seconds; `undefined` for what is no sensible number. */
export function lifetimeMsOf(expiresIn: unknown): number | undefined {
  const isNumeric = typeof expiresIn === 'number' || (typeof expiresIn === 'string' && /^\d{1,12}$/.test(expiresIn));
  const seconds = isNumeric ? Number(expiresIn) : Number.NaN;
  return seconds >= 1 && seconds <= LONGEST_LIFETIME_S ? Math.floor(seconds * 1_000) : undefined;
}

/** Whether it is time to replace the access token. Of unknown lifetime: only when the service refuses it. */
export function isDue({ expiresAt, lifetimeMs }: OAuthTokens, now: number): boolean {
  if (expiresAt === undefined) return false;
  return expiresAt - now < refreshMarginMs(lifetimeMs ?? Number.POSITIVE_INFINITY);
}

/** Whether the service would refuse the access token. */
export function isExpired({ expiresAt }: OAuthTokens, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

/** Milliseconds until the service may be asked again. A clock that was set back does not make the wait longer. */
export function coolDownLeftMs(failure: RefreshFailure | undefined, now: number): number {
  const left = (failure?.retryAt ?? now) - now;
  return left > 24 * LONGEST_COOL_DOWN ? 0 : Math.max(left, 0);
}

/** What a failure adds to those before it. */
export interface NewFailure {
  readonly code: RefreshFailure['code'];
  readonly reason: string;
  readonly ambiguous: boolean;
  /** The service itself failed, not the host's settings: days of it are counted. */
  readonly countsDays: boolean;
  /** Wait the service asked for. */
  readonly retryAfterMs?: number | undefined;
}

/** The record of failures with one more: waits double from 30 seconds to an hour, give or take a tenth. */
export function nextFailure(
  before: RefreshFailure | undefined,
  added: NewFailure,
  now: number,
  random: Random,
): RefreshFailure {
  const count = (before?.count ?? 0) + 1;
  const base = Math.min(FIRST_COOL_DOWN * 2 ** Math.min(count - 1, 20), LONGEST_COOL_DOWN);
  const jitter = 0.9 + 0.2 * randomFraction(random);
  const asked = Math.min(added.retryAfterMs ?? 0, 24 * LONGEST_COOL_DOWN);
  const today = new Date(now).toISOString().slice(0, 10);
  const days = added.countsDays ? [...new Set([...(before?.days ?? []), today])] : (before?.days ?? []);
  return {
    count,
    days,
    retryAt: now + Math.max(Math.round(base * jitter), asked),
    code: added.code,
    reason: added.reason,
    ambiguous: added.ambiguous || before?.ambiguous === true,
    ...(days.length >= DAYS_TO_EXHAUSTION && { final: 'exhausted' }),
  };
}
