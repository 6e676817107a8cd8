import { inspect } from 'node:util';
import {
  addConnection,
  beginConnect,
  connectionStatus,
  continueConnect,
  createRegistry,
  type McaEvent,
  queryItems,
  type SyncSettings,
  syncHistory,
  syncRatings,
} from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { simkl } from '@mca/core/providers/simkl';
import { fakeClock } from '@mca/core/testing';
import { http } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  CLIENT,
  type FakeThing,
  NOW,
  PIN,
  page,
  REDIRECT,
  rated,
  refusal,
  SimklServer,
  TOKEN,
  watched,
} from './__fixtures__/server.ts';

const SECOND = 1_000;
const YEAR = 365 * 86_400_000;
const ana = { userId: 'ana', provider: 'simkl' } as const;
const flow = { ...ana, redirectUri: REDIRECT, sessionBinding: 'browser-1' } as const;

const network = setupServer();
// Loaded when first needed: a fake clock would take that for a service that keeps one waiting.
beforeAll(async () => {
  network.listen({ onUnhandledFrame: 'error' });
  await Promise.all([import('ky'), import('oauth4webapi'), import('p-retry')]);
});
afterEach(() => network.resetHandlers());
afterAll(() => network.close());

/** A registry and Simkl's API, and nothing else in the world: the page where users agree is not for programs. */
function rigOf(things: readonly FakeThing[] = []) {
  const time = fakeClock(NOW);
  const server = new SimklServer(things);
  network.use(http.all('https://api.simkl.com/*', ({ request }) => server.answer(request)));
  const events: McaEvent[] = [];
  const registry = createRegistry({
    providers: [simkl({ clientId: CLIENT, appName: 'Testing', appVersion: '2.1' })],
    ...memory({ clock: time.clock }),
    insecurePlaintextForTests: true,
    onEvent: (event) => events.push(event),
    env: { clock: time.clock, timers: time.timers },
  });
  const connect = () => time.until(addConnection(registry, { ...ana, credentials: { accessToken: TOKEN } }));
  const sync = (more: Pick<SyncSettings, 'again' | 'removedUpstream'> = {}) =>
    time.until(syncHistory(registry, { ...ana, ...more }));
  const syncRated = (more: Pick<SyncSettings, 'removedUpstream'> = {}) =>
    time.until(syncRatings(registry, { ...ana, ...more }));
  const stored = async () => (await queryItems(registry, { userId: 'ana', limit: 1_000 })).items;
  return { time, server, registry, events, connect, sync, syncRated, stored };
}

type Rig = ReturnType<typeof rigOf>;

/** What is true of each request, of tokens and PINs as well. */
function checkAll({ server }: Rig): void {
  expect(server.calls.length).toBeGreaterThan(0);
  for (const { query, headers } of server.calls) {
    expect(query).toMatchObject({ client_id: CLIENT, 'app-name': 'testing', 'app-version': '2.1' });
    expect(headers).toMatchObject({ 'user-agent': 'testing/2.1', 'simkl-api-key': CLIENT });
  }
}

describe('connecting by the page', () => {
  const begin = async ({ time, registry }: Rig) => {
    const step = await time.until(beginConnect(registry, flow));
    if (step.step !== 'redirect') throw new Error('Simkl sends users to its page.');
    return step;
  };
  const end = ({ time, registry }: Rig, query: URLSearchParams) =>
    time.until(continueConnect(registry, { ...flow, query }));

  test('code and PKCE, no secret; then both syncs, twice', async () => {
    const rig = rigOf(rated(30));
    const { url } = await begin(rig);
    const asked = Object.fromEntries(new URL(url).searchParams);
    expect(asked).toMatchObject({
      client_id: CLIENT,
      'app-name': 'testing',
      'app-version': '2.1',
      response_type: 'code',
    });
    expect(asked).not.toHaveProperty('scope');
    expect(await end(rig, rig.server.agree(url))).toMatchObject({
      step: 'connected',
      isNew: true,
      missingScopes: [],
      connection: { account: '51234', label: 'Ana', status: 'active' },
    });
    const [call] = rig.server.callsTo('POST /oauth/token');
    expect(call?.headers).toMatchObject({ 'content-type': 'application/json' });
    expect(JSON.parse(call?.body ?? '')).toEqual({
      grant_type: 'authorization_code',
      client_id: CLIENT,
      code: 'code-1',
      redirect_uri: REDIRECT,
      code_verifier: expect.any(String),
    });
    expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { inserted: 30 }, pages: 3, hasMore: false });
    expect(await rig.syncRated()).toMatchObject({ status: 'complete', counts: { inserted: 30 } });
    const before = rig.server.calls.length;
    await rig.time.advance(3_600_000);
    expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { read: 0 }, pages: 1 });
    expect(await rig.syncRated()).toMatchObject({ status: 'complete', counts: { read: 0 } });
    expect(rig.server.calls.slice(before).map(({ line }) => line)).toEqual([
      'GET /sync/activities',
      'GET /sync/activities',
    ]);
    expect(await rig.stored()).toHaveLength(60);
    checkAll(rig);
  });

  test.each([
    [401, 'grant_error', 'auth_expired', 'revoked'],
    [401, 'secret_error', 'configuration', 'invalid_client'],
    [412, 'client_id_failed', 'configuration', 'invalid_client'],
  ])('%i %s', async (status, error, code, reason) => {
    const rig = rigOf();
    const { url } = await begin(rig);
    rig.server.failures.push(refusal(status, error));
    await expect(end(rig, rig.server.agree(url))).rejects.toMatchObject({ code, reason });
  });

  test('the user says no; a code that is wrong; a page of the proxy', async () => {
    const rig = rigOf();
    const no = end(rig, new URLSearchParams({ error: 'access_denied', state: (await begin(rig)).state }));
    await expect(no).rejects.toMatchObject({ code: 'permission_denied', reason: 'access_denied' });
    const stolen = end(rig, new URLSearchParams({ code: 'stolen', state: (await begin(rig)).state }));
    await expect(stolen).rejects.toMatchObject({ code: 'auth_expired', reason: 'revoked' });
    const { url } = await begin(rig);
    rig.server.failures.push(page(502));
    await expect(end(rig, rig.server.agree(url))).rejects.toMatchObject({ code: 'upstream' });
  });
});

describe('connecting by PIN', () => {
  async function byPin({ time, registry }: Rig) {
    const begun = await time.until(beginConnect(registry, { ...ana, strategy: 'device-code' }));
    if (begun.step !== 'device') throw new Error('There is a PIN to type.');
    const poll = async (waitMs: number) => {
      await time.advance(waitMs);
      return await time.until(continueConnect(registry, { ...ana, state: begun.state }));
    };
    return { begun, poll };
  }

  test('pending, slow, ok: asked by GET for the PIN itself, until the user has agreed', async () => {
    const rig = rigOf(watched(6));
    const { begun, poll } = await byPin(rig);
    expect(begun).toMatchObject({
      userCode: PIN,
      verificationUri: 'https://simkl.com/pin',
      expiresAt: new Date(NOW + 900 * SECOND),
      pollAfterMs: 5 * SECOND,
    });
    expect(await poll(SECOND)).toMatchObject({ step: 'device', pollAfterMs: 4 * SECOND });
    expect(rig.server.calls).toHaveLength(1);
    expect(await poll(4 * SECOND)).toMatchObject({ step: 'device', pollAfterMs: 5 * SECOND });
    rig.server.failures.push(Response.json({ result: 'KO', message: 'Slow down' }));
    expect(await poll(5 * SECOND)).toMatchObject({ step: 'device', pollAfterMs: 10 * SECOND });
    for (const trouble of [
      page(502),
      Response.json({ result: 'KO', message: 'Unknown code' }),
      refusal(404, 'id_err'),
    ]) {
      rig.server.failures.push(trouble);
      expect(await poll(10 * SECOND)).toMatchObject({ step: 'device', pollAfterMs: 10 * SECOND });
    }
    rig.server.pin = 'approved';
    expect(await poll(10 * SECOND)).toMatchObject({ step: 'connected', connection: { account: '51234' } });
    expect(rig.server.calls.slice(0, -1).map(({ line, body }) => line + body)).toEqual([
      'GET /oauth/pin',
      ...Array.from({ length: 6 }, () => `GET /oauth/pin/${PIN}`),
    ]);
    for (const { query } of rig.server.calls)
      expect(Object.keys(query).sort()).toEqual(['app-name', 'app-version', 'client_id']);
    expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { inserted: 6 } });
    checkAll(rig);
  });

  test('a PIN that ran out ends the flow, and nobody is asked any more', async () => {
    const rig = rigOf();
    const { poll } = await byPin(rig);
    const before = rig.server.calls.length;
    await expect(poll(901 * SECOND)).rejects.toMatchObject({ code: 'auth_expired' });
    expect(rig.server.calls).toHaveLength(before);
  });

  test('a client id that is wrong is said at once', async () => {
    const rig = rigOf();
    rig.server.failures.push(refusal(412, 'client_id_failed'));
    await expect(byPin(rig)).rejects.toMatchObject({ code: 'configuration', reason: 'invalid_client' });
  });

  test('is the second way; neither the token nor the PIN is in an event', async () => {
    expect(simkl({ clientId: CLIENT }).auth.map(({ type }) => type)).toEqual(['oauth2', 'device-code']);
    const rig = rigOf();
    const { poll } = await byPin(rig);
    rig.server.pin = 'approved';
    await poll(5 * SECOND);
    const shown = inspect(rig.events, { depth: 10 });
    expect(shown).toContain('device-code');
    expect(shown).not.toContain('access-by-pin');
    expect(shown).not.toContain(PIN);
  });
});

describe('tokens', () => {
  test('one that was taken back needs the user, without any request for tokens', async () => {
    const rig = rigOf(watched(3));
    const { id: connectionId } = await rig.connect();
    rig.server.forgetTokens();
    expect(await rig.sync()).toMatchObject({ status: 'failed', error: { code: 'auth_expired' } });
    expect(await rig.sync()).toMatchObject({ status: 'skipped', reason: 'needs_reauth' });
    expect(rig.server.callsTo('POST /oauth/token')).toEqual([]);
    expect(rig.server.calls.filter(({ status }) => status === 401)).toHaveLength(1);
    const { connection } = await connectionStatus(rig.registry, { userId: 'ana', connectionId });
    expect(connection).toMatchObject({ status: 'needs_reauth', statusReason: 'rejected' });
  });

  test('one without an end is good for as long as it is', async () => {
    const rig = rigOf(watched(3));
    await rig.connect();
    await rig.time.advance(6 * YEAR);
    expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { inserted: 3 } });
  });

  test('one of five years is used for five years', async () => {
    const rig = rigOf(watched(3));
    const step = await rig.time.until(beginConnect(rig.registry, flow));
    await rig.time.until(
      continueConnect(rig.registry, { ...flow, query: rig.server.agree('url' in step ? step.url : '') }),
    );
    await rig.time.advance(4.99 * YEAR);
    expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { inserted: 3 } });
    expect(rig.server.callsTo('POST /oauth/token')).toHaveLength(1);
  });
});

describe('sync after sync', () => {
  test('the position is kept: what changed is asked for since then, everything only when it is wanted', async () => {
    const rig = rigOf(watched(6));
    await rig.connect();
    await rig.sync();
    await rig.time.advance(8 * 86_400_000);
    rig.server.calls.length = 0;
    rig.server.things.push({ type: 'movies', id: 7, changedAt: NOW, watchedAt: NOW - YEAR });
    expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { inserted: 1 } });
    expect(rig.server.calls.map(({ line }) => line)).toEqual(['GET /sync/activities', 'GET /sync/all-items/movies']);
    expect(rig.server.calls[1]?.query.date_from).toBe('2026-10-31T12:00:00Z');
    rig.server.calls.length = 0;
    expect(await rig.sync({ again: 'everything' })).toMatchObject({ counts: { inserted: 0, unchanged: 7 } });
    expect(rig.server.calls).toHaveLength(4);
    expect(rig.server.calls.every(({ query }) => !('date_from' in query))).toBe(true);
  });

  test('a walk that was cut off goes on with the type it was at', async () => {
    const rig = rigOf(watched(6));
    await rig.connect();
    const cut = await rig.time.until(syncHistory(rig.registry, { ...ana, maxPages: 1 }));
    expect(cut).toMatchObject({ hasMore: true, counts: { inserted: 2 } });
    rig.server.calls.length = 0;
    expect(await rig.sync()).toMatchObject({ status: 'complete', hasMore: false, counts: { inserted: 4 } });
    expect(rig.server.calls.map(({ line }) => line)).toEqual([
      'GET /sync/all-items/movies',
      'GET /sync/all-items/anime',
    ]);
  });

  test('requests that are used up are waited for, and nothing is lost', async () => {
    const rig = rigOf(watched(6));
    await rig.connect();
    rig.server.failures.push(undefined, undefined, refusal(412, 'client_id_failed'));
    const report = await rig.sync();
    expect(report).toMatchObject({ status: 'partial', error: { reason: 'quota_used_up' }, counts: { inserted: 2 } });
    expect(report.notBefore).toEqual(new Date(rig.time.clock.now() + 3_600_000));
    await rig.time.advance(3_600_000);
    expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { inserted: 4 } });
  });

  test('429 and 5xx are asked again', async () => {
    const rig = rigOf(watched(6));
    await rig.connect();
    rig.server.failures.push(refusal(429, 'rate_limit'), undefined, page(503));
    expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { inserted: 6 } });
  });

  test('rating again changes the rating', async () => {
    const rig = rigOf([{ type: 'movies', id: 7, changedAt: NOW, rating: { value: 6, at: NOW } }]);
    await rig.connect();
    await rig.syncRated();
    rig.server.things.splice(0, 1, {
      type: 'movies',
      id: 7,
      changedAt: NOW + SECOND,
      rating: { value: 9, at: NOW + SECOND },
    });
    expect(await rig.syncRated()).toMatchObject({ counts: { inserted: 0, updated: 1 } });
    expect((await rig.stored()).map(({ rating }) => rating)).toEqual([9]);
  });
});

describe('taken from a list', () => {
  const [show, film, anime] = rated(3) as [FakeThing, FakeThing, FakeThing];
  show.episodes = [1, 2, 3].map((number) => ({ season: 1, number, at: NOW - number * 3_600_000 }));

  test('what was stored of it is reported; a show goes with all its episodes', async () => {
    const rig = rigOf([show, film, anime]);
    await rig.connect();
    expect((await rig.sync()).removedUpstream.count).toBe(0);
    rig.server.remove(show, NOW + SECOND);
    const report = await rig.sync();
    expect(report).toMatchObject({ status: 'complete', removedUpstream: { count: 3, kept: { not_asked: 3 } } });
    const ids = report.removedUpstream.keys.map(({ externalId }) => externalId.split(':').slice(1).join(':'));
    expect(ids.toSorted()).toEqual([1, 2, 3].map((number) => `show:1000:s1e${number}`));
    expect(await rig.stored()).toHaveLength(5);
    expect((await rig.sync()).removedUpstream.count).toBe(0);
  });

  test('deleted here, too, where the host says so; also later, by asking for everything once more', async () => {
    const rig = rigOf([show, film, anime]);
    await rig.connect();
    await rig.sync();
    rig.server.remove(show, NOW + SECOND);
    await rig.sync();
    const report = await rig.sync({ again: 'everything', removedUpstream: 'delete' });
    expect(report.removedUpstream.count).toBe(3);
    expect(report.removedUpstream.deleted).toBe(3);
    expect((await rig.stored()).map(({ subtype }) => subtype)).toEqual(['movie', 'tv_episode']);
  });

  test('its rating is reported, and stays: rated again it would have the same name', async () => {
    const rig = rigOf([show, film, anime]);
    await rig.connect();
    await rig.syncRated();
    rig.server.remove(film, NOW + SECOND);
    const { removedUpstream } = await rig.syncRated({ removedUpstream: 'delete' });
    expect(removedUpstream).toMatchObject({ count: 1, deleted: 0, kept: { would_not_return: 1 } });
    expect(removedUpstream.keys).toEqual([{ userId: 'ana', platform: 'simkl', externalId: 'rated:movie:1001' }]);
    rig.server.things.push({ ...film, changedAt: NOW + 2 * SECOND, rating: { value: 3, at: NOW + 2 * SECOND } });
    await rig.syncRated();
    expect((await rig.stored()).find(({ contentId }) => contentId === 'movie:1001')?.rating).toBe(3);
  });
});
