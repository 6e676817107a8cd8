import { createHash } from 'node:crypto';
import {
  addConnection,
  beginConnect,
  connectionStatus,
  continueConnect,
  createRegistry,
  importFile,
  type McaEvent,
  queryItems,
  syncHistory,
  syncLibrary,
} from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { type SpotifyAppOptions, spotify } from '@mca/core/providers/spotify';
import { createFakeOAuthServer, type FakeOAuthBehaviour, fakeClock, fileOf } from '@mca/core/testing';
import { http } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type FakePlay, idOf, refusal, type ServerOptions, SpotifyServer, USER } from './__fixtures__/server.ts';

const NOW = Date.UTC(2026, 8, 10);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const CLIENT = '0123456789abcdef0123456789abcdef';
const SECRET = 'fedcba9876543210fedcba9876543210';
const REDIRECT = 'https://app.example/connect/spotify/callback';
const SCOPES = ['user-read-recently-played', 'user-library-read', 'user-read-private'];
const request = { userId: 'ana', provider: 'spotify' } as const;

/** Plays of different tracks, one after the other; the last one ends when `until` is. */
const plays = (count: number, until: number, firstId = 1): FakePlay[] =>
  Array.from({ length: count }, (_, index) => ({
    endedAt: until - (count - 1 - index) * 4 * MINUTE,
    id: idOf(firstId + index),
  }));

const msw = setupServer();
beforeAll(() => msw.listen({ onUnhandledFrame: 'error' }));
afterEach(() => msw.resetHandlers());
afterAll(() => msw.close());

interface RigOptions extends Omit<ServerOptions, 'scopesOf'> {
  readonly oauth?: Partial<FakeOAuthBehaviour>;
  readonly app?: Partial<SpotifyAppOptions>;
}

/** A registry, Spotify's API and its accounts service, and a user who agreed just now. */
function rigOf({ oauth: behaviour, app, ...content }: RigOptions = {}) {
  const time = fakeClock(NOW);
  const oauth = createFakeOAuthServer({
    clock: time.clock,
    clientId: CLIENT,
    redirectUris: [REDIRECT],
    ...behaviour,
  });
  const server = new SpotifyServer({ ...content, scopesOf: (each) => oauth.requireToken(each)?.scopes });
  const forms: URLSearchParams[] = [];
  msw.use(
    http.all('https://api.spotify.com/v1/*', ({ request: sent }) => server.answer(sent)),
    http.post('https://accounts.spotify.com/api/token', async ({ request: sent }) => {
      forms.push(new URLSearchParams(await sent.clone().text()));
      return oauth.handle(new Request('https://accounts.spotify.com/token', sent));
    }),
  );
  const events: McaEvent[] = [];
  const registry = createRegistry({
    providers: [spotify({ clientId: CLIENT, ...app })],
    ...memory({ clock: time.clock }),
    insecurePlaintextForTests: true,
    env: { clock: time.clock, timers: time.timers },
    onEvent: (event) => events.push(event),
  });
  const connect = async () => {
    const tokens = oauth.grant(SCOPES);
    const expiresAt = new Date(time.clock.now() + HOUR);
    return time.until(addConnection(registry, { ...request, credentials: { ...tokens, expiresAt } }));
  };
  const sync = () => time.until(syncHistory(registry, request));
  const titles = async () =>
    (await queryItems(registry, { userId: 'ana', limit: 200 })).items.map(({ title }) => title).sort();
  return { time, oauth, server, forms, registry, events, connect, sync, titles };
}

type Rig = ReturnType<typeof rigOf>;

async function consent({ registry, oauth, time }: Rig) {
  const step = await time.until(
    beginConnect(registry, { ...request, redirectUri: REDIRECT, sessionBinding: 'browser-1' }),
  );
  if (step.step !== 'redirect') throw new Error('Spotify sends users to its page.');
  const page = new URL(step.url);
  const agreed = await oauth.fetch(page);
  const callback = new URL(agreed.headers.get('location') ?? '');
  const done = await time.until(
    continueConnect(registry, {
      ...request,
      query: callback.searchParams,
      redirectUri: REDIRECT,
      sessionBinding: 'browser-1',
    }),
  );
  return { page, done };
}

describe('connecting', () => {
  test('code and PKCE: no secret, no authorization header, the least scopes; then both syncs, twice', async () => {
    const saved = Array.from({ length: 120 }, (_, index) => ({ addedAt: NOW - index * HOUR, id: idOf(index) }));
    const rig = rigOf({ plays: plays(30, NOW - MINUTE), saved });
    const { page, done } = await consent(rig);

    expect(page.origin + page.pathname).toBe('https://accounts.spotify.com/authorize');
    const asked = Object.fromEntries(page.searchParams);
    expect(asked).toMatchObject({ client_id: CLIENT, response_type: 'code', redirect_uri: REDIRECT });
    expect(asked).toMatchObject({ scope: SCOPES.join(' '), code_challenge_method: 'S256' });
    const [form] = rig.forms;
    const challenge = createHash('sha256').update(form?.get('code_verifier') ?? '');
    expect(challenge.digest('base64url')).toBe(asked.code_challenge);
    expect(Object.fromEntries(form ?? [])).toMatchObject({
      grant_type: 'authorization_code',
      client_id: CLIENT,
      redirect_uri: REDIRECT,
    });
    expect(rig.oauth.calls.filter(({ endpoint }) => endpoint === 'token')).toMatchObject([{ authorization: null }]);
    expect(done).toMatchObject({
      step: 'connected',
      isNew: true,
      missingScopes: [],
      connection: { account: USER, label: 'Ana', status: 'active', authorizationExpiresAt: new Date(NOW + 181 * DAY) },
    });

    expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { inserted: 30 } });
    const library = () => rig.time.until(syncLibrary(rig.registry, request));
    expect(await library()).toMatchObject({ status: 'complete', pages: 3, counts: { inserted: 120 } });
    expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { inserted: 0, updated: 0 } });
    expect(await library()).toMatchObject({ status: 'complete', pages: 1, counts: { inserted: 0, updated: 0 } });
  });

  test('a client secret goes along as basic credentials', async () => {
    const rig = rigOf({ oauth: { clientSecret: SECRET }, app: { clientSecret: SECRET } });
    expect((await consent(rig)).done).toMatchObject({ step: 'connected' });
    const [exchange] = rig.oauth.calls.filter(({ endpoint }) => endpoint === 'token');
    expect(exchange?.authorization).toBe(`Basic ${btoa(`${CLIENT}:${SECRET}`)}`);
  });

  test('a scope the user did not grant is told when connecting, and stops only what needs it', async () => {
    const rig = rigOf({ oauth: { grantedScopes: ['user-library-read'] } });
    expect((await consent(rig)).done).toMatchObject({
      missingScopes: ['user-read-recently-played', 'user-read-private'],
    });
    expect(await rig.sync()).toMatchObject({ error: { code: 'permission_denied', reason: 'missing_scopes' } });
    expect(await rig.time.until(syncLibrary(rig.registry, request))).toMatchObject({ status: 'complete' });
  });
});

describe('recently played, sync after sync', () => {
  test('fifty new plays that do not reach back: a gap, and the report says partial', async () => {
    const rig = rigOf({ plays: plays(10, NOW - MINUTE) });
    await rig.connect();
    await rig.sync();
    await rig.time.advance(6 * HOUR);
    rig.server.plays.push(...plays(60, rig.time.clock.now() - MINUTE, 100));
    const report = await rig.sync();
    const from = new Date(NOW - MINUTE - 3 * MINUTE);
    const to = new Date(rig.time.clock.now() - MINUTE - 49 * 4 * MINUTE - 3 * MINUTE);
    expect(report).toMatchObject({
      status: 'partial',
      counts: { inserted: 50 },
      gaps: [{ from, to }],
      error: { code: 'partial_sync', reason: 'coverage_gap', hint: expect.stringContaining('import an export') },
    });
    expect(rig.events).toContainEqual(expect.objectContaining({ type: 'coverage_gap', from, to }));
    expect(await rig.sync()).toMatchObject({ status: 'complete', gaps: [], counts: { inserted: 0 } });
  });

  test('a play that comes late, with the time it had, is found; what overlaps stays one', async () => {
    const rig = rigOf({ plays: plays(10, NOW - MINUTE) });
    await rig.connect();
    await rig.sync();
    rig.server.plays.push({ endedAt: NOW - 100 * MINUTE, id: idOf(77) });
    await rig.time.advance(30 * MINUTE);
    expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { inserted: 1, updated: 0, unchanged: 10 } });
    expect(await rig.titles()).toContain('Song 77');
    expect(await rig.titles()).toHaveLength(11);
  });

  test('nobody listened: an empty page without cursors is a complete sync', async () => {
    const rig = rigOf();
    await rig.connect();
    expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { read: 0 }, gaps: [] });
    rig.server.plays.push(...plays(1, NOW - 30 * DAY));
    await rig.sync();
    expect(await rig.sync()).toMatchObject({ status: 'complete', gaps: [] });
  });
});

describe('beside the extended history', () => {
  const ends = [1, 2, 3, 4, 5].map((days) => NOW - days * DAY);
  const rows = ends.map((endedAt, index) => ({
    ts: new Date(endedAt).toISOString().replace('.000Z', 'Z'),
    ms_played: 93_000,
    master_metadata_track_name: `Song ${index + 1}`,
    master_metadata_album_artist_name: 'Quiet Harbour',
    spotify_track_uri: `spotify:track:${idOf(index + 1)}`,
  }));
  const told = () => rigOf({ plays: ends.map((endedAt, index) => ({ endedAt: endedAt + 640, id: idOf(index + 1) })) });
  const importRows = ({ registry, time }: Rig) => {
    const file = fileOf('Streaming_History_Audio_2026.json', JSON.stringify(rows));
    return time.until(importFile(registry, { ...request, file }));
  };

  test('a play that both tell to the same second is one event, and the export knows more of it', async () => {
    const rig = told();
    await rig.connect();
    await rig.sync();
    const { counts } = await importRows(rig);
    expect(counts).toMatchObject({ inserted: 0, updated: 5 });
    const { items } = await queryItems(rig.registry, { userId: 'ana' });
    expect(items).toHaveLength(5);
    for (const item of items) expect(item).toMatchObject({ source: 'extended-history', timeSpentMs: 93_000 });
  });

  test('a sync after the import leaves what the export knows', async () => {
    const rig = told();
    await importRows(rig);
    await rig.connect();
    await rig.sync();
    const { items } = await queryItems(rig.registry, { userId: 'ana' });
    expect(items.map(({ source }) => source)).toEqual(Array(5).fill('extended-history'));
  });
});

describe('tokens', () => {
  const tokenCalls = ({ oauth }: Rig) => oauth.calls.filter(({ endpoint }) => endpoint === 'token');

  test('a token the service calls expired is refreshed once, and the request sent again', async () => {
    const rig = rigOf({ plays: plays(3, NOW - MINUTE) });
    await rig.connect();
    rig.server.failures.push(refusal(401, 'The access token expired'));
    expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { inserted: 3 } });
    expect(tokenCalls(rig)).toMatchObject([{ grantType: 'refresh_token', outcome: 'granted', authorization: null }]);
    expect(rig.forms.at(-1)?.get('client_id')).toBe(CLIENT);
    expect(rig.server.calls.slice(-2).map(({ status }) => status)).toEqual([401, 200]);
  });

  test('two syncs at once with an ended token refresh it once', async () => {
    const rig = rigOf({ plays: plays(3, NOW - MINUTE), saved: [{ addedAt: NOW, id: idOf(1) }] });
    await rig.connect();
    await rig.time.advance(2 * HOUR);
    const both = [syncHistory(rig.registry, request), syncLibrary(rig.registry, request)];
    for (const report of await rig.time.until(Promise.all(both))) expect(report.status).toBe('complete');
    expect(tokenCalls(rig)).toHaveLength(1);
  });

  test('a scope that is missing is nothing a refresh would mend', async () => {
    const rig = rigOf();
    await rig.connect();
    rig.server.failures.push(refusal(401, 'Permissions missing'));
    expect(await rig.sync()).toMatchObject({ error: { code: 'permission_denied', reason: 'missing_scopes' } });
    expect(tokenCalls(rig)).toEqual([]);
    expect(rig.server.failures).toEqual([]);
  });

  test('a refresh without a new refresh token keeps the old one', async () => {
    const rig = rigOf({ plays: plays(3, NOW - MINUTE), oauth: { refreshTokens: 'omitted' } });
    await rig.connect();
    for (const _ of [1, 2]) {
      await rig.time.advance(2 * HOUR);
      expect(await rig.sync()).toMatchObject({ status: 'complete' });
    }
    const [first, second, ...more] = tokenCalls(rig);
    expect(more).toEqual([]);
    expect(second).toMatchObject({ outcome: 'granted', handedIn: first?.handedIn });
  });

  test('invalid_grant: the user has to connect again, and the service is not asked a second time', async () => {
    const rig = rigOf({ oauth: { grantLifetimeMs: DAY } });
    const { id: connectionId } = await rig.connect();
    await rig.time.advance(2 * DAY);
    expect(await rig.sync()).toMatchObject({ error: { code: 'auth_expired' } });
    expect(await rig.sync()).toMatchObject({ status: 'skipped', reason: 'needs_reauth' });
    expect(tokenCalls(rig)).toMatchObject([{ outcome: 'invalid_grant' }]);
    const { connection } = await rig.time.until(connectionStatus(rig.registry, { userId: 'ana', connectionId }));
    expect(connection).toMatchObject({ status: 'needs_reauth', statusReason: 'revoked' });
    // Agreeing again makes it good again.
    expect((await consent(rig)).done).toMatchObject({ isNew: false });
    expect(await rig.sync()).toMatchObject({ status: 'complete' });
  });

  test('a page instead of tokens is an outage: tokens are kept, and serve when it is over', async () => {
    const rig = rigOf({ plays: plays(3, NOW - MINUTE) });
    await rig.connect();
    await rig.time.advance(2 * HOUR);
    const page = { status: 503, body: '<html>Service Unavailable</html>', headers: { 'content-type': 'text/html' } };
    rig.oauth.failNext('token', 1, page);
    expect(await rig.sync()).toMatchObject({ status: 'failed', error: { code: 'upstream' } });
    await rig.time.advance(10 * MINUTE);
    expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { inserted: 3 } });
    const [failed, good] = tokenCalls(rig);
    expect(good).toMatchObject({ outcome: 'granted', handedIn: expect.any(String) });
    expect(failed).toMatchObject({ outcome: 'status 503', handedIn: good?.handedIn });
  });
});

describe('rate limits', () => {
  test('two seconds are waited for; most of a day is told, and kept to', async () => {
    const rig = rigOf({ plays: plays(3, NOW - MINUTE) });
    await rig.connect();
    rig.server.failures.push(refusal(429, 'API rate limit exceeded', { 'retry-after': '2' }));
    expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { inserted: 3 } });
    await rig.time.advance(HOUR / 2);
    rig.server.failures.push(new Response('Too many requests', { status: 429, headers: { 'retry-after': '79892' } }));
    const askedAt = rig.time.clock.now();
    const report = await rig.sync();
    expect(report).toMatchObject({ status: 'skipped', error: { code: 'rate_limit', retryAfterMs: 79_892_000 } });
    expect(Math.abs((report.notBefore?.getTime() ?? 0) - askedAt - 79_892_000)).toBeLessThan(10_000);
    const calls = rig.server.calls.length;
    expect(await rig.sync()).toMatchObject({ status: 'skipped', reason: 'not_yet' });
    expect(rig.server.calls).toHaveLength(calls);
  });
});
