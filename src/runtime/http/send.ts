import type { HttpRequest } from '../../contracts/capabilities/context.ts';
import { McaError } from '../../contracts/errors.ts';
import { monotonicMs } from '../sleep.ts';
import type { WireRequest } from './build-request.ts';
import type { Health } from './circuit-breaker.ts';
import { errorOf } from './error-map.ts';
import { API_LIMITS, type Exchange, type ExchangeLimits, exchange } from './exchange.ts';
import type { LimiterPath } from './limiter-pool.ts';
import { type JsonBody, readJson } from './read-json.ts';
import { isUsedUp, resetMs, retryAfterMs } from './retry-after.ts';
import type { HttpSetup } from './setup.ts';

/** What an answer said: its checked-for-safety JSON, or where to look instead. */
export type Answer = { readonly json: unknown } | { readonly location: string };

/** What stays the same over all requests of one client. */
export interface Sender {
  readonly setup: HttpSetup;
  readonly path: LimiterPath | undefined;
  readonly limits?: ExchangeLimits | undefined;
}

/**
 * One request on the wire, when limiters and circuit breaker let it. Everything that an answer tells about the service
 * is taken note of here: its health, its clock, its limits.
 */
export async function send(
  sender: Sender,
  request: HttpRequest<unknown>,
  wire: WireRequest,
  attempt: number,
): Promise<Answer> {
  const { setup, path } = sender;
  const { signal } = setup;
  refuseOpenCircuit(setup, wire);
  if (!path) return await sendNow(sender, request, wire, attempt);
  const waitMs = Math.ceil(path.waitMs);
  if (waitMs > 0) tellWaiting(setup, 'limit', waitMs);
  return await path.run(() => sendNow(sender, request, wire, attempt), signal);
}

/** Tells that a request waits. */
export function tellWaiting(setup: HttpSetup, cause: 'limit' | 'rate_limited' | 'retry', waitMs: number): void {
  const connectionId = setup.connection?.id;
  setup.emit({ type: 'request_waiting', provider: setup.provider.id, connectionId, cause, waitMs });
}

async function sendNow(
  sender: Sender,
  request: HttpRequest<unknown>,
  wire: WireRequest,
  attempt: number,
): Promise<Answer> {
  const { setup } = sender;
  const { env, provider, state } = setup;
  const { host } = wire.url;
  const breaker = state.breakerOf(provider.id, host);
  const startedAt = monotonicMs(env.clock);
  // Again, because it may have opened while the request waited.
  const pass = breaker.enter(startedAt);
  if (!pass) throw circuitOpen(setup, host, breaker.closedForMs(startedAt));
  let health: Health = 'unknown';
  let answer: Exchange | undefined;
  let failure: unknown;
  try {
    const fetch = setup.guardedFetch ?? env.fetch;
    answer = await exchange(env, fetch, wire, sender.limits ?? API_LIMITS, setup.signal);
    health = answer.status >= 500 ? 'failing' : 'working';
    noteClock(setup, host, answer, startedAt);
    return understand(sender, request, host, answer);
  } catch (error) {
    failure = error;
    if (isTransportFailure(error) && !answer) health = 'failing';
    throw error;
  } finally {
    const endedAt = monotonicMs(env.clock);
    setup.emit({
      type: 'request',
      provider: provider.id,
      connectionId: setup.connection?.id,
      operation: request.operation,
      method: wire.method,
      host,
      status: answer?.status,
      attempt,
      durationMs: endedAt - startedAt,
      bytes: answer?.body.byteLength ?? 0,
      error: McaError.isInstance(failure) ? { code: failure.code, reason: failure.reason } : undefined,
    });
    const change = breaker.leave(pass, health, endedAt);
    if (change) setup.emit({ type: `circuit_${change}`, provider: provider.id, host });
  }
}

function understand(sender: Sender, request: HttpRequest<unknown>, host: string, answer: Exchange): Answer {
  const { setup, path } = sender;
  const { status, headers } = answer;
  const location = headers.get('location');
  if (status >= 300 && status < 400 && location !== null) return { location };

  let decoded: string | undefined;
  const text = (): string => {
    decoded ??= setup.state.decoder.decode(answer.body);
    return decoded;
  };
  const isFine = status >= 200 && status < 300;
  const body = readBody(text(), isFine);
  const nowMs = setup.state.providerNow(host);
  const error = errorOf(setup.provider, request.operation, {
    status,
    json: body.kind === 'json' ? body.value : undefined,
    text,
    retryAfterMs: status >= 400 ? retryAfterMs(headers, status, nowMs) : undefined,
  });
  noteLimits(path, headers, error, nowMs);
  if (error) throw error;
  if (body.kind === 'not_json') {
    throw new McaError({
      code: 'upstream',
      reason: 'not_json',
      message: `${host} answered something that is not JSON, as proxies do when the service behind them is away.`,
    });
  }
  return { json: body.kind === 'json' ? body.value : undefined };
}

/** The body of an error answer is a help, not a must: nothing in it may hide the error. */
function readBody(text: string, isFine: boolean): JsonBody {
  try {
    return readJson(text);
  } catch (error) {
    if (isFine) throw error;
    return { kind: 'not_json' };
  }
}

function noteClock(setup: HttpSetup, host: string, answer: Exchange, startedAt: number): void {
  const skewMs = setup.state.clocks.observe(host, answer.headers, startedAt);
  if (skewMs !== undefined) setup.emit({ type: 'clock_skew', provider: setup.provider.id, host, skewMs });
}

/** All who share a limit wait when the service says that it is used up, not only whoever was told so. */
function noteLimits(path: LimiterPath | undefined, headers: Headers, error: McaError | undefined, nowMs: number): void {
  if (!path) return;
  const pauseMs = error?.code === 'rate_limit' ? error.retryAfterMs : undefined;
  const windowMs = isUsedUp(headers) ? resetMs(headers, nowMs) : undefined;
  const longest = Math.max(pauseMs ?? 0, windowMs ?? 0);
  if (longest > 0) path.pause(longest);
}

function isTransportFailure(error: unknown): boolean {
  return McaError.isInstance(error) && error.code === 'upstream';
}

function refuseOpenCircuit(setup: HttpSetup, wire: WireRequest): void {
  const { host } = wire.url;
  const breaker = setup.state.breakerOf(setup.provider.id, host);
  const closedForMs = breaker.closedForMs(monotonicMs(setup.env.clock));
  if (closedForMs > 0) throw circuitOpen(setup, host, closedForMs);
}

function circuitOpen(setup: HttpSetup, host: string, retryAfter: number): McaError {
  return new McaError({
    code: 'upstream',
    reason: 'circuit_open',
    provider: setup.provider.id,
    message: `${host} failed several times in a row and is left alone for a while.`,
    retryAfterMs: Math.ceil(retryAfter),
  });
}
