import { addConnection, createRegistry, describeProvider, listConnections, queryItems, syncHistory } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { navidrome } from '@mca/core/providers/navidrome';
import { type ExpectedError, fakeClock, historyConformance, providerContext } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { recordFigure } from '../../test/support/reliability.ts';
import {
  ADDRESS,
  AIRSONIC,
  type FakeSong,
  GONIC,
  NAVIDROME,
  OLD_NAVIDROME,
  PASSWORD,
  refusal,
  type ServerKind,
  SubsonicServer,
  USER,
} from './__fixtures__/server.ts';

const NOW = Date.UTC(2026, 8, 10);
const T0 = NOW / 1_000 - 40 * 86_400;
const provider = navidrome();
const { history, sessionCheck } = provider.capabilities;
const [strategy] = provider.auth;
const sign = strategy && 'sign' in strategy ? strategy.sign : undefined;
const fields = { url: ADDRESS, username: USER, password: PASSWORD };
const account = 'ana@music.example.org/home';
const start = { cursor: undefined, since: undefined, until: undefined, highWater: undefined, limit: 1_000 };
type Request = Parameters<typeof history.fetchPage>[1];

const songs = (count: number): FakeSong[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `${100 + index}`,
    title: `Song ${index}`,
    album: `album-${Math.floor(index / 3)}`,
    artist: 'Björk',
  }));

/** A server where every song was played once, three minutes apart. */
function serverWith(kind: ServerKind, count: number): SubsonicServer {
  const server = new SubsonicServer(kind, songs(count));
  for (let index = 0; index < count; index += 1)
    server.plays.push({ id: index + 1, at: T0 + index * 180, song: `${100 + index}` });
  return server;
}

const contextOf = (server: SubsonicServer, more: Record<string, string> = {}) =>
  providerContext({
    provider,
    fetch: server.fetch,
    now: NOW,
    sign,
    credentials: { account, fields: { ...fields, ...more } },
  });

async function walk(server: SubsonicServer, request: Partial<Request> = {}) {
  const context = contextOf(server);
  const pages = [];
  let next: Request = { ...start, ...request };
  for (let guard = 0; guard < 50; guard += 1) {
    const page = await history.fetchPage(context, next);
    pages.push(page);
    if (!page.hasMore) break;
    next = { ...next, cursor: page.cursor };
  }
  return pages;
}

const itemsOf = (pages: Awaited<ReturnType<typeof walk>>) => pages.flatMap(({ items }) => items);
const keysOf = (pages: Awaited<ReturnType<typeof walk>>) => new Set(itemsOf(pages).map(({ externalId }) => externalId));
const answering =
  (answer: Response): typeof globalThis.fetch =>
  async () =>
    answer.clone();
const html = (status: number, headers = {}) =>
  new Response('<html><body>Log in</body></html>', { status, headers: { 'content-type': 'text/html', ...headers } });

/** The table of the sheet. */
const errors: readonly ExpectedError[] = (
  [
    ['a wrong password', refusal(40, 'Wrong username or password'), 'auth_expired', 'rejected'],
    ['a bad API key', refusal(44, 'Invalid API key'), 'auth_expired', 'rejected'],
    ['a token that is not taken', refusal(41, 'Token authentication not supported'), 'auth_expired', 'token_refused'],
    ['a missing parameter', refusal(10, 'Required parameter is missing'), 'invalid_data', 'parameter_missing'],
    ['the same, by its text', refusal(0, 'required parameter id is missing'), 'invalid_data', 'parameter_missing'],
    ['a bad parameter', refusal(0, 'Invalid size'), 'invalid_data', undefined],
    ['an auth mechanism that is not taken', refusal(42, 'Not supported'), 'invalid_data', 'auth_mechanism'],
    ['two auth mechanisms', refusal(43, 'Several given'), 'invalid_data', 'auth_mechanism'],
    ['a client too old', refusal(20, 'Client must upgrade'), 'unsupported', 'protocol_version'],
    ['a server too old', refusal(30, 'Server must upgrade'), 'unsupported', 'protocol_version'],
    ['no right', refusal(50, 'Not authorized'), 'permission_denied', undefined],
    ['a trial that is over', refusal(60, 'Trial over'), 'permission_denied', 'trial_over'],
    ['nothing there', refusal(70, 'data not found'), 'not_found', undefined],
    ['a failure', refusal(0, 'Internal Server Error: database'), 'upstream', undefined],
    ['an address with nothing behind it', html(404), 'upstream', 'no_subsonic_server'],
    ['a proxy that asks for a log-in', html(401), 'upstream', 'no_subsonic_server'],
    ['the same, with 200', html(200), 'upstream', 'not_json'],
    ['an answer of another service', Response.json({ ok: true }), 'invalid_data', 'unexpected_answer'],
    ['a withdrawn method', new Response('gone', { status: 410 }), 'unsupported', 'method_missing'],
    ['a method that was never there', new Response('no', { status: 501 }), 'unsupported', 'method_missing'],
    ['too much', new Response('', { status: 429, headers: { 'retry-after': '3600' } }), 'rate_limit', undefined],
    ['a failing proxy', html(502), 'upstream', undefined],
  ] as const
).map(([title, answer, code, reason]) => ({ title, service: answering(answer), code, reason }));

describe.each([
  ['Navidrome with scrobbles', NAVIDROME, (index: number) => `scrobble:${index + 1}`],
  ['Navidrome before them', OLD_NAVIDROME, (index: number) => `${T0 + index * 180}:${100 + index}`],
  ['a sloppy OpenSubsonic server', GONIC, (index: number) => `${T0 + index * 180}:${100 + index}`],
] as const)('conformance with %s', (_, kind, keyOf) => {
  const count = kind.hasScrobbles ? 450 : 125;
  const bad = new SubsonicServer(kind, [
    { id: '1', title: 'Good', album: 'a' },
    { id: '2', title: 'Bad', album: 'a', raw: { id: '2', played: '2026-08-01T00:00:00Z' } },
  ]);
  bad.plays.push({ id: 1, at: T0, song: '1' }, { id: 2, at: T0 + 9, song: kind.hasScrobbles ? 'gone' : '2' });
  const cases = historyConformance({
    provider,
    credentials: { account, fields },
    now: NOW,
    service: { full: serverWith(kind, count).fetch, empty: new SubsonicServer(kind).fetch, withBadRecord: bad.fetch },
    expected: Array.from({ length: count }, (__, index) => `ana@music.example.org%2Fhome/${keyOf(index)}`),
    errors,
  });
  for (const { id, title, skip, run } of cases) test.skipIf(skip)(`${id} ${title}`, run);
});

describe('signing', () => {
  test('the token is that of the documentation', async () => {
    const { tokenOf } = await import('./auth.ts');
    expect(tokenOf('sesame', 'c19b2d')).toBe('26719a1196d2a940705a59634eb18eab');
  });

  test('R-038 no password is sent, and each request has a salt of its own, 16 hex characters', async () => {
    const server = serverWith(GONIC, 9);
    await walk(server);
    const salts = server.calls.map(({ query }) => query.get('s') ?? '');
    expect(salts.length).toBeGreaterThan(3);
    expect(new Set(salts).size).toBe(salts.length);
    for (const salt of salts) expect(salt).toMatch(/^[0-9a-f]{16}$/);
    for (const { query } of server.calls) {
      expect(query.has('p')).toBe(false);
      expect(query.toString()).not.toContain('horse');
    }
    recordFigure(
      'R-038',
      `${salts.length} signed requests: ${new Set(salts).size} salts of 16 hex characters, 0 passwords`,
    );
  });

  test('R-038 the password itself goes only where the host said so for the connection', async () => {
    const server = serverWith(AIRSONIC, 3);
    await expect(sessionCheck.check(contextOf(server))).rejects.toMatchObject({
      code: 'auth_expired',
      reason: 'token_refused',
      hint: expect.stringContaining('legacyPassword'),
    });
    expect(await sessionCheck.check(contextOf(server, { legacyPassword: 'yes' }))).toMatchObject({ valid: true });
    expect(server.calls.at(-1)?.query.get('p')).toBe(`enc:${Buffer.from(PASSWORD).toString('hex')}`);
    expect(server.calls.at(-1)?.query.has('t')).toBe(false);
  });

  test.each([10, 40, 41, 42] as const)(
    'a server that answers %i to a token says what would help',
    async (tokenRefusal) => {
      const server = new SubsonicServer({ tokenRefusal });
      const outcome = sessionCheck.check(contextOf(server));
      if (tokenRefusal === 40) expect(await outcome).toEqual({ valid: false });
      else await expect(outcome).rejects.toMatchObject({ hint: expect.stringContaining('legacyPassword') });
      expect((await sessionCheck.check(contextOf(server, { legacyPassword: 'yes' }))).valid).toBe(true);
    },
  );

  test('the password for the own API goes to Navidrome only', async () => {
    const gonic = serverWith(GONIC, 3);
    await walk(gonic);
    expect(gonic.calls.map(({ path }) => path)).not.toContain('auth/login');
  });
});

describe('the list of scrobbles', () => {
  test('tells every play, with its song', async () => {
    const server = new SubsonicServer(NAVIDROME, [
      {
        id: 'a',
        title: 'Jóga',
        album: 'x',
        artist: 'Björk',
        isrc: ['gb-um7-10-29604'],
        mbid: 'B1A9C0E9-D987-4042-AE91-78D6A3267D69',
      },
    ]);
    server.plays.push({ id: 7, at: T0, song: 'a' }, { id: 8, at: T0 + 60, song: 'a' });
    const [page] = await walk(server);
    expect(page).toMatchObject({ read: 2, hasMore: false });
    expect(page?.items[1]).toEqual({
      platform: 'navidrome',
      externalId: 'ana@music.example.org%2Fhome/scrobble:7',
      type: 'music',
      action: 'consumed',
      title: 'Jóga',
      creator: 'Björk',
      consumedAt: new Date(T0 * 1_000),
      durationMs: 214_700,
      tags: [],
      contentId: 'a',
      ids: { isrc: 'GBUM71029604', mbid: 'b1a9c0e9-d987-4042-ae91-78d6a3267d69' },
      source: 'scrobbles',
      precision: 'second',
      rawMetadata: { album: 'x' },
    });
  });

  test('one log-in serves a whole walk, and a session that is over is opened again', async () => {
    const server = serverWith(NAVIDROME, 450);
    const context = contextOf(server);
    const page = await history.fetchPage(context, start);
    expect(server.logIns).toBe(1);
    server.logIns += 1;
    const rest = await history.fetchPage(context, { ...start, cursor: page.cursor });
    expect(rest.items).toHaveLength(200);
    expect(server.calls.filter(({ path }) => path === 'auth/login')).toHaveLength(2);
  });

  test('plays that come meanwhile hide none', async () => {
    const server = serverWith(NAVIDROME, 450);
    const page = await history.fetchPage(contextOf(server), start);
    for (let index = 0; index < 30; index += 1)
      server.plays.push({ id: 1_000 + index, at: T0 + 200_000 + index, song: '100' });
    const rest = await walk(server, { cursor: page.cursor });
    const keys = new Set([...page.items, ...itemsOf(rest)].map(({ externalId }) => externalId));
    for (let id = 1; id <= 450; id += 1) expect(keys).toContain(`ana@music.example.org%2Fhome/scrobble:${id}`);
  });

  test('many plays of one second do not stop the walk', async () => {
    const server = new SubsonicServer(NAVIDROME, songs(1));
    for (let id = 1; id <= 700; id += 1) server.plays.push({ id, at: T0 + (id > 650 ? 1 : 0), song: '100' });
    expect(keysOf(await walk(server)).size).toBe(700);
  });

  test('a song whose file is gone is rejected, and can be told of later', async () => {
    const server = new SubsonicServer(NAVIDROME, songs(1));
    server.plays.push({ id: 1, at: T0, song: 'gone' }, { id: 2, at: T0, song: '100' });
    const [page] = await walk(server);
    expect(page).toMatchObject({ read: 2, rejected: [{ reason: 'unknown_song' }] });
    expect(page?.items).toHaveLength(1);
  });

  test('asked since a moment, it gives what is younger', async () => {
    const server = serverWith(NAVIDROME, 450);
    const since = (T0 + 400 * 180) * 1_000;
    const pages = await walk(server, { since });
    expect(keysOf(pages).size).toBe(50);
  });

  test.each([
    ['an older Navidrome', OLD_NAVIDROME, undefined],
    ['a proxy in front of it', NAVIDROME, html(200)],
    ['a proxy that knows no such path', NAVIDROME, html(404)],
  ] as const)('%s: the last play of each song takes its place', async (_, kind, answer) => {
    const server = serverWith(kind, 9);
    const context = contextOf(server);
    if (answer) {
      const { fetch } = server;
      Object.assign(server, {
        fetch: async (...args: Parameters<typeof fetch>) =>
          String(args[0] instanceof Request ? args[0].url : args[0]).includes('/auth/login')
            ? answer.clone()
            : fetch(...args),
      });
    }
    const page = await history.fetchPage(answer ? contextOf(server) : context, start);
    expect(page.items.map(({ source }) => source)).toEqual(Array.from({ length: 9 }, () => 'last-played'));
  });
});

describe('the last play of each song', () => {
  test('stops below what is known, and asks for no album that was not played', async () => {
    const server = serverWith(GONIC, 120);
    const since = (T0 + 118 * 180) * 1_000;
    const [page] = await walk(server, { since });
    expect(page?.items.map(({ title }) => title)).toEqual(['Song 118', 'Song 119']);
    expect(server.calls.filter(({ path }) => path === 'rest/getAlbum')).toHaveLength(1);
  });

  test('ids that are numbers become texts, a single song is a list of one', async () => {
    const server = new SubsonicServer(GONIC, [{ id: '77', title: 'Only', album: 'solo' }]);
    server.plays.push({ id: 1, at: T0, song: '77' });
    expect(itemsOf(await walk(server))).toMatchObject([{ contentId: '77', title: 'Only', durationMs: 215_000 }]);
  });

  test('songs never played are left out and counted', async () => {
    const server = new SubsonicServer(GONIC, songs(3));
    server.plays.push({ id: 1, at: T0, song: '101' });
    expect(await walk(server)).toMatchObject([{ read: 3, skipped: { never_played: 2 } }]);
  });
});

describe('what plays now', () => {
  const entry = (username: string, minutesAgo: number) => ({
    id: 5,
    title: 'Venus as a Boy',
    artist: 'Björk',
    duration: 280,
    username,
    minutesAgo,
  });
  const plain: ServerKind = { isSloppy: true };

  test('is all that a plain Subsonic server tells: own plays, to the minute', async () => {
    const server = new SubsonicServer(plain, songs(3));
    server.playing.push(entry('ana', 3), entry('somebody else', 1));
    expect(await walk(server)).toMatchObject([
      {
        read: 2,
        skipped: { another_user: 1 },
        items: [
          { title: 'Venus as a Boy', source: 'now-playing', precision: 'minute', consumedAt: new Date(NOW - 180_000) },
        ],
      },
    ]);
  });

  test('a play that is known already does not come twice when it seems to begin a minute later', async () => {
    const server = new SubsonicServer(plain);
    server.playing.push(entry('Ana', 2));
    const pages = await walk(server, { highWater: NOW - 3 * 60_000 });
    expect(pages).toMatchObject([{ read: 1, skipped: { known_before: 1 } }]);
    expect(itemsOf(await walk(server, { highWater: NOW - 10 * 60_000 }))).toHaveLength(1);
  });
});

describe('as a host uses it', () => {
  function rig(kind: ServerKind, count: number) {
    const time = fakeClock(NOW);
    const server = serverWith(kind, count);
    const registry = createRegistry({
      providers: [provider],
      ...memory({ clock: time.clock }),
      insecurePlaintextForTests: true,
      guardedFetch: server.fetch,
      env: { clock: time.clock, timers: time.timers },
    });
    const request = { userId: 'ada', provider: 'navidrome' } as const;
    return { time, server, registry, request };
  }

  test('credentials from its own log-in; two servers are two accounts', async () => {
    const { time, registry, request } = rig(NAVIDROME, 30);
    await time.until(addConnection(registry, { ...request, credentials: { fields } }));
    expect(await time.until(syncHistory(registry, request))).toMatchObject({
      status: 'complete',
      counts: { inserted: 30 },
    });
    const elsewhere = { ...fields, url: 'https://music.example.org/home/' };
    await time.until(addConnection(registry, { ...request, credentials: { fields: elsewhere } }));
    const connections = await listConnections(registry, { userId: 'ada' });
    expect(connections).toMatchObject([{ account, label: USER }]);
    expect((await queryItems(registry, { userId: 'ada' })).items).toHaveLength(30);
  });

  test('a server that learns to tell scrobbles: nothing counts twice', async () => {
    const { time, server, registry, request } = rig(OLD_NAVIDROME, 30);
    await time.until(addConnection(registry, { ...request, credentials: { fields } }));
    await time.until(syncHistory(registry, request));
    Object.assign(server, { kind: NAVIDROME });
    await time.advance(3_600_000);
    await time.until(syncHistory(registry, { ...request, again: 'everything' }));
    expect((await queryItems(registry, { userId: 'ada', limit: 100 })).items).toHaveLength(30);
    expect((await queryItems(registry, { userId: 'ada', limit: 100, resolve: 'all' })).items).toHaveLength(60);
  });

  test('it offers no flow to connect, and says so', () => {
    expect(describeProvider(provider)).toMatchObject({ supportsAuth: false, connect: [{ type: 'host-supplied' }] });
  });

  test('a wrong password is refused when connecting', async () => {
    const { time, registry, request } = rig(NAVIDROME, 3);
    const credentials = { fields: { ...fields, password: 'wrong' } };
    await expect(time.until(addConnection(registry, { ...request, credentials }))).rejects.toMatchObject({
      code: 'auth_expired',
      reason: 'rejected',
    });
  });
});
