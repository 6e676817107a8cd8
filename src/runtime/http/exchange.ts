import type { Env, Fetch } from '../../contracts/env.ts';
import { McaError } from '../../contracts/errors.ts';
import { cancelledBy, throwIfAborted } from '../sleep.ts';
import type { WireRequest } from './build-request.ts';

/** What one exchange may cost. */
export interface ExchangeLimits {
  /** Until the answer begins, connecting included. */
  readonly headersMs: number;
  /** Between two pieces of the body. */
  readonly bodyIdleMs: number;
  readonly totalMs: number;
  /** Of the decoded body. */
  readonly maxBytes: number;
}

/** Limits of calls to a service's API. */
export const API_LIMITS: ExchangeLimits = {
  headersMs: 20_000,
  bodyIdleMs: 20_000,
  totalMs: 60_000,
  maxBytes: 10 * 2 ** 20,
};

/** Limits of calls to a token endpoint: a lock is held meanwhile. */
export const TOKEN_LIMITS: ExchangeLimits = {
  headersMs: 15_000,
  bodyIdleMs: 15_000,
  totalMs: 15_000,
  maxBytes: 64 * 2 ** 10,
};

/** An answer, read to its end. */
export interface Exchange {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
}

/**
 * One request and its whole answer, whatever the status. Nothing is sent again and no redirect is followed.
 *
 * Its errors name the host only: no address, no header, no body.
 *
 * @throws McaError `upstream` `timeout` or `network`, `invalid_data` `response_too_large`, `cancelled`, or what a
 *   `fetch` of ours threw
 */
export async function exchange(
  env: Pick<Env, 'timers'>,
  fetch: Fetch,
  request: Request | WireRequest,
  limits: ExchangeLimits,
  signal: AbortSignal,
): Promise<Exchange> {
  // Before the watch begins: loading a module is no time of the service's.
  const dispatch = request instanceof Request || request.body !== undefined ? await throughKy() : withoutBody;
  throwIfAborted(signal);
  const { host } = request instanceof Request ? new URL(request.url) : request.url;
  const watch = watchOver(env, host, limits, signal);
  try {
    // Raced, because an injected fetch need not listen to its signal.
    const response = await watch.race(dispatch(fetch, request, watch.signal));
    watch.expectMore();
    const body = await readBody(response, host, limits, watch);
    return { status: response.status, headers: response.headers, body };
  } catch (error) {
    throw asFailure(error, host);
  } finally {
    watch.end();
  }
}

/** Hands a request to `fetch`, once. */
type Dispatch = (fetch: Fetch, request: Request | WireRequest, signal: AbortSignal) => Promise<Response>;

/** Lets go of the body however that ends. */
async function throughKy(): Promise<Dispatch> {
  const { default: ky } = await import('ky');
  return async (fetch, request, signal) =>
    await ky(request instanceof Request ? request : toRequest(request), {
      fetch,
      redirect: 'manual',
      signal,
      retry: 0,
      timeout: false,
      throwHttpErrors: false,
    });
}

function toRequest({ url, method, headers, body }: WireRequest): Request {
  return new Request(url, { method, headers, ...(body !== undefined && { body }) });
}

/** There is nothing to let go of, and ky's copies of request, headers and signals would be half of what a request costs. */
const withoutBody: Dispatch = (fetch, { url, method, headers }, signal) =>
  fetch(url, { method, headers, redirect: 'manual', signal });

async function readBody(
  response: Response,
  host: string,
  limits: ExchangeLimits,
  watch: Watch,
): Promise<Uint8Array<ArrayBuffer>> {
  if (!response.body) return new Uint8Array(0);
  const reader = response.body.getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await watch.race(reader.read());
      if (done) break;
      length += value.byteLength;
      if (length > limits.maxBytes) throw tooLarge(host, limits.maxBytes);
      chunks.push(value);
      watch.expectMore();
    }
  } catch (error) {
    // Frees the socket of an answer that nobody reads to its end.
    reader.cancel().catch(() => {});
    throw error;
  }
  const [only] = chunks;
  // Most answers come in one piece: it is taken as it is.
  if (only && chunks.length === 1) return only;
  const body = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    body.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return body;
}

interface Watch {
  /** Fires with the error the exchange ends with. */
  readonly signal: AbortSignal;
  /** The work's result, or the first of the limits it meets. */
  race<Result>(work: Promise<Result>): Promise<Result>;
  /** Something came; the next piece may take its time. */
  expectMore(): void;
  end(): void;
}

function watchOver(env: Pick<Env, 'timers'>, host: string, limits: ExchangeLimits, signal: AbortSignal): Watch {
  const controller = new AbortController();
  const { promise: stopped, reject } = rejectable();
  const stop = (error: McaError): void => {
    reject(error);
    if (!controller.signal.aborted) controller.abort(error);
  };
  const onAbort = (): void => stop(cancelledBy(signal));
  signal.addEventListener('abort', onAbort, { once: true });
  const after = (ms: number): (() => void) => env.timers.after(ms, () => stop(timedOut(host, ms)));
  const endTotal = after(limits.totalMs);
  let endPiece = after(limits.headersMs);
  return {
    signal: controller.signal,
    race: (work) => {
      // Whoever loses the race must not become an unhandled rejection.
      work.catch(() => {});
      return Promise.race([stopped, work]);
    },
    expectMore() {
      endPiece();
      endPiece = after(limits.bodyIdleMs);
    },
    end() {
      signal.removeEventListener('abort', onAbort);
      endTotal();
      endPiece();
    },
  };
}

function rejectable(): { readonly promise: Promise<never>; reject(error: McaError): void } {
  let reject: (error: McaError) => void = () => {};
  const promise = new Promise<never>((_resolve, rejectPromise) => {
    reject = rejectPromise;
  });
  promise.catch(() => {});
  return { promise, reject };
}

/** An error of ours anywhere in the chain decides; all others hold the request and are told by their names. */
function asFailure(error: unknown, host: string): McaError {
  const chain = chainOf(error);
  const ours = chain.find((each) => McaError.isInstance(each));
  if (ours) return ours as McaError;
  return new McaError({
    code: 'upstream',
    reason: 'network',
    message: `No whole answer came from ${host}.`,
    cause: new Error(chain.map(nameOf).join(' < ')),
  });
}

function chainOf(error: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  for (let each = error; each !== undefined && each !== null && chain.length < 5; each = (each as Error).cause) {
    chain.push(each);
  }
  return chain;
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { code } = error as { readonly code?: unknown };
  // Not the message: an injected fetch may quote the address, a header or the body in it.
  return [error.name, typeof code === 'string' ? code : ''].filter(Boolean).join(' ');
}

function timedOut(host: string, ms: number): McaError {
  return new McaError({
    code: 'upstream',
    reason: 'timeout',
    message: `${host} kept us waiting for more than ${ms / 1000} s.`,
  });
}

function tooLarge(host: string, maxBytes: number): McaError {
  return new McaError({
    code: 'invalid_data',
    reason: 'response_too_large',
    message: `The answer of ${host} is larger than ${maxBytes} bytes.`,
  });
}
