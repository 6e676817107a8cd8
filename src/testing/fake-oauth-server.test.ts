import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { fakeClock } from './fake-clock.ts';
import { createFakeOAuthServer } from './fake-oauth-server.ts';

const REDIRECT = 'https://your.app/callback';
const VERIFIER = 'v'.repeat(43);
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

type Server = ReturnType<typeof createFakeOAuthServer>;

async function code(server: Server, change: Record<string, string> = {}): Promise<string> {
  const url = new URL(server.endpoints().authorizationEndpoint);
  const query = {
    client_id: 'client',
    response_type: 'code',
    redirect_uri: REDIRECT,
    state: 's',
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    scope: 'a b',
    ...change,
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const response = await server.handle(new Request(url));
  const location = response.headers.get('location');
  return location ? (new URL(location).searchParams.get('code') ?? '') : `status ${response.status}`;
}

async function token(server: Server, form: Record<string, string>): Promise<Record<string, unknown>> {
  const body = new URLSearchParams({ client_id: 'client', ...form });
  return (await server.fetch(server.endpoints().tokenEndpoint, { method: 'POST', body })).json() as Promise<
    Record<string, unknown>
  >;
}

const byCode = async (server: Server, form: Record<string, string> = {}) =>
  token(server, {
    grant_type: 'authorization_code',
    code: await code(server),
    redirect_uri: REDIRECT,
    code_verifier: VERIFIER,
    ...form,
  });
const byRefresh = (server: Server, refreshToken: unknown) =>
  token(server, { grant_type: 'refresh_token', refresh_token: String(refreshToken) });
const meStatus = async (server: Server, accessToken: unknown) =>
  (await server.fetch(server.endpoints().me, { headers: { authorization: `Bearer ${String(accessToken)}` } })).status;

describe('the fake OAuth server', () => {
  test('codes are good once, for their verifier and address only', async () => {
    const server = createFakeOAuthServer({ redirectUris: [REDIRECT] });
    expect(await byCode(server)).toMatchObject({ token_type: 'Bearer', expires_in: 3_600, scope: 'a b' });
    for (const wrong of [
      { code_verifier: `${VERIFIER}v` },
      { code_verifier: '' },
      { redirect_uri: `${REDIRECT}/` },
      { code: 'x' },
      { client_id: 'other' },
    ]) {
      expect(await byCode(server, wrong)).toEqual({ error: 'client_id' in wrong ? 'invalid_client' : 'invalid_grant' });
    }
    const once = { code: await code(server) };
    const first = await byCode(server, once);
    expect(await byCode(server, once)).toEqual({ error: 'invalid_grant' });
    expect(await meStatus(server, first.access_token)).toBe(401);
    expect(await code(server, { redirect_uri: `${REDIRECT}/` })).toBe('status 400');
    expect(await code(server, { code_challenge_method: 'plain' })).toBe('status 400');
  });

  test('a refresh token that comes twice revokes its whole family', async () => {
    const server = createFakeOAuthServer();
    const { refreshToken } = server.grant();
    const second = await byRefresh(server, refreshToken);
    expect(second.refresh_token).not.toBe(refreshToken);
    expect(await meStatus(server, second.access_token)).toBe(200);
    expect(await byRefresh(server, refreshToken)).toEqual({ error: 'invalid_grant' });
    expect(await byRefresh(server, second.refresh_token)).toEqual({ error: 'invalid_grant' });
    expect(await meStatus(server, second.access_token)).toBe(401);
    expect(server.calls.map(({ outcome }) => outcome)).toEqual([
      'granted',
      'granted',
      'invalid_grant',
      'invalid_grant',
      'status 401',
    ]);
  });

  test('refresh tokens may stay, and be left out', async () => {
    for (const [refreshTokens, expected] of [
      ['sticky', 'same'],
      ['omitted', undefined],
      ['empty', ''],
    ] as const) {
      const server = createFakeOAuthServer({ refreshTokens });
      const { refreshToken } = server.grant();
      const answer = await byRefresh(server, refreshToken);
      expect(answer.refresh_token).toBe(expected === 'same' ? refreshToken : expected);
      expect((await byRefresh(server, refreshToken)).access_token).toBeDefined();
    }
  });

  test('tokens and consents end by its clock', async () => {
    const time = fakeClock();
    const server = createFakeOAuthServer({ clock: time.clock, accessLifetimeMs: 1_000, grantLifetimeMs: 10_000 });
    const { accessToken, refreshToken } = server.grant(['a']);
    expect(await meStatus(server, accessToken)).toBe(200);
    await time.advance(1_000);
    expect(await meStatus(server, accessToken)).toBe(401);
    const next = await byRefresh(server, refreshToken);
    await time.advance(9_000);
    expect(await byRefresh(server, next.refresh_token)).toEqual({ error: 'invalid_grant' });
  });

  test('a client secret may be wanted in one place only, and bodies may be JSON', async () => {
    const server = createFakeOAuthServer({ clientSecret: 'secret', refreshTokens: 'sticky' });
    const { refreshToken } = server.grant();
    const form = { grant_type: 'refresh_token', refresh_token: refreshToken };
    const inBody = { ...form, client_id: 'client', client_secret: 'secret' };
    const ask = async (body: string | URLSearchParams, headers: Record<string, string> = {}) =>
      (await server.fetch(server.endpoints().tokenEndpoint, { method: 'POST', body, headers })).status;
    const basic = { authorization: `Basic ${btoa('client:secret')}` };
    const json = { 'content-type': 'application/json' };
    const all = async () => [
      await ask(new URLSearchParams(form), basic),
      await ask(new URLSearchParams(inBody)),
      await ask(JSON.stringify(inBody), json),
    ];
    expect(await all()).toEqual([200, 200, 200]);
    server.behaviour.clientAuthentication = 'basic';
    expect(await all()).toEqual([200, 401, 401]);
    server.behaviour.clientAuthentication = 'body';
    expect(await all()).toEqual([401, 200, 200]);
    expect(server.calls.at(-1)).toMatchObject({ grantType: 'refresh_token', parameters: inBody });
  });

  test('a device flow may answer by the status, at an address of its own', async () => {
    const time = fakeClock();
    const server = createFakeOAuthServer({ clock: time.clock });
    const { deviceEndpoint, devicePollEndpoint } = server.endpoints();
    const post = (url: string, form: Record<string, string>) =>
      server.fetch(url, { method: 'POST', body: new URLSearchParams({ client_id: 'client', ...form }) });
    const begun = (await (await post(deviceEndpoint, {})).json()) as { device_code: string; user_code: string };
    const poll = async () => {
      const answer = await post(devicePollEndpoint, { code: begun.device_code });
      return [answer.status, (await answer.text()).length > 0];
    };
    expect(await poll()).toEqual([404, true]);
    server.behaviour.devicePollStatuses = { authorization_pending: 400, slow_down: 429 };
    expect(await poll()).toEqual([429, false]);
    await time.advance(5_000);
    expect(await poll()).toEqual([400, false]);
    const byStandard = { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: begun.device_code };
    expect(await token(server, byStandard)).toEqual({ error: 'unsupported_grant_type' });
    server.answerDevice(begun.user_code, 'approve');
    await time.advance(5_000);
    expect(await poll()).toEqual([200, true]);
    expect(await poll()).toEqual([400, true]);
  });

  test('it fails as told, so many times', async () => {
    const server = createFakeOAuthServer({ clientSecret: 'secret' });
    expect(await byRefresh(server, 'x')).toEqual({ error: 'invalid_client' });
    server.behaviour.clientSecret = undefined;
    server.failNext('token', 1, { status: 503, body: '{"down":true}' });
    server.failNext('token', 1, 'drop-before');
    server.failNext('token', 1, 'drop-after');
    const { refreshToken } = server.grant();
    expect(await byRefresh(server, refreshToken)).toEqual({ down: true });
    await expect(byRefresh(server, refreshToken)).rejects.toThrow('fetch failed');
    expect(server.grants[0]?.refreshToken).toBe(refreshToken);
    await expect(byRefresh(server, refreshToken)).rejects.toThrow('fetch failed');
    expect(server.grants[0]?.refreshToken).not.toBe(refreshToken);
  });

  test('it listens for other processes, and hangs up when told', async () => {
    const server = createFakeOAuthServer();
    const origin = await server.listen();
    try {
      const { accessToken, refreshToken } = server.grant();
      const { me, tokenEndpoint, revocationEndpoint } = server.endpoints(origin);
      const headers = { authorization: `Bearer ${accessToken}` };
      expect(await (await fetch(me, { headers })).json()).toEqual({ id: 'ada', name: 'User ada' });
      const body = () =>
        new URLSearchParams({ client_id: 'client', grant_type: 'refresh_token', refresh_token: refreshToken });
      server.failNext('token', 1, 'drop-before');
      await expect(fetch(tokenEndpoint, { method: 'POST', body: body() })).rejects.toThrow();
      expect((await fetch(tokenEndpoint, { method: 'POST', body: body() })).status).toBe(200);
      const token = new URLSearchParams({ client_id: 'client', token: accessToken });
      expect((await fetch(revocationEndpoint, { method: 'POST', body: token })).status).toBe(200);
      expect((await fetch(me, { headers })).status).toBe(401);
      expect((await fetch(`${origin}/other`)).status).toBe(404);
    } finally {
      await server.close();
    }
  });
});
