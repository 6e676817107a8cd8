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

const songs = (count: number, perAlbum = 3): FakeSong[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `${100 + index}`,
    title: `Song ${index}`,
    album: `album-${Math.floor(index / perAlbum)}`,
    artist: 'Björk',
  }));

/** A server where every song was played once, three minutes apart. */
function serverWith(kind: ServerKind, count: number): SubsonicServer {
  const server = new SubsonicServer(kind, songs(count, kind.hasScrobbles ? 15 : 3));
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
  for (let guard = 0; guard < 60; guard += 1) {
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

const lastPlayKey = (at: number, song: string) => `ana@music.example.org%2Fhome/${at}:${song}`;
const scrobbleKey = (id: number) => `ana@music.example.org%2Fhome/scrobble:${id}`;

/** A server where songs never heard before are played while the walk is under way, each on another album far down. */
function growing(kind: ServerKind, count: number) {
  const server = serverWith(kind, count);
  let grown = 0;
  const grow = () => {
    grown += 1;
    const [id, at, song] = [90_000 + grown, NOW / 1_000 + grown, `${90_000 + grown}`];
    server.songs.set(song, { id: song, title: `New ${grown}`, album: `album-${grown - 1}` });
    server.plays.push({ id, at, song });
    return [kind.hasScrobbles ? scrobbleKey(id) : lastPlayKey(at, song)];
  };
  return { fetch: server.fetch, grow };
}

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
    expect(page).toMatchObject({ read: 2, hasMore: true });
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
    const items = itemsOf(await walk(server)).filter(({ source }) => source === 'scrobbles');
    expect(new Set(items.map(({ externalId }) => externalId)).size).toBe(700);
  });

  test('a song whose file is gone is left out and counted', async () => {
    const server = new SubsonicServer(NAVIDROME, songs(1));
    server.plays.push({ id: 1, at: T0, song: 'gone' }, { id: 2, at: T0, song: '100' });
    const [page] = await walk(server);
    expect(page).toMatchObject({ read: 2, skipped: { unknown_song: 1 }, rejected: [] });
    expect(page?.items).toHaveLength(1);
  });

  test.each([
    ['is not found', () => html(404)],
    ['is another page', () => html(200)],
    ['has songs that nobody asked for', () => Response.json([{ id: 'other', title: 'Other' }])],
    ['has rows without ids', () => Response.json([{ title: 'Other' }])],
  ] as const)('songs are not gone when the list of songs %s', async (_, answer) => {
    const server = serverWith(NAVIDROME, 9);
    server.intercept = (path) => (path === 'api/song' ? answer() : undefined);
    const failure = history.fetchPage(contextOf(server), start);
    await expect(failure).rejects.toMatchObject({ code: 'upstream', reason: 'list_unavailable', retryable: true });
    server.intercept = () => undefined;
    expect((await history.fetchPage(contextOf(server), start)).items).toHaveLength(9);
  });

  test.each([
    ['404', () => html(404)],
    ['410', () => new Response('gone', { status: 410 })],
    ['501', () => new Response('no', { status: 501 })],
    ['HTML', () => html(200)],
  ] as const)('in the middle of a walk %s is an error, and the position stays', async (_, answer) => {
    const server = serverWith(NAVIDROME, 450);
    const page = await history.fetchPage(contextOf(server), start);
    server.intercept = (path) => (path === 'api/scrobble' ? answer() : undefined);
    const failure = history.fetchPage(contextOf(server), { ...start, cursor: page.cursor });
    await expect(failure).rejects.toMatchObject({ code: 'upstream', reason: 'list_unavailable', retryable: true });
    server.intercept = () => undefined;
    const rest = await walk(server, { cursor: page.cursor });
    expect([...page.items, ...itemsOf(rest)].filter(({ source }) => source === 'scrobbles').length).toBeGreaterThan(
      449,
    );
  });

  test('a time that no date can hold costs its row only', async () => {
    const server = serverWith(NAVIDROME, 4);
    const rows = [9_000_000_000_000, T0].map((at, index) => ({ id: index, mediaFileId: '100', submissionTime: at }));
    server.intercept = (path) => (path === 'api/scrobble' ? Response.json(rows) : undefined);
    const page = await history.fetchPage(contextOf(server), start);
    expect(page).toMatchObject({ read: 2, items: [{ contentId: '100' }], rejected: [{ reason: 'unexpected_shape' }] });
  });

  test('an empty list, because the server keeps none: the last play of each song takes its place', async () => {
    const server = serverWith({ ...NAVIDROME, keepsNoScrobbles: true }, 9);
    expect(itemsOf(await walk(server)).map(({ source }) => source)).toEqual(Array(9).fill('last-played'));
    const since = (T0 + 7 * 180) * 1_000;
    expect(itemsOf(await walk(server, { since }))).toHaveLength(2);
  });

  test('a first walk goes on with last plays, from before the list; a later one does not', async () => {
    const server = serverWith(NAVIDROME, 9);
    server.intercept = (path, query) => void (path === 'api/scrobble' && query.set('from', String(T0 + 6 * 180)));
    const sources = itemsOf(await walk(server)).map(({ source }) => source);
    expect(sources).toEqual([...Array(3).fill('scrobbles'), ...Array(9).fill('last-played')]);
    server.calls.length = 0;
    const later = itemsOf(await walk(server, { since: T0 * 1_000 }));
    expect(later.map(({ source }) => source)).toEqual(Array(3).fill('scrobbles'));
    expect(server.calls.map(({ path }) => path)).not.toContain('rest/getAlbumList2');
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

  test('an album played while the walk is under way is given whole', async () => {
    const server = serverWith(OLD_NAVIDROME, 300);
    let lists = 0;
    server.intercept = (path) => {
      if (path === 'rest/getAlbumList2') lists += 1;
      if (lists === 2) server.plays.push({ id: 5_000, at: NOW / 1_000 - 5, song: '100' });
      return undefined;
    };
    const heard = new Set(itemsOf(await walk(server)).map(({ contentId }) => contentId));
    expect(heard.size).toBe(300);
    // Five pages of albums, the end of the list, and one look at the top.
    expect(lists).toBe(7);
  });

  test('more than a page of albums on top is looked through, and again when that moved too', async () => {
    const server = serverWith(OLD_NAVIDROME, 300);
    let lists = 0;
    server.intercept = (path) => {
      if (path !== 'rest/getAlbumList2') return undefined;
      lists += 1;
      // The oldest thirty albums jump to the top during the walk, one of them again during the look.
      if (lists === 2)
        for (let index = 0; index < 30; index += 1)
          server.plays.push({ id: 5_000 + index, at: NOW / 1_000 - 100 + index, song: `${100 + index * 3}` });
      if (lists === 8) server.plays.push({ id: 6_000, at: NOW / 1_000 - 5, song: '100' });
      return undefined;
    };
    const heard = new Set(itemsOf(await walk(server)).map(({ contentId }) => contentId));
    expect(heard.size).toBe(300);
  });

  test('the walk ends also when something is played all the time', async () => {
    const server = serverWith(OLD_NAVIDROME, 150);
    let at = NOW / 1_000 - 86_400;
    server.intercept = (path) => {
      if (path !== 'rest/getAlbumList2') return undefined;
      for (let index = 0; index < 50; index += 1) {
        at += 1;
        server.plays.push({ id: at, at, song: `${100 + index * 3}` });
      }
      return undefined;
    };
    expect((await walk(server)).at(-1)?.hasMore).toBe(false);
  });

  test('a play of the future on top does not hide what jumps below it', async () => {
    const server = serverWith(OLD_NAVIDROME, 300);
    server.plays.push({ id: 4_000, at: NOW / 1_000 + 9_000_000, song: '399' });
    let lists = 0;
    server.intercept = (path) => {
      if (path === 'rest/getAlbumList2') lists += 1;
      if (lists === 2) server.plays.push({ id: 5_000, at: NOW / 1_000 - 5, song: '100' });
      return undefined;
    };
    expect(new Set(itemsOf(await walk(server)).map(({ contentId }) => contentId)).size).toBe(300);
  });

  test('where only songs tell times, the walk ends below a page of albums without a wanted song', async () => {
    const server = serverWith({ ...GONIC, isSilentOnAlbums: true }, 600);
    const since = (T0 + 590 * 180) * 1_000;
    expect(itemsOf(await walk(server, { since }))).toHaveLength(10);
    // Two pages down and a look at the top, of more than two hundred albums.
    expect(server.calls.filter(({ path }) => path === 'rest/getAlbum')).toHaveLength(60);
  });

  test('an album whose time cannot be read does not end the walk, nor does "never" of Go', async () => {
    const server = serverWith(OLD_NAVIDROME, 90);
    const since = (T0 + 10 * 180) * 1_000;
    for (const played of ['yesterday', '0001-01-01T00:00:00Z']) {
      const context = providerContext({
        provider,
        now: NOW,
        sign,
        credentials: { account, fields },
        fetch: async (...request) => {
          const answer = await server.fetch(...request);
          if (!answer.headers.get('content-type')?.includes('json')) return answer;
          const body = await answer.json();
          const second = body['subsonic-response']?.albumList2?.album?.[1];
          if (second) second.played = played;
          return Response.json(body);
        },
      });
      const keys = new Set<string>();
      let cursor: string | undefined;
      do {
        const page = await history.fetchPage(context, { ...start, since, cursor });
        for (const { externalId } of page.items) keys.add(externalId);
        cursor = page.hasMore ? page.cursor : undefined;
      } while (cursor !== undefined);
      expect(keys.size).toBe(80);
    }
  });

  test('times with an offset are read', async () => {
    const server = new SubsonicServer(OLD_NAVIDROME, [
      { id: '1', title: 'One', album: 'a', raw: { id: '1', title: 'One', played: '2026-08-01T22:11:12.5+02:00' } },
    ]);
    server.plays.push({ id: 1, at: T0, song: '1' });
    const consumedAt = new Date('2026-08-01T20:11:12.500Z');
    expect(itemsOf(await walk(server))).toMatchObject([{ consumedAt }]);
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
});
