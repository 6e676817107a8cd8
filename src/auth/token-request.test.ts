import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type AuthRig, type AuthRigOptions, authRig } from '../../test/support/auth-rig.ts';
import { connect, connectedStep, failure } from '../../test/support/connect-flows.ts';
import type { AuthStrategy } from '../contracts/auth.ts';
import type { DeviceCodeStrategy, DevicePoll, OAuthClient } from '../contracts/oauth.ts';
import { beginConnect, continueConnect } from './connect.ts';
import { openContext } from './connection-context.ts';
import { disconnect } from './disconnect.ts';

const SECRET = 'canary-client-secret';
const HOUR = 3_600_000;
const who = { userId: 'ana', provider: 'fake' };
const never = new AbortController().signal;

type Knobs = Partial<OAuthClient> & { readonly poll?: DevicePoll };

/** One provider with both OAuth strategies, and a secret unless told otherwise. */
function rigWith(knobs: Knobs = {}, oauth: AuthRigOptions['oauth'] = {}): AuthRig {
  const { poll, ...common } = knobs;
  return authRig({
    oauth: { clientSecret: SECRET, ...oauth },
    auth: (server): AuthStrategy[] => {
      const { authorizationEndpoint, tokenEndpoint, revocationEndpoint, deviceEndpoint } = server.endpoints();
      const client = { clientId: 'client', clientSecret: SECRET, tokenEndpoint, revocationEndpoint, scopes: ['read'] };
      const device: DeviceCodeStrategy = { type: 'device-code', deviceEndpoint, ...client, ...common, poll };
      return [{ type: 'oauth2', authorizationEndpoint, ...client, ...common }, device];
    },
  });
}

async function byDevice(rig: AuthRig) {
  const begun = await beginConnect(rig.registry, { ...who, strategy: 'device-code' });
  if (begun.step !== 'device') throw new Error(begun.step);
  const poll = async () => {
    await rig.time.advance(5_000);
    return continueConnect(rig.registry, { ...who, state: begun.state });
  };
  return { begun, poll };
}

/** Every kind of request once: both flows, a refresh, revoking. */
async function everything(rig: AuthRig): Promise<void> {
  const { begun, poll } = await byDevice(rig);
  rig.oauth.answerDevice(begun.userCode, 'approve');
  connectedStep(await poll());
  const { connection } = await connect(rig);
  await rig.time.advance(HOUR);
  await rig.provider.capabilities.sessionCheck?.check((await openContext(rig.registry, connection, never)) as never);
  const ended = await disconnect(rig.registry, { userId: 'ana', connectionId: connection.id });
  expect(ended).toEqual({ remoteRevoked: true });
}

/** The requests, called by what they are. */
function asked(rig: AuthRig) {
  return rig.oauth.calls
    .filter(({ endpoint }) => !['authorize', 'me'].includes(endpoint))
    .map((call) => ({ ...call, kind: `${call.endpoint} ${call.grantType?.split(':').at(-1) ?? ''}`.trim() }));
}

const ALL = ['device', 'token device_code', 'token authorization_code', 'token refresh_token', 'revoke'];

describe('how an OAuth service is asked', () => {
  test('unless told otherwise: forms, the secret in the header', async () => {
    const rig = rigWith({}, { clientAuthentication: 'basic' });
    await everything(rig);
    expect(asked(rig).map(({ kind }) => kind)).toEqual(ALL);
    for (const { headers, authorization, parameters } of asked(rig)) {
      expect(headers.get('content-type')).toBe('application/x-www-form-urlencoded;charset=UTF-8');
      expect(authorization).toBe(`Basic ${btoa(`client:${SECRET}`)}`);
      expect(parameters).not.toHaveProperty('client_secret');
    }
  });

  test('clientAuthentication: the secret is in the body, and never in a header', async () => {
    const rig = rigWith({ clientAuthentication: 'body' }, { clientAuthentication: 'body' });
    await everything(rig);
    expect(asked(rig).map(({ kind }) => kind)).toEqual(ALL);
    for (const { headers, parameters } of asked(rig)) {
      expect(parameters).toMatchObject({ client_id: 'client', client_secret: SECRET });
      expect(JSON.stringify([...headers])).not.toContain(SECRET);
      expect(headers.has('authorization')).toBe(false);
    }
  });

  test.each(['basic', 'body'] as const)('public clients name themselves and no more: %s', async (how) => {
    const rig = rigWith({ clientAuthentication: how, clientSecret: undefined }, { clientSecret: undefined });
    await everything(rig);
    for (const { headers, parameters } of asked(rig)) {
      expect(parameters).toMatchObject({ client_id: 'client' });
      expect(parameters).not.toHaveProperty('client_secret');
      expect(headers.has('authorization')).toBe(false);
    }
  });

  test.each(['basic', 'body'] as const)('secretWith: other requests go without it: %s', async (how) => {
    const rig = rigWith({ clientAuthentication: how, secretWith: ['refresh', 'poll'] });
    // The service is as strict about each request as it is told here.
    rig.oauth.behaviour.clientSecret = undefined;
    const { poll } = await byDevice(rig);
    rig.oauth.behaviour.clientSecret = SECRET;
    await poll();
    rig.oauth.behaviour.clientSecret = undefined;
    const { connection } = await connect(rig);
    rig.oauth.behaviour.clientSecret = SECRET;
    await rig.time.advance(HOUR);
    await rig.provider.capabilities.sessionCheck?.check((await openContext(rig.registry, connection, never)) as never);
    rig.oauth.behaviour.clientSecret = undefined;
    await disconnect(rig.registry, { userId: 'ana', connectionId: connection.id });
    const secrets = asked(rig).map(({ kind, authorization, parameters }) => [
      kind,
      authorization !== null || parameters.client_secret === SECRET,
    ]);
    expect(Object.fromEntries(secrets)).toEqual({
      device: false,
      'token device_code': true,
      'token authorization_code': false,
      'token refresh_token': true,
      revoke: false,
    });
  });

  test('tokenRequest: JSON throughout', async () => {
    const rig = rigWith({ tokenRequest: 'json', clientAuthentication: 'body' });
    await everything(rig);
    expect(asked(rig).map(({ kind }) => kind)).toEqual(ALL);
    for (const { headers, parameters } of asked(rig)) {
      expect(headers.get('content-type')).toBe('application/json');
      expect(parameters).toMatchObject({ client_id: 'client', client_secret: SECRET });
    }
  });

  test('tokenHeaders go with all of them, and take the place of none that is needed', async () => {
    const rig = rigWith({ tokenHeaders: { 'User-Agent': 'Testing/1.0', 'X-Key': 'k', 'Content-Type': 'text/plain' } });
    await everything(rig);
    expect(asked(rig).map(({ kind }) => kind)).toEqual(ALL);
    for (const { headers, authorization } of asked(rig)) {
      expect(headers.get('user-agent')).toBe('Testing/1.0');
      expect(headers.get('x-key')).toBe('k');
      expect(headers.get('content-type')).toBe('application/x-www-form-urlencoded;charset=UTF-8');
      expect(authorization).toContain('Basic ');
    }
  });

  test('refreshParameters go with refreshes alone, and cannot change what a refresh is', async () => {
    const extra = { redirect_uri: 'https://your.app/back', grant_type: 'password', refresh_token: 'x' };
    const rig = rigWith({ refreshParameters: extra });
    await everything(rig);
    const refresh = asked(rig).find(({ kind }) => kind === 'token refresh_token');
    expect(refresh?.parameters).toEqual({
      grant_type: 'refresh_token',
      refresh_token: expect.stringMatching(/^refresh-/),
      redirect_uri: 'https://your.app/back',
    });
    const others = asked(rig).filter(({ parameters }) => parameters.redirect_uri === 'https://your.app/back');
    expect(others).toHaveLength(1);
  });

  test.each([
    [undefined, true, /^refresh-/],
    ['refresh-token', true, /^refresh-/],
    ['access-token', true, /^access-/],
    ['refresh-token', false, /^access-/],
  ] as const)('revokes: %s, with a refresh token %s', async (revokes, hasRefreshToken, token) => {
    const rig = authRig({ strategy: { revokes } });
    const connection = await rig.connected(hasRefreshToken ? {} : { refreshToken: undefined });
    await disconnect(rig.registry, { userId: 'ana', connectionId: connection.id });
    expect(rig.oauth.calls.map(({ endpoint, handedIn }) => [endpoint, handedIn])).toEqual([
      ['revoke', expect.stringMatching(token)],
    ]);
  });
});

describe('a device flow older than the standard', () => {
  const statuses = { authorization_pending: 400, slow_down: 429, access_denied: 418, expired_token: 410 };
  const poll = (more: Partial<DevicePoll> = {}): DevicePoll => ({
    endpoint: 'https://oauth.test/device-token',
    codeParameter: 'code',
    statuses: { 400: 'authorization_pending', 429: 'slow_down', 418: 'access_denied', 410: 'expired_token' },
    ...more,
  });
  const old = (knobs: Knobs = {}) => rigWith({ poll: poll(), ...knobs }, { devicePollStatuses: statuses });

  test.each([
    ['form', 'basic'],
    ['json', 'body'],
  ] as const)('is polled at its own address with its own words: %s, %s', async (tokenRequest, clientAuthentication) => {
    const rig = old({ tokenRequest, clientAuthentication });
    const device = await byDevice(rig);
    expect(await device.poll()).toMatchObject({ step: 'device', pollAfterMs: 5_000 });
    rig.oauth.answerDevice(device.begun.userCode, 'approve');
    expect(connectedStep(await device.poll()).connection.account).toBe('ada');
    const polls = asked(rig).filter(({ endpoint }) => endpoint === 'device-token');
    const client = clientAuthentication === 'body' ? { client_id: 'client', client_secret: SECRET } : {};
    expect(polls.map(({ outcome, parameters }) => [outcome, parameters])).toEqual([
      ['status 400', { code: expect.stringMatching(/^device-/), ...client }],
      ['granted', { code: expect.stringMatching(/^device-/), ...client }],
    ]);
    expect(asked(rig).filter(({ endpoint }) => endpoint === 'token')).toEqual([]);
    const events = rig.events.filter((event) => event.type === 'request');
    expect(events.map(({ operation, status }) => [operation, status])).toEqual([
      ['device-code', 200],
      ['token', 400],
      ['token', 200],
      ['me', 200],
    ]);
    expect(inspect(rig.events, { depth: 10 })).not.toContain(SECRET);
  });

  test('a status that slows down does so by five seconds; failures in between do not', async () => {
    const rig = old();
    const device = await byDevice(rig);
    rig.oauth.failNext('device-token', 1, { status: 429, body: '<html>' });
    expect(await device.poll()).toMatchObject({ step: 'device', pollAfterMs: 10_000 });
    await rig.time.advance(5_000);
    for (const failed of [{ status: 502, body: '<html>' }, { status: 404 }, { status: 301 }, 'drop-before'] as const) {
      rig.oauth.failNext('device-token', 1, failed);
      expect(await device.poll()).toMatchObject({ step: 'device', pollAfterMs: 10_000 });
      await rig.time.advance(5_000);
    }
  });

  test.each([
    [418, undefined, 'permission_denied access_denied'],
    [410, undefined, 'auth_expired expired'],
    [410, '{"error":"authorization_pending"}', 'auth_expired expired'],
    [409, '{"error":"invalid_grant"}', 'auth_expired revoked'],
    [401, '{"error":"invalid_client"}', 'configuration invalid_client'],
  ])('status %i with %s', async (status, body, expected) => {
    const rig = old();
    const device = await byDevice(rig);
    rig.oauth.failNext('device-token', 1, { status, body });
    expect(await failure(device.poll())).toBe(expected);
  });

  test('statuses mean so when polling, and nowhere else', async () => {
    const rig = old();
    const device = await byDevice(rig);
    rig.oauth.answerDevice(device.begun.userCode, 'approve');
    const { connection } = connectedStep(await device.poll());
    await rig.time.advance(HOUR);
    rig.oauth.failNext('token', 1, { status: 410 });
    expect(await failure(openContext(rig.registry, connection, never).then(check(rig)))).toBe(
      'upstream unexpected_answer',
    );
    expect((await rig.registry.storage.listConnections({ userId: 'ana' }))[0]?.status).toBe('active');
  });

  test('without its own parameter and statuses it is the standard at another address', async () => {
    const rig = rigWith({ poll: { endpoint: 'https://oauth.test/device-token' } }, { devicePollStatuses: {} });
    const device = await byDevice(rig);
    rig.oauth.failNext('device-token', 1, { status: 400, body: '{"error":"authorization_pending"}' });
    expect(await device.poll()).toMatchObject({ step: 'device' });
    rig.oauth.failNext('device-token', 1, { status: 400, body: '{"error":"access_denied"}' });
    expect(await failure(device.poll())).toBe('permission_denied access_denied');
    expect(asked(rig).at(-1)?.parameters).toEqual({ device_code: expect.stringMatching(/^device-/) });
  });

  test('a token endpoint that knows no device flow ends it, and what is left does not come back', async () => {
    const rig = rigWith({}, { devicePollStatuses: statuses });
    const device = await byDevice(rig);
    const thrown = await device.poll().catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: 'configuration', reason: 'unsupported_grant_type', retryable: false });
    expect(await failure(device.poll())).toBe('auth_expired state_unknown');
  });

  test('an unsupported grant type when refreshing keeps the tokens', async () => {
    const rig = authRig();
    const connection = await rig.connected();
    await rig.time.advance(HOUR);
    rig.oauth.failNext('token', 1, { status: 400, body: '{"error":"unsupported_grant_type"}' });
    const opened = openContext(rig.registry, connection, never).then(check(rig));
    expect(await failure(opened)).toBe('upstream unsupported_grant_type');
    expect((await rig.stored(connection)).refreshToken).toBeDefined();
  });
});

const check = (rig: AuthRig) => (context: unknown) =>
  rig.provider.capabilities.sessionCheck?.check(context as never) ?? Promise.reject(new Error('no check'));

test('errorNames: a service with names of its own is understood when codes are traded', async () => {
  for (const [errorNames, expected] of [
    [undefined, 'upstream unexpected_answer'],
    [{ grant_error: 'invalid_grant' }, 'auth_expired revoked'],
    [{ grant_error: 'invalid_client' }, 'configuration invalid_client'],
  ] as const) {
    const rig = rigWith({ errorNames });
    rig.oauth.failNext('token', 1, { status: 401, body: '{"error":"grant_error"}' });
    expect(await failure(connect(rig))).toBe(expected);
  }
});
