import { inspect } from 'node:util';
import type { HttpClient, McaEvent, ProviderContext } from '@mca/core/provider-kit';
import { McaError } from '@mca/core/provider-kit';
import { lastfm } from '@mca/core/providers/lastfm';
import { listenbrainz } from '@mca/core/providers/listenbrainz';
import { spotify } from '@mca/core/providers/spotify';
import { type ConnectionFault, faultProxy } from '@mca/core/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { APP, USER as LASTFM_USER, LastfmServer, SESSION_KEY } from '../../providers/lastfm/__fixtures__/server.ts';
import {
  TOKEN as LISTENBRAINZ_TOKEN,
  USER as LISTENBRAINZ_USER,
  ListenBrainzServer,
} from '../../providers/listenbrainz/__fixtures__/server.ts';
import {
  ACCOUNT as SPOTIFY_ACCOUNT,
  TOKEN as SPOTIFY_TOKEN,
  SpotifyServer,
} from '../../providers/spotify/__fixtures__/server.ts';
import type { SignRequest } from '../../src/contracts/auth.ts';
import type { AnyProvider } from '../../src/contracts/provider.ts';
import { makeEnv } from '../../src/runtime/env.ts';
import { createHttpClient } from '../../src/runtime/http/client.ts';
import { API_LIMITS, type ExchangeLimits } from '../../src/runtime/http/exchange.ts';
import { HttpState } from '../../src/runtime/http/state.ts';
import { recordFigure } from '../support/reliability.ts';
import { serve } from '../support/serve.ts';

/** The real limits with every time divided by forty. */
const QUICK: ExchangeLimits = { ...API_LIMITS, headersMs: 500, bodyIdleMs: 500, totalMs: 1_500 };
/** Three attempts that time out, their waits, and a machine that is busy. */
const HANG_MS = 15_000;

/** Faults of the connection, and of what comes through it whole. */
type Fault = ConnectionFault | 'other-json' | 'half-json' | 'page-of-a-proxy';

/** What a caller is told. All but the last may be over in a moment, so they are tried three times. */
const EXPECTED: Readonly<Record<Fault, { readonly code: string; readonly reason: string } | undefined>> = {
  none: undefined,
  delay: undefined,
  reset: { code: 'upstream', reason: 'network' },
  'half-open': { code: 'upstream', reason: 'timeout' },
  trickle: { code: 'upstream', reason: 'timeout' },
  truncate: { code: 'upstream', reason: 'network' },
  'wrong-length': { code: 'upstream', reason: 'network' },
  garbage: { code: 'upstream', reason: 'network' },
  'half-json': { code: 'upstream', reason: 'not_json' },
  'page-of-a-proxy': { code: 'upstream', reason: 'not_json' },
  'other-json': { code: 'invalid_data', reason: 'unexpected_answer' },
};
const FAULTS = Object.keys(EXPECTED) as Fault[];

/** A live provider with the fake of its service. */
interface Live {
  /** Root of its API below the origin. */
  readonly root: string;
  readonly account: string;
  readonly credentials: { readonly token?: string; readonly fields?: Readonly<Record<string, string>> };
  /** What no error may hold. */
  readonly secrets: readonly string[];
  provider(baseUrl: string): AnyProvider;
  answer(request: Request): Promise<Response>;
}

const T0 = Date.UTC(2026, 0, 1);
const times = Array.from({ length: 40 }, (_, index) => T0 + index * 240_000);

const LIVE: Readonly<Record<string, () => Live>> = {
  spotify: () => {
    const service = new SpotifyServer({
      plays: times.map((endedAt, index) => ({ endedAt, id: String(index).padStart(22, '0') })),
    });
    return {
      root: '/v1',
      account: SPOTIFY_ACCOUNT,
      credentials: { token: SPOTIFY_TOKEN },
      secrets: [SPOTIFY_TOKEN],
      provider: (baseUrl) => spotify({ clientId: 'app-of-the-host', clientSecret: 'secret-of-the-app', baseUrl }),
      answer: (request) => service.answer(request),
    };
  },
  lastfm: () => {
    const service = new LastfmServer(times.map((time, index) => ({ uts: time / 1_000, name: `Song ${index}` })));
    return {
      root: '/2.0/',
      account: LASTFM_USER,
      credentials: { token: SESSION_KEY },
      secrets: [SESSION_KEY, APP.apiKey, APP.sharedSecret],
      provider: (baseUrl) => lastfm({ ...APP, baseUrl }),
      answer: (request) => service.answer(request),
    };
  },
  listenbrainz: () => {
    const service = new ListenBrainzServer(times.map((time, index) => ({ at: time / 1_000, msid: `msid-${index}` })));
    return {
      root: '/1',
      account: LISTENBRAINZ_USER,
      credentials: { fields: { token: LISTENBRAINZ_TOKEN } },
      secrets: [LISTENBRAINZ_TOKEN],
      provider: (baseUrl) => listenbrainz({ baseUrl }),
      answer: (request) => service.answer(request),
    };
  },
};

const bearer: SignRequest = ({ headers }, { token }) => headers.set('authorization', `Bearer ${token}`);

/** Makes a client; broken ones show that the harness would notice. */
type MakeClient = (live: Live, provider: AnyProvider, onEvent: (event: McaEvent) => void) => HttpClient;

const ourClient: MakeClient = ({ account, credentials }, provider, emit) => {
  const env = makeEnv({});
  const [strategy] = provider.auth;
  const sign = (strategy && 'sign' in strategy ? strategy.sign : undefined) ?? bearer;
  const held = { fields: {}, ...credentials, account, version: 1 };
  return createHttpClient(
    {
      env,
      provider,
      connection: { id: 'connection-1', userId: 'ana' },
      baseUrl: provider.baseUrl ?? '',
      guardedFetch: undefined,
      authoriser: { current: async () => held, renew: async () => held, sign },
      state: new HttpState({ env }),
      emit,
      signal: new AbortController().signal,
    },
    QUICK,
  );
};

interface Outcome {
  readonly fault: Fault;
  readonly items: number;
  readonly error: unknown;
  readonly hasHung: boolean;
  readonly attempts: number;
  readonly leaked: readonly string[];
  /** Connections that our side left open. */
  readonly leftOpen: number;
}

/** One page of a history through a proxy that breaks connections in one way. */
async function meet(name: string, fault: Fault, makeClient: MakeClient = ourClient): Promise<Outcome> {
  const live = (LIVE[name] as () => Live)();
  const server = await serve(async (request) => spoil(fault, await live.answer(request)));
  const proxy = await faultProxy({
    targetPort: Number(new URL(server.origin).port),
    fault: isOfConnection(fault) ? fault : 'none',
    trickleMs: 10,
    delayMs: 100,
  });
  try {
    const provider = live.provider(`${proxy.url}${live.root}`);
    const events: McaEvent[] = [];
    const context: ProviderContext = {
      http: makeClient(live, provider, (event) => events.push(event)),
      account: { id: live.account, baseUrl: provider.baseUrl, fields: {} },
      signal: new AbortController().signal,
      now: () => Date.now(),
    };
    const request = { cursor: undefined, since: undefined, until: undefined, highWater: undefined, limit: 50 };
    let items = 0;
    const work = async (): Promise<unknown> => {
      try {
        items = (await provider.capabilities.history?.fetchPage(context, request))?.items.length ?? 0;
        return undefined;
      } catch (error) {
        return error;
      }
    };
    const error = await within(work(), HANG_MS);
    const told = [inspect(error, { depth: 10 }), JSON.stringify(error), String((error as Error | undefined)?.stack)];
    // An answer that came whole leaves its connection for the next request.
    const mayStay = isOfConnection(fault) && EXPECTED[fault] !== undefined ? 0 : Number.POSITIVE_INFINITY;
    for (let waitedMs = 0; proxy.openConnections > mayStay && waitedMs < 1_000; waitedMs += 10) await pause(10);
    return {
      fault,
      items,
      error,
      hasHung: error === HUNG,
      attempts: events.filter(({ type }) => type === 'request').length,
      leaked: live.secrets.filter((secret) => told.some((text) => text?.includes(secret))),
      leftOpen: Math.max(0, proxy.openConnections - mayStay),
    };
  } finally {
    await proxy.close();
    await server.close();
  }
}

/** Answers as they are, with the length that `wrong-length` falsifies; or whole and wrong. */
async function spoil(fault: Fault, answer: Response): Promise<Response> {
  const text = await answer.text();
  if (fault === 'other-json') return Response.json({ welcome: 'to an API of next year' });
  if (fault === 'page-of-a-proxy') {
    return new Response('<html>Sign in to this network</html>', { headers: { 'content-type': 'text/html' } });
  }
  const body = Buffer.from(fault === 'half-json' ? text.slice(0, text.length / 2) : text);
  const headers = { 'content-type': 'application/json', 'content-length': String(body.length) };
  return new Response(body, { status: answer.status, headers });
}

function isOfConnection(fault: Fault): fault is ConnectionFault {
  return !['other-json', 'half-json', 'page-of-a-proxy'].includes(fault);
}

const HUNG = Symbol('hung');
const pause = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));

async function within(work: Promise<unknown>, ms: number): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(() => resolve(HUNG), ms);
  });
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** What is wrong with an outcome; nothing, if all is well. */
function wrongWith({ fault, items, error, hasHung, attempts, leaked, leftOpen }: Outcome): readonly string[] {
  const wanted = EXPECTED[fault];
  const { code, reason, provider } = (error ?? {}) as McaError;
  const isAsWanted = wanted
    ? McaError.isInstance(error) && code === wanted.code && reason === wanted.reason && provider !== undefined
    : error === undefined && items === times.length;
  return [
    ...(hasHung ? ['hangs'] : []),
    ...(isAsWanted ? [] : [`ends with ${code}/${reason} and ${items} items: ${String(error)}`]),
    ...(wanted?.code === 'upstream' && attempts !== 3 ? [`tries ${attempts} times`] : []),
    ...(leaked.length > 0 ? ['leaks a secret'] : []),
    ...(leftOpen > 0 ? [`leaves ${leftOpen} connections open`] : []),
  ].map((what) => `${fault} ${what}`);
}

describe('R-089 each fault of a connection at each live provider', () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => {
    unhandled.push(error);
  };
  beforeEach(() => {
    unhandled.length = 0;
    process.on('unhandledRejection', note);
  });
  afterEach(() => {
    process.off('unhandledRejection', note);
  });

  for (const name of Object.keys(LIVE)) {
    test(`R-089 ${name}: a typed error each, nothing hangs, nothing leaks, nothing is left unhandled`, async () => {
      const outcomes = await Promise.all(FAULTS.map((fault) => meet(name, fault)));
      expect(outcomes.flatMap(wrongWith)).toEqual([]);
      // Rejections are told of a turn after they happened.
      await pause(50);
      expect(unhandled).toEqual([]);
      const failed = outcomes.filter(({ error }) => McaError.isInstance(error)).length;
      recordFigure(
        'R-089',
        `${name}: ${FAULTS.length - 1} faults, ${failed} typed errors, the delayed answer read; 0 secrets, 0 unhandled rejections`,
      );
    });
  }

  test('R-089 the harness notices a client that throws what fetch throws, quotes its request, and forgets a rejection', async () => {
    const talkative: MakeClient = (_live, provider) => ({
      async request() {
        // Nobody waits for this one.
        Promise.reject(new Error('lost'));
        const headers = { authorization: `Bearer ${SPOTIFY_TOKEN}` };
        const answer = await fetch(`${provider.baseUrl}/me/player/recently-played?limit=50`, { headers }).catch(
          (cause: unknown) => {
            throw new Error('failed', { cause: { cause, headers } });
          },
        );
        return await answer.json();
      },
    });
    const [reset, truncated, fine] = await Promise.all(
      (['reset', 'truncate', 'none'] as const).map((fault) => meet('spotify', fault, talkative)),
    );
    await pause(50);
    expect(reset && wrongWith(reset)).toEqual(expect.arrayContaining(['reset leaks a secret', 'reset tries 0 times']));
    expect(truncated && wrongWith(truncated).join()).toMatch(/^truncate ends with/);
    expect(fine && wrongWith(fine)).toEqual([]);
    expect(unhandled).toHaveLength(3);
  });
});
