import { addConnection, beginConnect, continueConnect, createRegistry, queryItems, syncHistory } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { lastfm } from '@mca/core/providers/lastfm';
import { type ExpectedError, fakeClock, historyConformance, providerContext } from '@mca/core/testing';
import { http } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { APP, type FakeScrobble, LastfmServer, refusal, SESSION_KEY, TOKEN, USER } from './__fixtures__/server.ts';
import { signatureOf } from './signature.ts';

const NOW = Date.UTC(2026, 0, 10);
const T0 = NOW / 1_000 - 40 * 86_400;
const provider = lastfm(APP);
const { history, sessionCheck } = provider.capabilities;
const [strategy] = provider.auth;
const sign = strategy && 'sign' in strategy ? strategy.sign : undefined;
const start = { cursor: undefined, since: undefined, until: undefined, highWater: undefined, limit: 200 };

const scrobbles = (count: number): FakeScrobble[] =>
  Array.from({ length: count }, (_, index) => ({ uts: T0 + index * 180, name: `Song ${index}` }));
const contextOf = (server: LastfmServer, credentials: object = { token: SESSION_KEY }) =>
  providerContext({ provider, fetch: server.fetch, now: NOW, sign, credentials: { account: USER, ...credentials } });

async function walk(
  server: LastfmServer,
  request: Partial<Parameters<typeof history.fetchPage>[1]> = {},
  betweenPages: (page: number) => void = () => {},
) {
  const context = contextOf(server);
  const pages = [];
  let next: Parameters<typeof history.fetchPage>[1] = { ...start, ...request };
  for (let guard = 0; guard < 60; guard += 1) {
    const page = await history.fetchPage(context, next);
    pages.push(page);
    if (!page.hasMore) break;
    next = { ...next, cursor: page.cursor };
    betweenPages(pages.length);
  }
  return pages;
}

const titlesOf = (pages: Awaited<ReturnType<typeof walk>>): string[] => [
  ...new Set(pages.flatMap(({ items }) => items.map(({ title }) => title))),
];
const answering =
  (answer: Response): typeof globalThis.fetch =>
  async () =>
    answer.clone();
const serving = (...records: FakeScrobble[]): LastfmServer => new LastfmServer(records);

describe('signature: the vectors of the documentation', () => {
  test.each([
    [{ api_key: 'k', method: 'auth.getSession', token: 't', format: 'json' }, 's', '4b1fe62eb056c03672443be528ff2633'],
    [
      { api_key: 'YOUR_API_KEY', method: 'auth.getSession', token: 'YOUR_REQUESTED_TOKEN' },
      'YOUR_SECRET',
      '94539006de89b3c6b3c030bb1e52b9c4',
    ],
    [
      {
        track: 'RAINSICK',
        artist: 'KITANO REM',
        method: 'track.love',
        sk: 'YOUR_SESSION_KEY',
        api_key: 'YOUR_API_KEY',
      },
      'YOUR_SECRET',
      '800b8884b00c9343d1d425ed271e0f42',
    ],
    [
      {
        'artist[0]': 'Café Tacvba',
        'artist[1]': 'B',
        'track[0]': 'Eres',
        'track[1]': 'T & U',
        'timestamp[0]': '1700000000',
        'timestamp[1]': '1700000300',
        api_key: 'testkey',
        method: 'track.scrobble',
        sk: 'testsk',
      },
      'testsecret',
      '2cf59b25ec3db78b9a0e98768e1e0c67',
    ],
  ])('%j', (parameters, secret, expected) => {
    expect(signatureOf(Object.entries(parameters) as [string, string][], secret)).toBe(expected);
  });

  test('array parameters stand in byte order, ten before one', () => {
    const parameters: [string, string][] = [
      ['artist[1]', 'b'],
      ['artist[10]', 'c'],
      ['artist[0]', 'a'],
    ];
    const sorted: [string, string][] = [
      ['artist[0]', 'a'],
      ['artist[10]', 'c'],
      ['artist[1]', 'b'],
    ];
    expect(signatureOf(parameters, 's')).toBe(signatureOf(sorted, 's'));
    expect(
      signatureOf(
        [
          ['a', '1'],
          ['b', '2'],
        ],
        's',
      ),
    ).not.toBe(
      signatureOf(
        [
          ['a', '12'],
          ['b', ''],
        ],
        't',
      ),
    );
  });
});

describe('conformance', () => {
  const full = scrobbles(35);
  const numbered: readonly [number, string, number, ExpectedError['code'], string?][] = [
    [2, 'Invalid service', 200, 'invalid_data'],
    [2, 'Service offline', 503, 'upstream', 'service_offline'],
    [3, 'Invalid Method', 400, 'invalid_data'],
    [4, 'Authentication Failed', 403, 'auth_expired', 'authentication_failed'],
    [5, 'Invalid format', 400, 'invalid_data'],
    [6, 'User not found', 404, 'not_found', 'unknown_user'],
    [6, 'Invalid parameters', 400, 'invalid_data'],
    [7, 'Invalid resource specified', 200, 'not_found'],
    [8, 'Operation failed', 500, 'upstream', 'try_again'],
    [8, 'Operation failed', 200, 'upstream', 'try_again'],
    [9, 'Invalid session key', 403, 'auth_expired', 'session_revoked'],
    [10, 'Invalid API key', 403, 'permission_denied', 'invalid_api_key'],
    [11, 'Service Offline', 503, 'upstream', 'try_again'],
    [12, 'Subscribers only', 403, 'permission_denied', 'subscribers_only'],
    [13, 'Invalid method signature', 403, 'invalid_data', 'invalid_signature'],
    [14, 'Unauthorized Token', 403, 'permission_denied', 'token_not_approved'],
    [15, 'This token has expired', 403, 'auth_expired', 'token_expired'],
    [16, 'Temporarily unavailable', 503, 'upstream', 'try_again'],
    [17, 'Login: User required to be logged in', 403, 'permission_denied', 'private_history'],
    [18, 'Trial expired', 403, 'permission_denied', 'subscribers_only'],
    [20, 'Not enough content', 200, 'not_found'],
    [25, 'Radio station not found', 404, 'not_found'],
    [26, 'Suspended API key', 403, 'permission_denied', 'api_key_suspended'],
    [27, 'Deprecated', 400, 'invalid_data'],
    [29, 'Rate Limit Exceeded', 200, 'rate_limit'],
  ];
  const errors: ExpectedError[] = numbered.map(([number, message, status, code, reason]) => ({
    title: `error ${number} with status ${status}`,
    service: answering(refusal(number, message, status)),
    code,
    reason,
  }));
  const bare = (status: number, body: string): typeof globalThis.fetch =>
    answering(new Response(body, { status, headers: { 'content-type': 'text/html' } }));
  const cases = historyConformance({
    provider,
    credentials: { account: USER, token: SESSION_KEY },
    now: NOW,
    service: {
      full: new LastfmServer(full).fetch,
      empty: new LastfmServer().fetch,
      withBadRecord: serving(
        { uts: T0, name: 'good' },
        { uts: T0 + 9, name: 'bad', raw: { name: 7, artist: {}, date: { uts: String(T0 + 9) } } },
      ).fetch,
    },
    expected: [],
    errors: [
      ...errors,
      { title: 'status 400 without a number', service: bare(400, ''), code: 'upstream', reason: 'try_again' },
      { title: 'status 429 without a number', service: bare(429, ''), code: 'rate_limit' },
      { title: 'a page of its proxy', service: bare(502, '<html>Bad Gateway</html>'), code: 'upstream' },
    ],
  });
  for (const { id, title, skip, run } of cases) {
    if (id !== 'HIST-1') test.skipIf(skip)(`${id} ${title}`, run);
  }

  test('HIST-1 a walk gives every item, and so does what follows any of its pages', async () => {
    const server = new LastfmServer(full);
    const expected = (await walk(server)).flatMap(({ items }) => items.map(({ externalId }) => externalId));
    expect(new Set(expected).size).toBe(35);
    const underTest = { provider, credentials: { account: USER, token: SESSION_KEY }, now: NOW, errors: [], expected };
    const later = scrobbles(20).map(({ name }, index) => ({ uts: NOW / 1_000 + 1 + index, name: `Later ${name}` }));
    const told = await walk(new LastfmServer(later), { limit: 100, until: NOW + 3_600_000 });
    const keys = told.flatMap(({ items }) => items.map(({ externalId }) => externalId)).toSorted();
    expect(keys).toHaveLength(20);
    const growing = () => {
      let count = 0;
      const fetch: typeof globalThis.fetch = (...args) =>
        new LastfmServer([...full, ...later.slice(0, count)]).fetch(...args);
      const grow = () => {
        count += 1;
        return keys.slice(count - 1, count);
      };
      return { fetch, grow };
    };
    const service = { full: server.fetch, empty: server.fetch, withBadRecord: server.fetch, growing };
    for (const { id, run } of historyConformance({ ...underTest, service })) if (id === 'HIST-1') await run();
  });
});

describe('history', () => {
  test('goes from the last page to the first, with a fixed end', async () => {
    const server = new LastfmServer(scrobbles(450));
    const pages = await walk(server);
    expect(titlesOf(pages)).toHaveLength(450);
    expect(server.calls.map(({ page }) => page)).toEqual(['1', '3', '2', '1']);
    expect(new Set(server.calls.map(({ to }) => to)).size).toBe(1);
    expect(pages[0]?.items[0]?.title).toBe('Song 0');
  });

  test('what plays now stands on every page, and is never history', async () => {
    const server = new LastfmServer(scrobbles(250));
    server.nowPlaying = 'Right now';
    const pages = await walk(server);
    expect(titlesOf(pages)).toHaveLength(250);
    expect(pages.map(({ skipped }) => skipped)).toEqual([{ now_playing: 1 }, { now_playing: 1 }]);
  });

  test('one hit comes without its list, none with an empty one', async () => {
    expect(titlesOf(await walk(serving({ uts: T0, name: 'Only' })))).toEqual(['Only']);
    expect(await walk(serving())).toMatchObject([{ read: 0, hasMore: false }]);
  });

  test('the extended form of an artist is understood', async () => {
    const server = serving({ uts: T0, name: 'Jóga', artist: 'Björk' });
    server.extended = true;
    expect((await walk(server))[0]?.items[0]?.creator).toBe('Björk');
  });

  test('an answer for somebody else is asked for again, and refused in the end', async () => {
    const other = (): Response =>
      Response.json({ recenttracks: { '@attr': { user: 'bob', totalPages: '1', total: '1' }, track: [] } });
    const server = new LastfmServer(scrobbles(3));
    server.failures.push(other());
    expect(titlesOf(await walk(server))).toHaveLength(3);
    server.failures.push(other(), other(), other());
    await expect(walk(server)).rejects.toMatchObject({ code: 'upstream', reason: 'wrong_user' });
  });

  test('error 8 with status 200, then success', async () => {
    const server = new LastfmServer(scrobbles(3));
    server.failures.push(refusal(8, 'Operation failed'));
    expect(titlesOf(await walk(server))).toHaveLength(3);
  });

  test('scrobbles that arrive late, or go, while a walk is under way lose nothing', async () => {
    for (const change of ['late', 'deleted'] as const) {
      const server = new LastfmServer(scrobbles(100));
      const pages = await walk(server, { limit: 10 }, (page) => {
        if (page === 4 && change === 'late') server.scrobbles.push({ uts: T0 + 7, name: 'late' });
        if (page === 4 && change === 'deleted') server.scrobbles.splice(3, 1);
      });
      const titles = new Set(titlesOf(pages));
      for (const { name } of scrobbles(100)) expect(titles, `${change}: ${name}`).toContain(name);
    }
  });

  test('totals that change each time are an error, not an endless walk', async () => {
    const server = new LastfmServer(scrobbles(100));
    const { fetch } = server;
    const restless: typeof fetch = async (...args) => {
      server.scrobbles.push({ uts: T0 - server.scrobbles.length, name: 'late' });
      return fetch(...args);
    };
    const context = providerContext({
      provider,
      fetch: restless,
      now: NOW,
      sign,
      credentials: { account: USER, token: SESSION_KEY },
    });
    const walking = history.fetchPage(context, { ...start, limit: 10 });
    await expect(walking).rejects.toMatchObject({ code: 'upstream', reason: 'unsteady_pages' });
    expect(server.calls.length).toBeLessThan(12);
  });

  test('an impossible date is rejected, and its neighbours survive', async () => {
    const raw = { name: 'bad', mbid: '', url: '', artist: { '#text': 'x' }, date: { uts: '9000000000000000' } };
    const [page] = await walk(serving({ uts: T0, name: 'good' }, { uts: T0 + 9, name: 'bad', raw }));
    expect(page?.items).toHaveLength(1);
    expect(page?.rejected).toMatchObject([{ reason: 'invalid_date' }]);
  });

  test('following begins a second early', async () => {
    const server = new LastfmServer(scrobbles(3));
    await walk(server, { since: T0 * 1_000 });
    expect(server.calls[0]?.from).toBe(String(T0 - 1));
  });

  test('a scrobble, whole', async () => {
    const mbid = '87c5dedd-371d-4a53-9f7f-80522fb7f3cb';
    const [page] = await walk(serving({ uts: T0, name: 'Jóga', artist: 'Björk', album: 'Homogenic', mbid }));
    expect(page?.items).toEqual([
      {
        platform: 'lastfm',
        externalId: expect.stringMatching(new RegExp(`^${T0}:[0-9a-f]{16}$`)),
        type: 'music',
        action: 'consumed',
        title: 'Jóga',
        creator: 'Björk',
        consumedAt: new Date(T0 * 1_000),
        tags: [],
        url: 'https://www.last.fm/music/Bj%C3%B6rk/_/J%C3%B3ga',
        contentId: expect.stringMatching(/^[0-9a-f]{16}$/),
        ids: { mbid },
        source: 'scrobbles',
        precision: 'second',
        rawMetadata: { album: 'Homogenic' },
      },
    ]);
  });

  test('the album may be corrected afterwards: the name of the event stays', async () => {
    const [before] = await walk(serving({ uts: T0, name: 'Jóga', album: 'Homogenic' }));
    const [after] = await walk(serving({ uts: T0, name: 'Jóga', album: 'Homogenic (Deluxe)' }));
    expect(after?.items[0]?.externalId).toBe(before?.items[0]?.externalId);
  });
});

describe('session check', () => {
  test('names the user; a revoked key is no', async () => {
    expect(await sessionCheck.check(contextOf(serving()))).toEqual({ valid: true, account: USER, label: USER });
    expect(await sessionCheck.check(contextOf(serving(), { token: 'revoked' }))).toEqual({ valid: false });
  });

  test('by name alone: an unknown one is no', async () => {
    const named = (username: string) => contextOf(serving(), { fields: { username } });
    expect(await sessionCheck.check(named('Alice'))).toMatchObject({ valid: true, account: USER });
    expect(await sessionCheck.check(named('nobody'))).toEqual({ valid: false });
  });
});

describe('through the public API', () => {
  let server = new LastfmServer();
  const msw = setupServer(http.all('https://ws.audioscrobbler.com/2.0/', ({ request }) => server.answer(request)));
  beforeAll(() => msw.listen({ onUnhandledFrame: 'error' }));
  afterEach(() => msw.resetHandlers());
  afterAll(() => msw.close());

  function setup(records: readonly FakeScrobble[]) {
    const time = fakeClock(NOW);
    server = new LastfmServer(records);
    const env = { clock: time.clock, timers: time.timers };
    const registry = createRegistry({
      providers: [provider],
      ...memory({ clock: time.clock }),
      insecurePlaintextForTests: true,
      env,
    });
    return { time, registry };
  }
  const request = { userId: 'ana', provider: 'lastfm' } as const;

  test('the log-in page, then a sync, then a sync with nothing new', async () => {
    const { time, registry } = setup(scrobbles(450));
    const redirectUri = 'https://app.example/connect/lastfm/callback';
    const step = await time.until(beginConnect(registry, { ...request, redirectUri, sessionBinding: 'browser-1' }));
    if (step.step !== 'redirect') throw new Error('Last.fm sends users to its page.');
    const page = new URL(step.url);
    expect(page.searchParams.get('api_key')).toBe(APP.apiKey);
    const callback = new URL(page.searchParams.get('cb') ?? '');
    callback.searchParams.append('token', TOKEN);
    const done = await time.until(
      continueConnect(registry, { ...request, query: callback.search, redirectUri, sessionBinding: 'browser-1' }),
    );
    expect(done).toMatchObject({ step: 'connected', isNew: true, connection: { account: USER } });

    expect(await time.until(syncHistory(registry, request))).toMatchObject({
      status: 'complete',
      counts: { inserted: 450 },
    });
    expect(await time.until(syncHistory(registry, request))).toMatchObject({
      status: 'complete',
      counts: { inserted: 0 },
    });
    const { items } = await queryItems(registry, { userId: 'ana', limit: 1 });
    expect(items[0]?.title).toBe('Song 449');
    expect(server.calls.filter(({ sk }) => sk === SESSION_KEY).length).toBeGreaterThan(0);
  });

  test('by name alone; a hidden history says what to do', async () => {
    const { time, registry } = setup(scrobbles(3));
    await time.until(addConnection(registry, { ...request, credentials: { fields: { username: USER } } }));
    expect(await time.until(syncHistory(registry, request))).toMatchObject({ counts: { inserted: 3 } });
    server.isPrivate = true;
    const { error } = await time.until(syncHistory(registry, request));
    expect(error).toMatchObject({ code: 'permission_denied', reason: 'private_history' });
    expect(error?.hint).toContain('log-in page');
  });
});
