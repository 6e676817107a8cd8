import { inspect } from 'node:util';
import { beginConnect, connectionStatus, continueConnect, disconnect, syncHistory, syncRatings } from '@mca/core';
import { trakt } from '@mca/core/providers/trakt';
import { beforeAll, describe, expect, test } from 'vitest';
import { ana, type Rig, rigOf } from '../../test/support/trakt-rig.ts';
import { REDIRECT, SECRET } from './__fixtures__/oauth.ts';
import { AGENT, blocked, CLIENT, NOW, plays, rated, refusal, USER } from './__fixtures__/server.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 86_400_000;
const WEEK = 7 * DAY;
const flow = { ...ana, redirectUri: REDIRECT, sessionBinding: 'browser-1' } as const;

// Loaded when first needed: a fake clock would take that for a service that keeps one waiting.
beforeAll(() => Promise.all([import('ky'), import('oauth4webapi'), import('p-retry')]));

/** What is true of each token request. */
const ASKED = { authorization: null, type: 'application/json', agent: AGENT, key: CLIENT } as const;

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
