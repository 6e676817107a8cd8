import type { HttpClient, HttpRequest } from '../../src/contracts/capabilities/context.ts';
import type { Env, Fetch } from '../../src/contracts/env.ts';
import type { McaEvent } from '../../src/contracts/events.ts';
import type { AnyProvider } from '../../src/contracts/provider.ts';
import type { StandardSchema } from '../../src/contracts/standard-schema.ts';
import { makeEnv } from '../../src/runtime/env.ts';
import { createHttpClient } from '../../src/runtime/http/client.ts';
import type { ExchangeLimits } from '../../src/runtime/http/exchange.ts';
import type { HttpSetup } from '../../src/runtime/http/setup.ts';
import { HttpState } from '../../src/runtime/http/state.ts';
import { type FakeClock, fakeClock } from '../../src/testing/fake-clock.ts';
import { seededRandom } from '../../src/testing/kill-loop.ts';

/** Accepts anything. */
export const anything: StandardSchema<unknown> = {
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) },
};

/** A provider of which only the HTTP part matters. */
export function testProvider(parts: Partial<AnyProvider> = {}): AnyProvider {
  return {
    apiVersion: 1,
    id: 'test-service',
    name: 'Test Service',
    baseUrl: 'https://api.test.example/v1',
    auth: [{ type: 'none' }],
    limits: [],
    policy: {},
    capabilities: {},
    ...parts,
  };
}

/** A client under test with all that it talks to. */
export interface HttpUnderTest {
  readonly client: HttpClient;
  readonly state: HttpState;
  readonly env: Env;
  readonly time: FakeClock;
  readonly events: McaEvent[];
  readonly controller: AbortController;
  /** The client of another connection that shares the state. */
  clientOf(connectionId: string): HttpClient;
  get(path?: string, more?: Partial<HttpRequest<unknown>>): Promise<unknown>;
}

/** Sets a client up over a fake clock and the given fetch. */
export function httpUnderTest(
  fetch: Fetch,
  parts: Partial<Omit<HttpSetup, 'env'>> & {
    readonly env?: Partial<Env>;
    readonly limits?: ExchangeLimits;
    readonly startMs?: number;
  } = {},
): HttpUnderTest {
  const time = fakeClock(parts.startMs ?? Date.UTC(2026, 6, 1));
  const random = seededRandom(1);
  const env = makeEnv({
    clock: time.clock,
    timers: time.timers,
    fetch,
    random: { bytes: (length) => Uint8Array.from({ length }, () => Math.floor(random() * 256)) },
    ...parts.env,
  });
  const events: McaEvent[] = [];
  const controller = new AbortController();
  const state = parts.state ?? new HttpState({ env });
  const provider = parts.provider ?? testProvider();
  const setup: HttpSetup = {
    connection: undefined,
    baseUrl: provider.baseUrl ?? 'https://api.test.example/v1',
    guardedFetch: undefined,
    authoriser: undefined,
    emit: (event) => events.push(event),
    signal: controller.signal,
    ...parts,
    provider,
    state,
    env,
  };
  const client = createHttpClient(setup, parts.limits);
  return {
    client,
    state,
    env,
    time,
    events,
    controller,
    clientOf: (id) => createHttpClient({ ...setup, connection: { id, userId: `user of ${id}` } }, parts.limits),
    get: (path = 'things', more = {}) => client.request({ path, operation: 'list-things', schema: anything, ...more }),
  };
}

/** Answers of a service: JSON with a status and headers. */
export function jsonAnswer(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(body === undefined ? null : JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', ...headers },
  });
}

/** A fetch that keeps what it was asked and answers from a function. */
export function recordingFetch(answer: (request: Request, count: number) => Response | Promise<Response>): {
  readonly fetch: Fetch;
  readonly requests: Request[];
} {
  const requests: Request[] = [];
  return {
    requests,
    fetch: async (input, init) => {
      const request = new Request(input, init);
      requests.push(request.clone());
      return answer(request, requests.length);
    },
  };
}
