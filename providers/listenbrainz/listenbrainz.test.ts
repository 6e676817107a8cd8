import { addConnection, createRegistry, queryItems, syncHistory } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { listenbrainz } from '@mca/core/providers/listenbrainz';
import { fakeClock, historyConformance, providerContext } from '@mca/core/testing';
import { http } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type FakeListen, ListenBrainzServer, refusal, TOKEN, USER } from './__fixtures__/server.ts';

const NOW = Date.UTC(2026, 0, 10);
const T0 = NOW / 1_000 - 40 * 86_400;

const listens = (count: number, stepSeconds = 180): FakeListen[] =>
  Array.from({ length: count }, (_, index) => ({ at: T0 + index * stepSeconds, msid: `msid-${index}` }));

const { history, sessionCheck } = listenbrainz().capabilities;
const [strategy] = listenbrainz().auth;
const sign = strategy && 'sign' in strategy ? strategy.sign : undefined;
const contextOf = (server: ListenBrainzServer, token = TOKEN) =>
  providerContext({
    provider: listenbrainz(),
    fetch: server.fetch,
    now: NOW,
    sign,
    credentials: { account: USER, fields: { token } },
  });
const start = { cursor: undefined, since: undefined, until: undefined, highWater: undefined, limit: 1_000 };

/** An account in which something is played during a walk. */
function growing() {
  const all = listens(35);
  const fetch: typeof globalThis.fetch = (...args) => new ListenBrainzServer(all).fetch(...args);
  const grow = () => {
    const listen = { at: NOW / 1_000 + all.length - 34, msid: `later-${all.length}` };
    all.push(listen);
    return [`${listen.at}:${listen.msid}`];
  };
  return { fetch, grow };
}

async function walk(server: ListenBrainzServer, request: Partial<Parameters<typeof history.fetchPage>[1]> = {}) {
  const pages = [];
  let next = { ...start, ...request };
  for (let guard = 0; guard < 50; guard += 1) {
    const page = await history.fetchPage(contextOf(server), next);
    pages.push(page);
    if (!page.hasMore) break;
    next = { ...next, cursor: page.cursor };
  }
  return pages;
}

const idsOf = (pages: Awaited<ReturnType<typeof walk>>): Set<string> =>
  new Set(pages.flatMap(({ items }) => items.map(({ externalId }) => externalId)));

const oneListen = (raw: Omit<FakeListen, 'at' | 'msid'>): ListenBrainzServer =>
  new ListenBrainzServer([{ at: T0, msid: 'msid-0', ...raw }]);

async function onlyItem(raw: Omit<FakeListen, 'at' | 'msid'>) {
  const [page] = await walk(oneListen(raw));
  expect(page?.rejected).toEqual([]);
  return page?.items[0];
}

const answering =
  (...answers: Response[]): typeof globalThis.fetch =>
  async () =>
    (answers[0] as Response).clone();

describe('conformance', () => {
  const full = listens(35);
  const cases = historyConformance({
    provider: listenbrainz(),
    credentials: { account: USER, fields: { token: TOKEN } },
    now: NOW,
    service: {
      full: new ListenBrainzServer(full).fetch,
      empty: new ListenBrainzServer().fetch,
      growing,
      withBadRecord: new ListenBrainzServer([
        { at: T0, msid: 'good' },
        { at: T0 + 9, msid: 'bad', raw: { listened_at: T0 + 9, track_metadata: { artist_name: 'x' } } },
      ]).fetch,
    },
    expected: full.map(({ at, msid }) => `${at}:${msid}`),
    errors: [
      { title: 'a bad token', service: answering(refusal(401, 'Invalid authorization token.')), code: 'auth_expired' },
      {
        title: 'a token of too little scope',
        service: answering(refusal(401, 'Insufficient scope.')),
        code: 'permission_denied',
        reason: 'missing_scopes',
      },
      {
        title: 'an unverified address',
        service: answering(
          refusal(
            401,
            'The listens were rejected because your MetaBrainz account does not have a verified email address.',
          ),
        ),
        code: 'permission_denied',
        reason: 'email_not_verified',
      },
      {
        title: 'a paused account',
        service: answering(refusal(401, 'User account is paused.')),
        code: 'permission_denied',
        reason: 'account_paused',
      },
      {
        title: 'a token is needed now',
        service: answering(refusal(401, 'Due to bad actors and AI scrapers, a token is needed.')),
        code: 'permission_denied',
        reason: 'token_required',
      },
      { title: 'forbidden', service: answering(refusal(403, 'You are not allowed')), code: 'permission_denied' },
      {
        title: 'an unknown user',
        service: answering(refusal(404, 'Cannot find user: x')),
        code: 'not_found',
        reason: 'unknown_user',
      },
      {
        title: 'a bad parameter',
        service: answering(refusal(400, 'min_ts should be less than max_ts')),
        code: 'invalid_data',
      },
      {
        title: 'too many requests for an hour',
        service: answering(refusal(429, 'You have exceeded your rate limit.', { 'X-RateLimit-Reset-In': '3600' })),
        code: 'rate_limit',
      },
      { title: 'a failing server', service: answering(refusal(500, 'Failed.')), code: 'upstream' },
      {
        title: 'a queue that is down',
        service: answering(refusal(503, 'Cannot submit listens to queue, please try again later.')),
        code: 'upstream',
      },
      {
        title: 'a page of its proxy',
        service: answering(
          new Response('<html>502 Bad Gateway</html>', { status: 502, headers: { 'content-type': 'text/html' } }),
        ),
        code: 'upstream',
      },
    ],
  });
  for (const { id, title, skip, run } of cases) test.skipIf(skip)(`${id} ${title}`, run);
});

describe('history', () => {
  test('min_ts walks forward: three pages, oldest first, nothing lost', async () => {
    const server = new ListenBrainzServer(listens(25));
    const pages = await walk(server, { limit: 10 });
    expect(pages).toHaveLength(3);
    expect(idsOf(pages).size).toBe(25);
    expect(server.calls.every(({ query }) => query.max_ts === undefined)).toBe(true);
    expect(pages[0]?.items[0]?.consumedAt).toEqual(new Date(T0 * 1_000));
  });

  test('listens of one second at the edge of a page are all there', async () => {
    const twins = [0, 0, 1, 1, 1, 2, 2, 3].map((second, index) => ({ at: T0 + second, msid: `msid-${index}` }));
    for (const limit of [4, 5, 6, 7]) expect(idsOf(await walk(new ListenBrainzServer(twins), { limit })).size).toBe(8);
  });

  test('a page of exactly `count` at the end ends the walk', async () => {
    const pages = await walk(new ListenBrainzServer(listens(20)), { limit: 10 });
    expect(idsOf(pages).size).toBe(20);
    expect(pages.at(-1)?.hasMore).toBe(false);
  });

  test('a second with more listens than fit on a page is a gap, not an endless walk', async () => {
    const crowd = [
      ...Array.from({ length: 7 }, (_, index) => ({ at: T0, msid: `crowd-${index}` })),
      { at: T0 + 60, msid: 'after' },
    ];
    const pages = await walk(new ListenBrainzServer(crowd), { limit: 5 });
    expect(pages.map(({ gap }) => gap).filter(Boolean)).toEqual([{ from: T0 * 1_000, to: T0 * 1_000 + 1_000 }]);
    expect(idsOf(pages)).toContain(`${T0 + 60}:after`);
  });

  test('a server that gives less than asked for is walked to its end', async () => {
    const server = new ListenBrainzServer(listens(25));
    server.mostPerPage = 7;
    expect(idsOf(await walk(server, { limit: 10 })).size).toBe(25);
  });

  test('a walk that is bounded ends where it is told to', async () => {
    const until = (T0 + 10 * 180) * 1_000;
    const server = new ListenBrainzServer(listens(40));
    const pages = await walk(server, { limit: 5, until });
    expect(idsOf(pages).size).toBeGreaterThanOrEqual(10);
    expect(server.calls.length).toBeLessThanOrEqual(4);
  });

  test('following asks for 200 at most, and begins a second early', async () => {
    const server = new ListenBrainzServer(listens(3));
    await walk(server, { since: T0 * 1_000, highWater: T0 * 1_000 });
    expect(server.calls[0]?.query).toEqual({ min_ts: String(T0 - 1), count: '200' });
  });

  test('429 with Reset-In waits and goes on', async () => {
    const server = new ListenBrainzServer(listens(3));
    server.failures.push(refusal(429, 'You have exceeded your rate limit.', { 'X-RateLimit-Reset-In': '4' }));
    expect(idsOf(await walk(server)).size).toBe(3);
    expect(server.calls.map(({ status }) => status)).toEqual([429, 200]);
  });

  test('503, then ok', async () => {
    const server = new ListenBrainzServer(listens(3));
    server.failures.push(refusal(503, 'try again later'));
    expect(idsOf(await walk(server)).size).toBe(3);
  });
});

describe('a listen', () => {
  test('whole', async () => {
    const item = await onlyItem({
      artist: 'Björk',
      track: 'Jóga',
      release: 'Homogenic',
      info: {
        duration_ms: 305_000,
        duration_played: 290,
        isrc: 'gb-um7-10-29604',
        music_service: 'spotify.com',
        submission_client: 'navidrome',
        origin_url: 'https://open.spotify.com/track/4PTG3Z6ehGkBFwjybzWkR8',
        tags: ['pop', 7],
      },
      mapping: { recording_mbid: '8f3471b5-7e6a-48da-86a9-c1c07a0f47ae' },
    });
    expect(item).toEqual({
      platform: 'listenbrainz',
      externalId: `${T0}:msid-0`,
      type: 'music',
      action: 'consumed',
      title: 'Jóga',
      creator: 'Björk',
      consumedAt: new Date(T0 * 1_000),
      durationMs: 305_000,
      timeSpentMs: 290_000,
      tags: ['pop'],
      url: 'https://open.spotify.com/track/4PTG3Z6ehGkBFwjybzWkR8',
      contentId: 'msid-0',
      ids: { isrc: 'GBUM71029604', mbid: '8f3471b5-7e6a-48da-86a9-c1c07a0f47ae', spotify: '4PTG3Z6ehGkBFwjybzWkR8' },
      source: 'listens',
      precision: 'second',
      rawMetadata: { album: 'Homogenic', music_service: 'spotify.com', submission_client: 'navidrome' },
    });
  });

  test.each([
    ['a duration as text', { duration_ms: '305000' }, { durationMs: 305_000 }],
    ['a duration in seconds', { duration: 305 }, { durationMs: 305_000 }],
    ['a duration of nonsense', { duration_ms: 'long', duration: -1 }, { title: 'Song msid-0' }],
    ['an address that is none', { origin_url: 'javascript:alert(1)' }, { title: 'Song msid-0' }],
    ['information that is no object', 'surprise', { title: 'Song msid-0' }],
  ])('%s', async (_, info, expected) => {
    const item = await onlyItem({ info });
    expect(item).toMatchObject(expected);
    expect(item?.url).toBeUndefined();
    if (!('durationMs' in expected)) expect(item?.durationMs).toBeUndefined();
  });

  test('an impossible date is rejected', async () => {
    const [page] = await walk(new ListenBrainzServer([{ at: 9e15, msid: 'bad' }]));
    expect(page?.rejected).toMatchObject([{ reason: 'invalid_date' }]);
  });

  test('what was submitted goes before what the server found', async () => {
    const mine = '11111111-1111-4111-8111-111111111111';
    const item = await onlyItem({
      info: { recording_mbid: mine.toUpperCase() },
      mapping: { recording_mbid: '8f3471b5-7e6a-48da-86a9-c1c07a0f47ae' },
    });
    expect(item?.ids.mbid).toBe(mine);
  });

  test('without an id of the server, its words are the id', async () => {
    const [page] = await walk(
      oneListen({ raw: { listened_at: T0, track_metadata: { artist_name: 'a', track_name: 'b' } } }),
    );
    expect(page?.items[0]?.externalId).toMatch(new RegExp(`^${T0}:[0-9a-f]{16}$`));
  });
});

describe('session check', () => {
  test('a good token names its user; a bad one is status 200 and no', async () => {
    const server = new ListenBrainzServer();
    expect(await sessionCheck.check(contextOf(server))).toEqual({ valid: true, account: USER, label: USER });
    expect(await sessionCheck.check(contextOf(server, 'wrong'))).toEqual({ valid: false });
  });

  test('a server that only says 200 is taken at its word; trouble is no answer', async () => {
    const server = new ListenBrainzServer();
    server.failures.push(Response.json({ status: 'ok' }));
    expect(await sessionCheck.check(contextOf(server))).toEqual({ valid: true });
    server.failures.push(...[1, 2, 3].map(() => refusal(500, 'no')));
    await expect(sessionCheck.check(contextOf(server))).rejects.toMatchObject({ code: 'upstream' });
  });
});

describe('through the public API', () => {
  let server = new ListenBrainzServer();
  const msw = setupServer(http.all('https://api.listenbrainz.org/1/*', ({ request }) => server.answer(request)));
  beforeAll(() => msw.listen({ onUnhandledFrame: 'error' }));
  afterEach(() => msw.resetHandlers());
  afterAll(() => msw.close());

  const registryOf = (time: ReturnType<typeof fakeClock>) =>
    createRegistry({
      providers: [listenbrainz()],
      ...memory({ clock: time.clock }),
      insecurePlaintextForTests: true,
      env: { clock: time.clock, timers: time.timers },
    });

  test('connect by token, sync, sync again', async () => {
    const time = fakeClock(NOW);
    server = new ListenBrainzServer(listens(2_345));
    const registry = registryOf(time);
    const request = { userId: 'ana', provider: 'listenbrainz' } as const;
    const connection = await time.until(
      addConnection(registry, { ...request, credentials: { fields: { token: TOKEN } } }),
    );
    expect(connection).toMatchObject({ account: USER, label: USER, status: 'active' });
    expect(await time.until(syncHistory(registry, request))).toMatchObject({
      status: 'complete',
      counts: { inserted: 2_345 },
    });
    const again = await time.until(syncHistory(registry, request));
    expect(again).toMatchObject({ status: 'complete', counts: { inserted: 0, updated: 0 } });
    const { items } = await queryItems(registry, { userId: 'ana', limit: 1 });
    expect(items[0]?.title).toBe('Song msid-2344');
  });

  test('a wrong token is refused when connecting', async () => {
    const time = fakeClock(NOW);
    server = new ListenBrainzServer();
    const connecting = addConnection(registryOf(time), {
      userId: 'ana',
      provider: 'listenbrainz',
      credentials: { fields: { token: 'wrong' } },
    });
    await expect(time.until(connecting)).rejects.toMatchObject({ code: 'auth_expired' });
  });
});
