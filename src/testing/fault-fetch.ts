import type { Fetch, Timers } from '../contracts/env.ts';
import { seededRandom } from './kill-loop.ts';

/**
 * What can go wrong with a request:
 *
 * - `network_error` the connection breaks before the service sees the request
 * - `lost_answer` the service carries the request out, and the connection breaks before the answer
 * - `rate_limited` 429 with `Retry-After: 1`
 * - `server_error` 500 with a JSON body
 * - `html` 502 with a page of a proxy
 * - `truncated` the answer's body breaks off in the middle
 * - `slow` the answer comes late
 */
export type FetchFault =
  | 'network_error'
  | 'lost_answer'
  | 'rate_limited'
  | 'server_error'
  | 'html'
  | 'truncated'
  | 'slow';

/** Options of {@link faultFetch}. */
export interface FaultFetchOptions {
  /** The same seed gives the same faults at the same requests. */
  readonly seed: number;
  /** Share of requests, from 0 to 1, that each fault hits. All together at most 1. */
  readonly faults: Readonly<Partial<Record<FetchFault, number>>>;
  /** How late `slow` answers are, in milliseconds. @default 1000 */
  readonly slowMs?: number | undefined;
  /** What `slow` waits by. @default the runtime's timers */
  readonly timers?: Timers | undefined;
}

/** A `fetch` that counts the faults it made. */
export type FaultFetch = Fetch & { readonly injected: Readonly<Record<FetchFault, number>> };

/**
 * Puts faults between a client and a service, reproducibly.
 *
 * @example
 * ```ts
 * const fetch = faultFetch(service.fetch, { seed: 7, faults: { network_error: 0.05, lost_answer: 0.02 } });
 * const registry = createRegistry({ providers, ...memory(), env: { fetch } });
 * ```
 */
export function faultFetch(inner: Fetch, options: FaultFetchOptions): FaultFetch {
  const { faults, slowMs = 1_000, timers = realTimers } = options;
  const random = seededRandom(options.seed);
  const injected: Record<FetchFault, number> = {
    network_error: 0,
    lost_answer: 0,
    rate_limited: 0,
    server_error: 0,
    html: 0,
    truncated: 0,
    slow: 0,
  };

  function draw(): FetchFault | undefined {
    let dice = random();
    for (const [fault, share] of Object.entries(faults) as [FetchFault, number][]) {
      if (dice < share) return fault;
      dice -= share;
    }
    return undefined;
  }

  const fetch: Fetch = async (input, init) => {
    const fault = draw();
    if (!fault) return inner(input, init);
    injected[fault] += 1;
    switch (fault) {
      case 'network_error':
        throw connectionLost();
      case 'rate_limited':
        return Response.json({ error: 'too many requests' }, { status: 429, headers: { 'retry-after': '1' } });
      case 'server_error':
        return Response.json({ error: 'internal' }, { status: 500 });
      case 'html':
        return new Response('<html><h1>502 Bad Gateway</h1></html>', {
          status: 502,
          headers: { 'content-type': 'text/html' },
        });
      case 'slow':
        await new Promise<void>((wake) => timers.after(slowMs, wake));
        return inner(input, init);
      case 'lost_answer': {
        const answer = await inner(input, init);
        await answer.arrayBuffer();
        throw connectionLost();
      }
      case 'truncated':
        return breakOff(await inner(input, init));
    }
  };
  return Object.assign(fetch, { injected });
}

/** Half of the body, and then the connection breaks: what fetch makes of an answer shorter than its content-length. */
async function breakOff(answer: Response): Promise<Response> {
  const body = new Uint8Array(await answer.arrayBuffer());
  const half = body.subarray(0, Math.floor(body.byteLength / 2));
  let isSent = false;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (isSent) controller.error(connectionLost());
      else if (half.byteLength > 0) controller.enqueue(half);
      isSent = true;
      if (half.byteLength === 0) controller.error(connectionLost());
    },
  });
  return new Response(stream, { status: answer.status, headers: answer.headers });
}

/** As undici throws it. */
function connectionLost(): TypeError {
  const cause = Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' });
  return new TypeError('fetch failed', { cause });
}

const realTimers: Timers = {
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
