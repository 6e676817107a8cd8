import { inspect } from 'node:util';
import {
  addConnection,
  beginConnect,
  connectionStatus,
  continueConnect,
  createRegistry,
  disconnect,
  type McaEvent,
  queryItems,
  syncHistory,
  syncRatings,
} from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { type TraktOptions, trakt } from '@mca/core/providers/trakt';
import { fakeClock } from '@mca/core/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { REDIRECT, SECRET, TraktOAuth } from './__fixtures__/oauth.ts';
import {
  AGENT,
  blocked,
  CLIENT,
  NOW,
  plays,
  rated,
  refusal,
  type ServerOptions,
  TraktServer,
  USER,
} from './__fixtures__/server.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 86_400_000;
const WEEK = 7 * DAY;
const ana = { userId: 'ana', provider: 'trakt' } as const;
const flow = { ...ana, redirectUri: REDIRECT, sessionBinding: 'browser-1' } as const;

// Loaded when first needed: a fake clock would take that for a service that keeps one waiting.
beforeAll(() => Promise.all([import('ky'), import('oauth4webapi'), import('p-retry')]));

/** What is true of each token request. */
const ASKED = { authorization: null, type: 'application/json', agent: AGENT, key: CLIENT } as const;

interface RigOptions extends Omit<ServerOptions, 'isGood'> {
  readonly app?: Partial<TraktOptions>;
  readonly wantsSecret?: boolean;
  readonly onEvent?: (event: McaEvent) => void;
}

/** A registry, Trakt's API and its OAuth service, each at its own host, and nothing else in the world. */
function rigOf({ app, wantsSecret = false, onEvent = () => {}, ...content }: RigOptions = {}) {
  const time = fakeClock(NOW);
  const oauth = new TraktOAuth({ now: time.clock.now, wantsSecret });
  const server = new TraktServer({ ...content, isGood: oauth.isGood });
  const world: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const { host } = new URL(request.url);
    if (host === 'auth.trakt.tv') return oauth.answer(request);
    if (host === 'api.trakt.tv') return server.answer(request);
    throw new TypeError(`there is no ${host}`);
  };
  const registry = createRegistry({
    providers: [trakt({ clientId: CLIENT, userAgent: AGENT, ...app })],
    ...memory({ clock: time.clock }),
    insecurePlaintextForTests: true,
    onEvent,
    env: { clock: time.clock, timers: time.timers, fetch: world },
  });
  const connect = () => {
    const credentials = { ...oauth.grant(), expiresAt: new Date(time.clock.now() + WEEK) };
    return time.until(addConnection(registry, { ...ana, credentials }));
  };
  const sync = (more: { readonly again?: 'everything' } = {}) => time.until(syncHistory(registry, { ...ana, ...more }));
  const syncRated = () => time.until(syncRatings(registry, ana));
  const stored = async () => (await queryItems(registry, { userId: 'ana', limit: 1_000 })).items;
  return { time, oauth, server, registry, connect, sync, syncRated, stored };
}

type Rig = ReturnType<typeof rigOf>;

async function byPage({ time, registry, oauth }: Rig) {
  const step = await time.until(beginConnect(registry, flow));
  if (step.step !== 'redirect') throw new Error('Trakt sends users to its page.');
  const done = await time.until(continueConnect(registry, { ...flow, query: oauth.agree(step.url) }));
  return { page: new URL(step.url), done };
}

async function byDevice({ time, registry }: Rig) {
  const begun = await time.until(beginConnect(registry, { ...ana, strategy: 'device-code' }));
  if (begun.step !== 'device') throw new Error('There is a code to type.');
  const poll = async (waitMs: number) => {
    await time.advance(waitMs);
    return await time.until(continueConnect(registry, { ...ana, state: begun.state }));
  };
  return { begun, poll };
}

describe.each([
  ['without a client secret', {}],
  ['with one', { clientSecret: SECRET }],
] as const)('connecting by the page, %s', (_, app) => {
  test('code and PKCE, no secret, nothing in headers; then both syncs, twice', async () => {
    const rig = rigOf({ plays: plays(300), ratings: rated(30), app });
    const { page, done } = await byPage(rig);
    expect(page.origin + page.pathname).toBe('https://auth.trakt.tv/oauth/authorize');
    const asked = Object.fromEntries(page.searchParams);
    expect(asked).toMatchObject({ response_type: 'code', client_id: CLIENT, code_challenge_method: 'S256' });
    expect(asked).not.toHaveProperty('scope');
    expect(done).toMatchObject({
      step: 'connected',
      isNew: true,
      missingScopes: [],
      connection: { account: USER.uuid, label: USER.username, status: 'active' },
    });
    const [call] = rig.oauth.callsTo('/oauth/token');
    expect(call).toMatchObject({ ...ASKED, body: { client_id: CLIENT, redirect_uri: REDIRECT } });
    expect(call?.body).not.toHaveProperty('client_secret');

    expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { inserted: 300 }, hasMore: false });
    expect(await rig.syncRated()).toMatchObject({ status: 'complete', counts: { inserted: 30 } });
    expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { inserted: 0, updated: 0 } });
    expect(await rig.syncRated()).toMatchObject({ counts: { inserted: 0, updated: 0, unchanged: 30 } });
    expect(await rig.stored()).toHaveLength(330);
  });

  test('the user says no; a code that is wrong', async () => {
    const rig = rigOf({ app });
    const begin = async () => {
      const step = await rig.time.until(beginConnect(rig.registry, flow));
      return 'state' in step ? step.state : '';
    };
    const end = (query: Record<string, string>) =>
      rig.time.until(continueConnect(rig.registry, { ...flow, query: new URLSearchParams(query) }));
    const no = end({ error: 'access_denied', state: await begin() });
    await expect(no).rejects.toMatchObject({ code: 'permission_denied', reason: 'access_denied' });
    await expect(end({ code: 'stolen', state: await begin() })).rejects.toMatchObject({ code: 'auth_expired' });
  });

  test('disconnecting takes the consent back', async () => {
    const rig = rigOf({ app });
    const { id: connectionId } = await rig.connect();
    const ended = await rig.time.until(disconnect(rig.registry, { userId: 'ana', connectionId }));
    expect(ended).toEqual({ remoteRevoked: true });
    const [call, ...others] = rig.oauth.callsTo('/oauth/revoke');
    expect([call?.status, others]).toEqual([200, []]);
    expect(call).toMatchObject(ASKED);
    const client = { client_id: CLIENT, ...('clientSecret' in app && { client_secret: SECRET }) };
    expect(call?.body).toEqual({ token: 'access-1', ...client });
  });
});

describe('connecting by a code on another device', () => {
  test.each([
    ['without a secret', {}],
    ['with one', { wantsSecret: true, app: { clientSecret: SECRET, redirectUri: REDIRECT } }],
  ])('polled as asked, until the user has agreed, %s; the tokens can be refreshed', async (_, options) => {
    const rig = rigOf({ plays: plays(3), ...options });
    const { begun, poll } = await byDevice(rig);
    expect(begun).toMatchObject({
      userCode: '5055CC52',
      verificationUri: 'https://auth.trakt.tv/activate',
      expiresAt: new Date(NOW + 600 * SECOND),
      pollAfterMs: 5 * SECOND,
    });
    expect(await poll(SECOND)).toMatchObject({ step: 'device', pollAfterMs: 4 * SECOND });
    expect(rig.oauth.callsTo('/oauth/device/token')).toEqual([]);
    expect(await poll(4 * SECOND)).toMatchObject({ step: 'device', pollAfterMs: 5 * SECOND });
    rig.oauth.failures.push(refusal(429));
    expect(await poll(5 * SECOND)).toMatchObject({ step: 'device', pollAfterMs: 10 * SECOND });
    rig.oauth.failures.push(blocked(502));
    expect(await poll(10 * SECOND)).toMatchObject({ step: 'device', pollAfterMs: 10 * SECOND });
    rig.oauth.answerDevices('approved');
    expect(await poll(10 * SECOND)).toMatchObject({ step: 'connected', connection: { account: USER.uuid } });
    const polls = rig.oauth.callsTo('/oauth/device/token');
    expect(polls.map(({ status }) => status)).toEqual([400, 429, 502, 200]);
    const secret = 'app' in options && { client_secret: SECRET };
    for (const call of polls) {
      expect(call).toMatchObject(ASKED);
      expect(call.body).toEqual({ code: 'device-1', client_id: CLIENT, ...secret });
    }
    const [asked] = rig.oauth.callsTo('/oauth/device/code');
    expect(asked).toMatchObject(ASKED);
    expect(asked?.body).toEqual({ client_id: CLIENT });
    expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { inserted: 3 } });
    await rig.time.advance(WEEK);
    expect(await rig.sync()).toMatchObject({ status: 'complete' });
    const [refresh, ...others] = rig.oauth.callsTo('/oauth/token');
    expect([refresh?.status, others]).toEqual([200, []]);
    expect(refresh).toMatchObject(ASKED);
    const { refresh_token: _token, ...body } = refresh?.body ?? {};
    const redirect = secret && { redirect_uri: REDIRECT };
    expect(body).toEqual({ grant_type: 'refresh_token', client_id: CLIENT, ...secret, ...redirect });
  });

  test.each([
    ['418, the user said no', (rig: Rig) => rig.oauth.answerDevices('denied'), 'permission_denied', 'access_denied'],
    ['404, a code nobody knows', (rig: Rig) => rig.oauth.forgetDevices(), 'auth_expired', 'revoked'],
    ['409, a code used already', (rig: Rig) => rig.oauth.failures.push(refusal(409)), 'auth_expired', 'revoked'],
    ['410, a code that ended', (rig: Rig) => rig.oauth.failures.push(refusal(410)), 'auth_expired', 'expired'],
  ])('%s', async (_, happens, code, reason) => {
    const rig = rigOf();
    const { poll } = await byDevice(rig);
    happens(rig);
    await expect(poll(5 * SECOND)).rejects.toMatchObject({ code, reason });
  });

  test('is the second way: the page comes first', () => {
    expect(trakt({ clientId: CLIENT }).auth.map(({ type }) => type)).toEqual(['oauth2', 'device-code']);
  });
});

describe('tokens', () => {
  const refreshes = ({ oauth }: Rig) => oauth.callsTo('/oauth/token');

  test('a token the service refuses is refreshed once, and the request sent again', async () => {
    const rig = rigOf({ plays: plays(3) });
    await rig.connect();
    rig.oauth.expireAll();
    expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { inserted: 3 } });
    expect(refreshes(rig)).toHaveLength(1);
    expect(rig.server.calls.filter(({ status }) => status === 401)).toHaveLength(1);
  });

  test('refused at once in two syncs: one refresh', async () => {
    const rig = rigOf({ plays: plays(3), ratings: [{ at: NOW, of: 1, rating: 9 }] });
    await rig.connect();
    rig.oauth.expireAll();
    const both = [syncHistory(rig.registry, ana), syncRatings(rig.registry, ana)];
    for (const { status } of await rig.time.until(Promise.all(both))) expect(status).toBe('complete');
    expect(refreshes(rig)).toHaveLength(1);
  });

  test('they end after a week, and are refreshed ahead of it, each with the refresh token of the one before', async () => {
    const rig = rigOf({ plays: plays(3) });
    await rig.connect();
    for (const _ of [1, 2, 3]) {
      await rig.time.advance(WEEK - 10 * MINUTE);
      expect(await rig.sync()).toMatchObject({ status: 'complete' });
    }
    const used = refreshes(rig).map(({ body }) => body.refresh_token);
    expect(new Set(used).size).toBe(3);
    expect(rig.server.calls.filter(({ status }) => status === 401)).toEqual([]);
  });

  test('a refresh token that was used is dead: the user has to connect again, which mends it', async () => {
    const rig = rigOf({ plays: plays(3) });
    const { id: connectionId } = await rig.connect();
    rig.oauth.expireAll();
    rig.oauth.failures.push(
      Response.json({ error: 'invalid_grant', error_description: 'session not found' }, { status: 400 }),
    );
    expect(await rig.sync()).toMatchObject({ status: 'failed', error: { code: 'auth_expired' } });
    expect(await rig.sync()).toMatchObject({ status: 'skipped', reason: 'needs_reauth' });
    expect(refreshes(rig)).toHaveLength(1);
    const { connection } = await connectionStatus(rig.registry, { userId: 'ana', connectionId });
    expect(connection).toMatchObject({ status: 'needs_reauth', statusReason: 'revoked' });
    expect((await byPage(rig)).done).toMatchObject({ isNew: false });
    expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { inserted: 3 } });
  });
});

test('the secret is in no event, and not on the provider that is printed', async () => {
  const events: unknown[] = [];
  const app = { clientSecret: SECRET };
  const rig = rigOf({ wantsSecret: true, app, onEvent: (event) => events.push(event) });
  const { poll } = await byDevice(rig);
  rig.oauth.failures.push(blocked(502));
  events.push(await poll(5 * SECOND));
  rig.oauth.failures.push(refusal(418));
  events.push(await poll(5 * SECOND).catch((error: unknown) => error));
  const provider = trakt({ clientId: CLIENT, ...app });
  const shown = inspect([events, provider], { depth: 10 }) + JSON.stringify([events, provider]);
  expect(shown).toContain('/oauth/device/token');
  expect(shown).toContain('access_denied');
  expect(shown).not.toContain(SECRET);
  expect(rig.oauth.callsTo('/oauth/device/token')).toMatchObject([
    { body: { client_secret: SECRET } },
    { body: { client_secret: SECRET } },
  ]);
});

describe('when the service says no', () => {
  test('429 with a wait, and without', async () => {
    const rig = rigOf({ plays: plays(3) });
    await rig.connect();
    const limit = JSON.stringify({ name: 'AUTHED_API_GET_LIMIT', period: 300, limit: 500, remaining: 0 });
    rig.server.failures.push(refusal(429, { 'retry-after': '20', 'x-ratelimit': limit }));
    const before = rig.time.clock.now();
    expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { inserted: 3 } });
    expect(rig.time.clock.now() - before).toBeGreaterThanOrEqual(20 * SECOND);
    rig.server.failures.push(refusal(429), blocked(429));
    expect(await rig.sync()).toMatchObject({ status: 'complete' });
    rig.server.failures.push(refusal(429, { 'retry-after': '290' }));
    const report = await rig.sync();
    expect(report).toMatchObject({ status: 'skipped', reason: 'rate_limited', error: { code: 'rate_limit' } });
    expect(report.notBefore).toEqual(new Date(rig.time.clock.now() + 290 * SECOND));
  });

  test.each([
    [420, 'account_limit'],
    [423, 'account_locked'],
    [426, 'vip_only'],
  ])('%i is not asked again', async (status, reason) => {
    const rig = rigOf({ plays: plays(3) });
    await rig.connect();
    const before = rig.server.calls.length;
    rig.server.failures.push(refusal(status));
    expect(await rig.sync()).toMatchObject({ status: 'failed', error: { code: 'permission_denied', reason } });
    expect(rig.server.calls).toHaveLength(before + 1);
  });

  test('a page of the proxy in the middle of a walk: half a minute later it goes on', async () => {
    const rig = rigOf({ plays: plays(600) });
    await rig.connect();
    rig.server.failures.push(undefined, blocked(502));
    const before = rig.time.clock.now();
    expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { inserted: 600 } });
    expect(rig.time.clock.now() - before).toBeGreaterThanOrEqual(30 * SECOND);
  });
});

describe('sync after sync', () => {
  const add = ({ server, time }: Rig, id: number, daysAgo: number) =>
    server.plays.push({ id, at: time.clock.now() - daysAgo * DAY, of: id });

  test('what was marked days later is found the same day, within a year by the week, all of it when asked', async () => {
    const rig = rigOf({ plays: plays(3) });
    await rig.connect();
    await rig.sync();
    await rig.time.advance(DAY);
    add(rig, 1, 5);
    add(rig, 2, 300);
    add(rig, 3, 4_000);
    expect(await rig.sync()).toMatchObject({ counts: { inserted: 1 } });
    await rig.time.advance(7 * DAY);
    expect(await rig.sync()).toMatchObject({ counts: { inserted: 1 } });
    expect(await rig.sync({ again: 'everything' })).toMatchObject({ counts: { inserted: 1 } });
    expect(await rig.stored()).toHaveLength(6);
  });

  test('a walk that was cut off goes on where it was', async () => {
    const rig = rigOf({ plays: plays(600), maxLimit: 100 });
    await rig.connect();
    const cut = await rig.time.until(syncHistory(rig.registry, { ...ana, maxPages: 3 }));
    expect(cut).toMatchObject({ status: 'complete', hasMore: true, pages: 3 });
    const asked = rig.server.calls.length;
    await rig.sync();
    expect(await rig.stored()).toHaveLength(600);
    expect(rig.server.calls[asked]?.query).toHaveProperty('end_at');
  });

  test('rating again changes the rating; what is taken back stays', async () => {
    const rig = rigOf({
      ratings: [
        { at: NOW - DAY, of: 1, rating: 6 },
        { at: NOW - DAY, of: 2, rating: 3 },
      ],
    });
    await rig.connect();
    await rig.syncRated();
    rig.server.ratings.splice(0, 2, { at: NOW, of: 1, rating: 9 });
    expect(await rig.syncRated()).toMatchObject({ counts: { inserted: 0, updated: 1 } });
    const items = await rig.stored();
    expect(items.map(({ contentId, rating }) => [contentId, rating]).sort()).toEqual([
      ['movie:1', 9],
      ['movie:2', 3],
    ]);
  });
});
