import { createRegistry, syncHistory } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { spotify } from '@mca/core/providers/spotify';
import { type ExpectedError, historyConformance, providerContext } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { ACCOUNT, type FakePlay, type FakeSaved, idOf, refusal, SpotifyServer, USER } from './__fixtures__/server.ts';

const NOW = Date.UTC(2026, 8, 10);
const T0 = NOW - 3 * 86_400_000;
const MINUTE = 60_000;
const provider = spotify({ clientId: 'app-of-the-host' });
const { history, library, sessionCheck } = provider.capabilities;
const start = { cursor: undefined, since: undefined, until: undefined, highWater: undefined, limit: 1_000 };
type Request = Parameters<typeof history.fetchPage>[1];

/** Plays of different tracks, one after the other. */
const plays = (count: number, from = T0): FakePlay[] =>
  Array.from({ length: count }, (_, index) => ({ endedAt: from + (index + 1) * 4 * MINUTE, id: idOf(index + 1) }));
const savedTracks = (count: number): FakeSaved[] =>
  Array.from({ length: count }, (_, index) => ({ addedAt: T0 + index * MINUTE, id: idOf(index + 1) }));
const contextOf = (server: SpotifyServer) =>
  providerContext({ provider, fetch: server.fetchSigned, now: NOW, credentials: { account: USER } });
const readPlays = (server: SpotifyServer, request: Partial<Request> = {}) =>
  history.fetchPage(contextOf(server), { ...start, ...request });
const onlyPlay = async (play: Omit<FakePlay, 'endedAt' | 'id'>, generation: 'A' | 'C' = 'A') =>
  (await readPlays(new SpotifyServer({ plays: [{ endedAt: T0, id: idOf(7), ...play }], generation }))).items[0];

const answering =
  (answer: Response): typeof globalThis.fetch =>
  async () =>
    answer.clone();
const html = (status: number) =>
  new Response('<html><body>Error</body></html>', { status, headers: { 'content-type': 'text/html' } });

/** The table of the README. */
const errors: readonly ExpectedError[] = (
  [
    ['a token that is over', refusal(401, 'The access token expired'), 'auth_expired', 'token_rejected'],
    ['a token that is none', refusal(401, 'Invalid access token'), 'auth_expired', 'token_rejected'],
    ['a token of too little scope', refusal(401, 'Permissions missing'), 'permission_denied', 'missing_scopes'],
    ['the same, as 403', refusal(403, 'Insufficient client scope'), 'permission_denied', 'missing_scopes'],
    [
      'a user who is not on the list, as text',
      new Response('Check settings on developer.spotify.com/dashboard, the user may not be registered.', {
        status: 403,
      }),
      'permission_denied',
      'user_not_registered',
    ],
    [
      'a user who is not on the list, as JSON',
      refusal(403, 'Check settings on developer.spotify.com/dashboard, the user may not be registered.'),
      'permission_denied',
      'user_not_registered',
    ],
    [
      'an owner who does not pay',
      refusal(403, 'Active premium subscription required for the owner of the app.'),
      'permission_denied',
      'owner_not_premium',
    ],
    ['an endpoint this app may not call', refusal(403, 'Forbidden'), 'permission_denied', undefined],
    ['a bad parameter', refusal(400, 'Invalid limit'), 'invalid_data', undefined],
    ['something that is not there', refusal(404, 'Not found.'), 'not_found', undefined],
    [
      'too many requests for a day',
      new Response('Too many requests', { status: 429, headers: { 'retry-after': '79892' } }),
      'rate_limit',
      undefined,
    ],
    [
      'a quota that is used up',
      refusal(429, 'API rate limit exceeded', { 'retry-after': '3600' }, 'QUOTA_EXCEEDED'),
      'rate_limit',
      'quota_exceeded',
    ],
    ['a failing server', refusal(500, 'Server error'), 'upstream', undefined],
    ['a page of its proxy', html(502), 'upstream', undefined],
    ['a page where an answer should be', html(200), 'upstream', 'not_json'],
    ['an answer of another shape', Response.json({ plays: [] }), 'invalid_data', 'unexpected_answer'],
  ] as const
).map(([title, answer, code, reason]) => ({ title, service: answering(answer), code, reason }));

describe('conformance of history', () => {
  const full = plays(40);
  const bad = [...plays(3), { endedAt: T0, id: 'bad', raw: { played_at: 'the day before', track: {} } }];
  const cases = historyConformance({
    provider,
    now: NOW,
    onePage: true,
    service: {
      full: new SpotifyServer({ plays: full }).fetchSigned,
      empty: new SpotifyServer().fetchSigned,
      withBadRecord: new SpotifyServer({ plays: bad }).fetchSigned,
    },
    expected: full.map(({ endedAt, id }) => `${endedAt / 1_000}:spotify:track:${id}`),
    errors,
  });
  for (const { id, title, skip, run } of cases) test.skipIf(skip)(`${id} ${title}`, run);
});

describe('conformance of library', () => {
  const full = savedTracks(35);
  const bad = [...savedTracks(3), { addedAt: T0, id: 'bad', raw: { added_at: 7, track: {} } }];
  const cases = historyConformance({
    provider,
    capability: 'library',
    now: NOW,
    service: {
      full: new SpotifyServer({ saved: full }).fetchSigned,
      empty: new SpotifyServer().fetchSigned,
      withBadRecord: new SpotifyServer({ saved: bad }).fetchSigned,
    },
    expected: full.map(({ id }) => `saved:spotify:track:${id}`),
    errors,
  });
  for (const { id, title, skip, run } of cases) test.skipIf(skip)(`${id} ${title}`, run);
});

describe('recently played', () => {
  test('the first time the whole window is asked for, without a position', async () => {
    const server = new SpotifyServer({ plays: plays(60) });
    const page = await readPlays(server);
    expect(server.calls).toMatchObject([{ query: { limit: '50' } }]);
    expect(server.calls[0]?.query.after).toBeUndefined();
    expect(page).toMatchObject({ read: 50, hasMore: false });
    expect(page.gap).toBeUndefined();
  });

  test('a play that began after `since` is given, though `since` is a start and `after` an end', async () => {
    const server = new SpotifyServer({ plays: plays(3) });
    // The first play ended at T0 + 4 minutes and began 3 minutes before.
    const since = T0 + MINUTE;
    const page = await readPlays(server, { since: since - 1, highWater: since - 1 });
    expect(server.calls[0]?.query).toEqual({ limit: '50', after: String(since - 1) });
    expect(page.items.map(({ consumedAt }) => consumedAt.getTime())).toContain(since);
  });

  test('a full window that does not reach back to what is stored tells a gap between their starts', async () => {
    const highWater = T0 - MINUTE;
    const page = await readPlays(new SpotifyServer({ plays: plays(60) }), { since: highWater - 1, highWater });
    expect(page.gap).toEqual({ from: highWater, to: T0 + 11 * 4 * MINUTE - 3 * MINUTE });
  });

  test('no gap where the window reaches back, or is not full', async () => {
    const sixty = plays(60);
    const known = (sixty[10]?.endedAt ?? 0) - 3 * MINUTE;
    const reaches = await readPlays(new SpotifyServer({ plays: sixty }), { since: T0, highWater: known });
    expect(reaches).toMatchObject({ read: 50 });
    expect(reaches.gap).toBeUndefined();
    const few = await readPlays(new SpotifyServer({ plays: plays(49) }), {
      since: T0 - MINUTE,
      highWater: T0 - MINUTE,
    });
    expect(few).toMatchObject({ read: 49 });
    expect(few.gap).toBeUndefined();
  });

  test('one play told twice is one play; the same track later on is another', async () => {
    const twice = [
      { endedAt: T0, id: idOf(1) },
      { endedAt: T0 + 20_000, id: idOf(1) },
      { endedAt: T0 + 20_500, id: idOf(2) },
      { endedAt: T0 + 4 * MINUTE, id: idOf(1) },
    ];
    const page = await readPlays(new SpotifyServer({ plays: twice }));
    expect(page).toMatchObject({ read: 4, skipped: { duplicate: 1 } });
    expect(page.items.map(({ externalId }) => externalId).sort()).toEqual([
      `${T0 / 1_000}:spotify:track:${idOf(1)}`,
      `${T0 / 1_000 + 20}:spotify:track:${idOf(2)}`,
      `${T0 / 1_000 + 240}:spotify:track:${idOf(1)}`,
    ]);
  });

  test('a track of twenty seconds may be played over and over', async () => {
    const short = { id: idOf(1), durationMs: 20_000 };
    const loop = [0, 20_000, 40_000].map((after) => ({ ...short, endedAt: T0 + after }));
    expect((await readPlays(new SpotifyServer({ plays: loop }))).items).toHaveLength(3);
  });
});

describe('a play', () => {
  test('whole: start is end minus length, the key keeps the end as the extended history does', async () => {
    const id = '4uLU6hMCjMI75M1A2tKUQC';
    const endedAt = Date.parse('2025-04-28T21:16:38.658Z');
    const context = 'spotify:playlist:37i9dQZF1DXcBWIGoYBM5M';
    const own = { name: 'Falling in Lisbon', external_ids: { isrc: 'gb-um7-20-00433' } };
    const server = new SpotifyServer({ plays: [{ endedAt, id, durationMs: 238_805, context, track: own }] });
    expect((await readPlays(server)).items).toEqual([
      {
        platform: 'spotify',
        externalId: '1745874998:spotify:track:4uLU6hMCjMI75M1A2tKUQC',
        type: 'music',
        action: 'consumed',
        title: 'Falling in Lisbon',
        creator: 'Quiet Harbour',
        consumedAt: new Date('2025-04-28T21:12:39.853Z'),
        durationMs: 238_805,
        tags: [],
        url: 'https://open.spotify.com/track/4uLU6hMCjMI75M1A2tKUQC',
        contentId: 'spotify:track:4uLU6hMCjMI75M1A2tKUQC',
        ids: { isrc: 'GBUM72000433', spotify: '4uLU6hMCjMI75M1A2tKUQC' },
        source: 'recently-played',
        precision: 'second',
        rawMetadata: { album: 'Golden Glass', context },
      },
    ]);
  });

  test('as new apps get it: no recording code, everything else as before', async () => {
    const { ids, ...before } = (await onlyPlay({}, 'A')) ?? { ids: {} };
    const { ids: now, ...rest } = (await onlyPlay({}, 'C')) ?? { ids: {} };
    expect(rest).toEqual(before);
    expect(ids.isrc).toBe('GBUM70000007');
    expect(now).toEqual({ spotify: idOf(7) });
  });

  test('a file of the user’s own has a URI and no id, address or catalogue ids', async () => {
    const uri = 'spotify:local:Quiet+Harbour:Demos:Rain:93';
    const item = await onlyPlay({ track: { id: null, uri, is_local: true, name: 'Rain', external_ids: {} } });
    expect(item).toMatchObject({ title: 'Rain', contentId: uri, ids: {}, externalId: `${T0 / 1_000}:${uri}` });
    expect(item).not.toHaveProperty('url');
    expect(item?.ids).toEqual({});
  });

  test.each([
    ['without a name', { name: '' }, { title: `Spotify track ${idOf(7)}` }],
    ['without artists', { artists: null }, { title: 'Song 7' }],
    ['with a code that is none', { external_ids: { isrc: 'unknown' } }, { ids: { spotify: idOf(7) } }],
    ['without a length', { duration_ms: null }, { consumedAt: new Date(T0) }],
    ['with an album of another shape', { album: 'Golden Glass' }, { rawMetadata: {} }],
    ['without a URI', { uri: null }, { contentId: `spotify:track:${idOf(7)}` }],
  ])('%s', async (_, track, expected) => {
    expect(await onlyPlay({ track })).toMatchObject(expected);
  });

  test('of content that is gone is left out and counted', async () => {
    const page = await readPlays(
      new SpotifyServer({
        plays: [
          { endedAt: T0, id: idOf(1), track: null },
          { endedAt: T0 + MINUTE, id: idOf(2), track: { id: null, uri: null, name: null } },
        ],
      }),
    );
    expect(page).toMatchObject({ read: 2, items: [], skipped: { no_content: 2 }, rejected: [] });
  });
});

describe('rate limits', () => {
  test('Retry-After of 2 seconds is waited for', async () => {
    const server = new SpotifyServer({ plays: plays(3) });
    server.failures.push(refusal(429, 'API rate limit exceeded', { 'retry-after': '2' }));
    expect((await readPlays(server)).items).toHaveLength(3);
    expect(server.calls.map(({ status }) => status)).toEqual([429, 200]);
  });

  test('without Retry-After half a minute is; most of a day is left to the caller', async () => {
    const server = new SpotifyServer({ plays: plays(3) });
    const waits: number[] = [];
    const context = providerContext({
      provider,
      fetch: server.fetchSigned,
      now: NOW,
      onEvent: (event) => event.type === 'request_waiting' && waits.push(event.waitMs),
    });
    server.failures.push(new Response('Too many requests', { status: 429 }));
    expect((await history.fetchPage(context, start)).items).toHaveLength(3);
    expect(waits).toContain(30_000);
    server.failures.push(new Response('Too many requests', { status: 429, headers: { 'retry-after': '79892' } }));
    await expect(readPlays(server)).rejects.toMatchObject({ code: 'rate_limit', retryAfterMs: 79_892_000 });
    expect(server.failures).toEqual([]);
  });
});

describe('session check', () => {
  test('the id that never changes goes before the old one', async () => {
    const of = (generation: 'A' | 'C') => sessionCheck.check(contextOf(new SpotifyServer({ generation })));
    expect(await of('A')).toEqual({ valid: true, account: USER, label: 'Ana' });
    expect(await of('C')).toEqual({ valid: true, account: ACCOUNT, label: 'Ana' });
  });

  test('a token that is not accepted is no; everything else is no answer', async () => {
    const server = new SpotifyServer();
    expect(await sessionCheck.check(providerContext({ provider, fetch: server.fetch, now: NOW }))).toEqual({
      valid: false,
    });
    server.failures.push(refusal(403, 'the user may not be registered'));
    await expect(sessionCheck.check(contextOf(server))).rejects.toMatchObject({ reason: 'user_not_registered' });
  });
});

describe('the factory', () => {
  test('without a client id there is no history, and the compiler knows', async () => {
    const registry = createRegistry({ providers: [spotify({ skip: { shorterThanMs: 5 } })], ...memory() });
    // @ts-expect-error: only with a client id
    const syncing = syncHistory(registry, { userId: 'ana', provider: 'spotify' });
    await expect(syncing).rejects.toMatchObject({ code: 'unsupported', hint: expect.stringContaining('client id') });
    expect(Object.keys(spotify().capabilities)).toEqual(['fileImport']);
    expect(spotify().auth).toEqual([{ type: 'file-import' }]);
  });

  test('options of imports go through, and misspelt ones are refused', () => {
    // @ts-expect-error: no such option
    expect(() => spotify({ clientId: 'id', skipp: {} })).toThrow(
      expect.objectContaining({
        provider: 'spotify',
        message: expect.stringContaining('The spotify options are wrong: Unrecognized key: "skipp"'),
      }),
    );
    expect(spotify({ clientId: 'id', skip: { incognito: false } }).capabilities.fileImport.accept).toContain('.zip');
  });

  test('every capability names scopes that are asked for', () => {
    const [strategy] = provider.auth;
    if (strategy?.type !== 'oauth2') throw new Error('Spotify is connected by OAuth.');
    expect(strategy.scopes).toEqual(['user-read-recently-played', 'user-library-read', 'user-read-private']);
    expect(strategy.scopes).toEqual(expect.arrayContaining([...(history.scopes ?? []), ...(library.scopes ?? [])]));
    expect(history.scopes).toEqual(['user-read-recently-played']);
    expect(library.scopes).toEqual(['user-library-read']);
  });
});
