import { addConnection, createRegistry, describeProvider, listConnections, queryItems, syncHistory } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { type ExpectedError, fakeClock, historyConformance } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import {
  account,
  contextOf,
  fields,
  growing,
  itemsOf,
  lastPlayKey,
  NOW,
  provider,
  scrobbleKey,
  serverWith,
  sessionCheck,
  songs,
  T0,
  walk,
} from '../../test/support/navidrome-rig.ts';
import { recordFigure } from '../../test/support/reliability.ts';
import {
  AIRSONIC,
  GONIC,
  NAVIDROME,
  OLD_NAVIDROME,
  PASSWORD,
  refusal,
  type ServerKind,
  SubsonicServer,
  USER,
} from './__fixtures__/server.ts';

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
  // Without last plays, which a first walk gives besides: that is tested below.
  ['Navidrome with scrobbles', { ...NAVIDROME, hasPlayed: false }],
  ['Navidrome before them', OLD_NAVIDROME],
  ['a sloppy OpenSubsonic server', GONIC],
  ['a server whose albums tell nothing', { ...GONIC, isSilentOnAlbums: true }],
] as const)('conformance with %s', (_, kind: ServerKind) => {
  const count = kind.hasScrobbles ? 450 : 125;
  const bad = new SubsonicServer(kind, [
    { id: '1', title: 'Good', album: 'a' },
    { id: '2', title: 'Bad', album: 'a', raw: { id: '2', played: '2026-08-01T00:00:00Z' } },
  ]);
  bad.plays.push({ id: 1, at: T0, song: '1' }, { id: 2, at: T0 + 9, song: '2' });
  const indexes = Array.from({ length: count }, (__, index) => index);
  const lastPlays = indexes.map((index) => lastPlayKey(T0 + index * 180, `${100 + index}`));
  const cases = historyConformance({
    provider,
    credentials: { account, fields },
    now: NOW,
    service: {
      full: serverWith(kind, count).fetch,
      empty: new SubsonicServer(kind).fetch,
      withBadRecord: bad.fetch,
      growing: () => growing(kind, count),
    },
    expected: kind.hasScrobbles ? indexes.map((index) => scrobbleKey(index + 1)) : lastPlays,
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

  test('a start that no date can hold costs its entry only', async () => {
    const server = new SubsonicServer(plain);
    server.playing.push(entry('ana', 1e300), entry('ana', 3));
    const page = { read: 2, items: [{ title: 'Venus as a Boy' }], rejected: [{ reason: 'unexpected_shape' }] };
    expect(await walk(server)).toMatchObject([page]);
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
      // The scrobbles, and the last play of each song.
      counts: { inserted: 60 },
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

  test('a proxy that fails in the middle of the first walk costs nothing', async () => {
    const { time, server, registry, request } = rig(NAVIDROME, 450);
    await time.until(addConnection(registry, { ...request, credentials: { fields } }));
    let lists = 0;
    server.intercept = (path) => {
      if (path === 'api/scrobble') lists += 1;
      return path === 'api/scrobble' && lists === 2 ? html(404) : undefined;
    };
    const failed = await time.until(syncHistory(registry, request));
    expect(failed).toMatchObject({ status: 'partial', error: { reason: 'list_unavailable' } });
    await time.advance(86_400_000);
    expect(await time.until(syncHistory(registry, request))).toMatchObject({ status: 'complete' });
    const { items } = await queryItems(registry, { userId: 'ada', limit: 1_000 });
    expect(items.map(({ source }) => source)).toEqual(Array(450).fill('scrobbles'));
  });

  test('many deleted songs do not stop the history', async () => {
    const { time, server, registry, request } = rig(NAVIDROME, 300);
    for (let index = 0; index < 300; index += 3) server.songs.delete(`${100 + index}`);
    await time.until(addConnection(registry, { ...request, credentials: { fields } }));
    const report = await time.until(syncHistory(registry, request));
    expect(report).toMatchObject({ status: 'complete', counts: { skipped: 100 } });
    expect((await queryItems(registry, { userId: 'ada', limit: 1_000 })).items).toHaveLength(200);
  });

  test('plays from before the list are shown beside the scrobbles, and nothing counts twice', async () => {
    const { time, server, registry, request } = rig(NAVIDROME, 9);
    server.plays.push({ id: 99, at: T0 - 100 * 86_400, song: '900' });
    server.songs.set('900', { id: '900', title: 'Long ago', album: 'old' });
    server.intercept = (path, query) => {
      if (path === 'api/scrobble' && !query.has('from')) query.set('from', String(T0));
      return undefined;
    };
    await time.until(addConnection(registry, { ...request, credentials: { fields } }));
    await time.until(syncHistory(registry, request));
    const { items } = await queryItems(registry, { userId: 'ada', limit: 100 });
    expect(items).toHaveLength(10);
    expect(items.at(-1)).toMatchObject({ title: 'Long ago', source: 'last-played' });
    expect((await queryItems(registry, { userId: 'ada', limit: 100, resolve: 'all' })).items).toHaveLength(19);
  });

  test.each([
    [NAVIDROME, 'ana@music.example.org/home'],
    [GONIC, 'Ana@music.example.org/home'],
    [{}, 'Ana@music.example.org/home'],
  ] as const)('only Navidrome is known to take user names in any letter case: %o', async (kind, expected) => {
    expect(await sessionCheck.check(contextOf(new SubsonicServer(kind)))).toMatchObject({ account: expected });
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

  test.each([
    [40, 'auth_expired', 'rejected'],
    [41, 'auth_expired', 'token_refused'],
    [42, 'invalid_data', 'auth_mechanism'],
    [10, 'invalid_data', 'parameter_missing'],
  ] as const)(
    'a server that answers %i to tokens says when connecting what would help',
    async (tokenRefusal, code, reason) => {
      const { time, registry, request } = rig({ tokenRefusal }, 3);
      const connect = (more: object) =>
        time.until(addConnection(registry, { ...request, credentials: { fields: { ...fields, ...more } } }));
      // 40 may as well be a wrong password: there the form says both.
      const hint = tokenRefusal === 40 ? expect.any(String) : expect.stringContaining('legacyPassword');
      await expect(connect({})).rejects.toMatchObject({ code, reason, hint });
      expect(await connect({ legacyPassword: 'yes' })).toMatchObject({ status: 'active' });
    },
  );
});
