import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beginConnect, continueConnect, createRegistry, disconnect, syncHistory } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import type { IncrementalCapability } from '@mca/core/provider-kit';
import { trakt } from '@mca/core/providers/trakt';
import { fakeClock, providerContext } from '@mca/core/testing';
import { OpenAPIBackend } from 'openapi-backend';
import { beforeEach, describe, expect, test } from 'vitest';
import { REDIRECT, SECRET, TraktOAuth } from '../../providers/trakt/__fixtures__/oauth.ts';
import { AGENT, CLIENT, type ServerOptions, TOKEN, TraktServer } from '../../providers/trakt/__fixtures__/server.ts';
import { type Contract, openContract, watched, whyNot } from './contract.ts';

const API = 'https://api.trakt.tv';
const AUTH = 'https://auth.trakt.tv';
const NOW = Date.UTC(2026, 10, 1);
const MINUTE = 60_000;
const provider = trakt({ clientId: CLIENT, userAgent: AGENT });
const { history, ratings, sessionCheck } = provider.capabilities;

/** By the token of a user and the key of the app. */
function isSigned({ headers }: Request): boolean {
  const isUser = /^Bearer \S/.test(headers.get('authorization') ?? '');
  return isUser && headers.get('trakt-api-key') === CLIENT && headers.get('trakt-api-version') === '2';
}

let contract: Contract;
beforeEach(async ({ skip }) => {
  if (whyNot !== undefined) skip(whyNot);
  contract ??= await openContract({ file: 'trakt.openapi.json.gz', server: API, strict: false, isSigned });
});

const content: ServerOptions = {
  plays: Array.from({ length: 300 }, (_, index) => ({
    id: 9_000 - index,
    at: NOW - index * 10 * MINUTE,
    of: index + 1,
    type: index % 3 === 0 ? ('movie' as const) : ('episode' as const),
  })),
  ratings: (['movie', 'show', 'season', 'episode'] as const).map((type, index) => ({
    at: NOW,
    of: index + 1,
    rating: 8,
    type,
  })),
};

/** What the description says of the bodies that are posted. */
async function describedBodies(): Promise<OpenAPIBackend> {
  const packed = await readFile(join(process.env.MCA_API_SPECS ?? '', 'trakt.openapi.json.gz'));
  const definition = JSON.parse(gunzipSync(packed).toString('utf8'));
  const ajvOpts = { strict: false, allErrors: true, validateFormats: false } as const;
  return new OpenAPIBackend({ definition, strict: false, quick: true, ajvOpts }).init();
}

/** The description has parts of paths as required that may be left out: "Specify a type and id to limit the history". */
function spelledOut(request: Request): Request {
  const url = new URL(request.url);
  if (/^\/sync\/(?:history|ratings)$/.test(url.pathname)) url.pathname += '/all/1';
  return new Request(url, request);
}

const asDescribed = (from: Contract): Contract => ({
  scopesOf: (request) => from.scopesOf(spelledOut(request)),
  faultsOf: (request) => from.faultsOf(spelledOut(request)),
  faultsOfAnswer: (request, status, body) => from.faultsOfAnswer(spelledOut(request), status, body),
});
const SIGNED = { authorization: `Bearer ${TOKEN}`, 'trakt-api-key': CLIENT, 'trakt-api-version': '2' };
const asked = (path: string, headers: Record<string, string> = SIGNED) => new Request(`${API}/${path}`, { headers });
const faultsOf = (request: Request): readonly string[] => asDescribed(contract).faultsOf(request);

function observe(server: TraktServer) {
  const seen = watched(asDescribed(contract), server.fetch);
  const [strategy] = provider.auth;
  const context = providerContext({
    provider,
    fetch: seen.fetch,
    now: NOW,
    sign: strategy && 'sign' in strategy ? strategy.sign : undefined,
    credentials: { token: TOKEN },
  });
  const walk = async (capability: IncrementalCapability, since?: number, until?: number): Promise<void> => {
    for (let cursor: string | undefined, guard = 0; guard < 20; guard += 1) {
      const page = await capability.fetchPage(context, { cursor, since, until, highWater: since, limit: 1_000 });
      if (!page.hasMore) return;
      cursor = page.cursor;
    }
  };
  return { seen, context, walk };
}

describe('what the provider sends, and what the fake answers', () => {
  test('the history, from the beginning, following, and bounded', async () => {
    const { seen, walk } = observe(new TraktServer(content));
    await walk(history);
    expect(seen.requests).toHaveLength(5);
    await walk(history, NOW - 50 * MINUTE, NOW - 20 * MINUTE);
    expect(seen.faults).toEqual([]);
    expect(seen.requests.slice(0, 2)).toEqual(['/sync/last_activities', '/sync/history?page=1&limit=250']);
    expect(seen.requests[6]).toBe(
      '/sync/history?page=1&limit=250&start_at=2026-10-31T23%3A09%3A00.000Z&end_at=2026-10-31T23%3A41%3A00.000Z',
    );
  });

  test('the ratings', async () => {
    const { seen, walk } = observe(new TraktServer(content));
    await walk(ratings);
    expect(seen).toMatchObject({
      faults: [],
      // What changed meanwhile is asked before and after the lists.
      requests: [
        '/sync/last_activities',
        '/sync/ratings?page=1&limit=250',
        '/sync/ratings?page=2&limit=250',
        '/sync/last_activities',
      ],
    });
  });

  test('the settings', async () => {
    const { seen, context } = observe(new TraktServer());
    await sessionCheck.check(context);
    expect(seen).toMatchObject({ faults: [], requests: ['/users/settings'] });
  });
});

describe('OAuth, as the core asks for it', () => {
  const ana = { userId: 'ana', provider: 'trakt' } as const;

  /** A host with an OAuth service beside it, and what was wrong in requests and answers, by address and grant. */
  async function connecting() {
    const api = await describedBodies();
    const time = fakeClock(NOW);
    const oauth = new TraktOAuth({ now: time.clock.now, wantsSecret: true });
    const server = new TraktServer({ isGood: oauth.isGood });
    const faults: Record<string, readonly string[]> = {};
    const world: typeof fetch = async (input, init) => {
      const request = new Request(input, init);
      const { origin, pathname: path } = new URL(request.url);
      if (origin !== AUTH) return server.answer(request);
      const body = await request.clone().json();
      const wrong = api.validateRequest({ method: 'post', path, headers: Object.fromEntries(request.headers), body });
      const answer = await oauth.answer(request);
      const operation = api.matchOperation({ method: 'post', path, headers: {} }) ?? '';
      const wrongAnswer = api.validateResponse(await answer.clone().json(), operation, answer.status);
      faults[`${path} ${body.grant_type ?? ''}`.trim()] = [...(wrong.errors ?? []), ...(wrongAnswer.errors ?? [])].map(
        ({ message = '', params }) => `${message} ${JSON.stringify(params)}`,
      );
      return answer;
    };
    const app = { clientId: CLIENT, clientSecret: SECRET, redirectUri: REDIRECT, userAgent: AGENT };
    const registry = createRegistry({
      providers: [trakt(app)],
      ...memory({ clock: time.clock }),
      insecurePlaintextForTests: true,
      env: { clock: time.clock, timers: time.timers, fetch: world },
    });
    return { oauth, faults, registry, time };
  }

  test('devices, refreshing and revoking are as described', async () => {
    const { oauth, faults, registry, time } = await connecting();
    const begun = await time.until(beginConnect(registry, { ...ana, strategy: 'device-code' }));
    oauth.answerDevices('approved');
    await time.advance(5_000);
    const state = 'state' in begun ? begun.state : '';
    const done = await time.until(continueConnect(registry, { ...ana, state }));
    oauth.expireAll();
    await time.until(syncHistory(registry, ana));
    const connectionId = 'connection' in done ? done.connection.id : '';
    await time.until(disconnect(registry, { userId: 'ana', connectionId }));
    expect(faults).toEqual({
      '/oauth/device/code': [],
      '/oauth/device/token': [],
      '/oauth/token refresh_token': [],
      '/oauth/revoke': [],
    });
  });

  test('the description does not know PKCE yet, which takes the place of the secret', async () => {
    const { oauth, faults, registry, time } = await connecting();
    const flow = { ...ana, redirectUri: REDIRECT };
    const step = await time.until(beginConnect(registry, flow));
    const query = oauth.agree('url' in step ? step.url : '');
    await time.until(continueConnect(registry, { ...flow, query }));
    expect(faults['/oauth/token authorization_code']?.[0]).toContain("must have required property 'client_secret'");
  });
});

describe('negative controls: the contract can be broken', () => {
  test.each([
    ['a page that is no number', 'sync/history?page=first', 'must be integer'],
    ['half a page', 'sync/ratings?limit=0.5', 'must be integer'],
    ['a parameter that does not exist', 'sync/history?since=1', 'must NOT have additional properties'],
    ['bounds where there are none', 'sync/ratings?start_at=2026-01-01', 'must NOT have additional properties'],
    ['a path that does not exist', 'sync/plays', 'there is no GET'],
  ])('%s', (_, path, fault) => {
    expect(faultsOf(asked(path)).join()).toContain(fault);
  });

  test('another method, another host, no key', () => {
    expect(faultsOf(new Request(`${API}/sync/last_activities`, { method: 'POST', headers: SIGNED }))).toEqual([
      'there is no POST /sync/last_activities',
    ]);
    expect(faultsOf(new Request('https://api.example.com/users/settings'))).toEqual([
      'there is no GET /users/settings',
    ]);
    const { 'trakt-api-key': _, ...keyless } = SIGNED;
    expect(faultsOf(asked('users/settings', keyless))).toEqual(['the request is not signed']);
  });

  test('an answer of another shape, and a status nobody described', () => {
    const { faultsOfAnswer } = asDescribed(contract);
    const play = { id: 1, watched_at: '2026-01-01T00:00:00.000Z', action: 'watch', type: 'movie' };
    expect(faultsOfAnswer(asked('sync/history'), 200, [play])).toEqual([]);
    expect(faultsOfAnswer(asked('sync/history'), 200, [{ ...play, id: '1' }]).join()).toContain('must be integer');
    const { action: _, ...rest } = play;
    expect(faultsOfAnswer(asked('sync/history'), 200, [rest]).join()).toContain("'action'");
    expect(faultsOfAnswer(asked('sync/ratings'), 200, {}).join()).toContain('must be array');
    expect(faultsOfAnswer(asked('users/settings'), 418, {})).toEqual(['status 418 is not described']);
  });
});
