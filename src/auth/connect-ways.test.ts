import { describe, expect, test } from 'vitest';
import { type AuthRigOptions, anything, authRig, START } from '../../test/support/auth-rig.ts';
import {
  ANA,
  connect,
  connectedStep,
  failure,
  never,
  REDIRECT,
  redirected,
  tokenCalls,
} from '../../test/support/connect-flows.ts';
import { recordFigure } from '../../test/support/reliability.ts';
import type { AuthStrategy } from '../contracts/auth.ts';
import { addConnection } from './add-connection.ts';
import { beginConnect, continueConnect } from './connect.ts';
import { openContext } from './connection-context.ts';
import { connectionStatus, disconnect } from './disconnect.ts';
import { vaultOf } from './vault.ts';

describe('connecting by other ways', () => {
  const device = (rig: { endpoints(): { tokenEndpoint: string; deviceEndpoint: string } }): AuthStrategy[] => [
    { type: 'device-code', clientId: 'client', ...pick(rig.endpoints()), scopes: ['read'] },
  ];
  const pick = ({ tokenEndpoint, deviceEndpoint }: { tokenEndpoint: string; deviceEndpoint: string }) => ({
    tokenEndpoint,
    deviceEndpoint,
  });
  const who = { userId: 'ana', provider: 'fake' };

  test('D2 a device is confirmed: polled no faster than allowed, through restarts', async () => {
    const rig = authRig({ auth: device });
    const begun = await beginConnect(rig.registry, who);
    if (begun.step !== 'device') throw new Error(begun.step);
    expect(begun).toMatchObject({ pollAfterMs: 5_000, expiresAt: new Date(START + 600_000) });
    const poll = (registry = rig.registry) => continueConnect(registry, { ...who, state: begun.state });
    expect(await poll()).toMatchObject({ step: 'device', pollAfterMs: 5_000, userCode: begun.userCode });
    expect(tokenCalls(rig)).toBe(0);
    await rig.time.advance(5_000);
    expect(await poll()).toMatchObject({ step: 'device', pollAfterMs: 5_000 });
    rig.oauth.failNext('token', 1, { status: 400, body: '{"error":"slow_down"}' });
    await rig.time.advance(5_000);
    expect(await poll()).toMatchObject({ step: 'device', pollAfterMs: 10_000 });
    rig.oauth.failNext('token', 1, { status: 503 });
    await rig.time.advance(10_000);
    expect(await poll()).toMatchObject({ step: 'device', pollAfterMs: 10_000 });
    rig.oauth.answerDevice(begun.userCode, 'approve');
    await rig.time.advance(10_000);
    const done = connectedStep(await poll(authRig({ beside: rig, auth: device }).registry));
    expect(done.connection.account).toBe('ada');
    expect(await failure(poll())).toBe('auth_expired state_unknown');
    await openContext(rig.registry, done.connection, never);
  });

  test('a device may be denied, or never confirmed', async () => {
    const rig = authRig({ auth: device });
    const denied = await beginConnect(rig.registry, who);
    const late = await beginConnect(rig.registry, who);
    if (denied.step !== 'device' || late.step !== 'device') throw new Error(denied.step);
    rig.oauth.answerDevice(denied.userCode, 'deny');
    await rig.time.advance(5_000);
    expect(await failure(continueConnect(rig.registry, { ...who, state: denied.state }))).toBe(
      'permission_denied access_denied',
    );
    await rig.time.advance(600_000);
    expect(await failure(continueConnect(rig.registry, { ...who, state: late.state }))).toBe(
      'auth_expired state_unknown',
    );
  });

  test('D2 a session key: the state rides on the callback, the token is traded unsigned', async () => {
    const auth = (): AuthStrategy[] => [
      {
        type: 'session-key',
        authorizeUrl: (callback) => `https://oauth.test/auth?cb=${encodeURIComponent(callback)}`,
        tokenParameter: 'token',
        exchange: async (_http, token) => ({ sessionKey: `key of ${token}`, account: 'ada' }),
        sign: ({ url }, { token = '' }) => url.searchParams.set('sk', token),
      },
    ];
    const sk: (string | null)[] = [];
    const check = {
      check: async ({ http }: { http: { request(request: object): Promise<unknown> } }) => {
        await http.request({ path: 'me', operation: 'me', schema: anything });
        return { valid: true };
      },
    } as never;
    const fetch = async (input: RequestInfo | URL, init?: RequestInit) => {
      sk.push(new URL(new Request(input, init).url).searchParams.get('sk'));
      return Response.json({});
    };
    const rig = authRig({ auth, capabilities: { sessionCheck: check }, env: { fetch } });
    const step = await redirected(rig);
    const callback = new URL(new URL(step.url).searchParams.get('cb') ?? '');
    expect(callback.href).toBe(`${REDIRECT}?state=${step.state}`);
    callback.searchParams.set('token', 'T');
    const done = connectedStep(await continueConnect(rig.registry, { ...ANA, query: callback.searchParams }));
    expect(done.connection).toMatchObject({ account: 'ada', label: 'ada' });
    expect(sk).toEqual(['key of T']);
    const stored = await vaultOf(rig.registry).read(done.connection);
    expect(stored?.credentials).toMatchObject({ kind: 'session', strategy: 'session-key' });
  });

  const form = (): AuthStrategy[] => [
    {
      type: 'form',
      fields: [
        { name: 'user', label: 'User', secret: false, kind: 'text' },
        { name: 'password', label: 'Password', secret: true, kind: 'password' },
        { name: 'note', label: 'Note', secret: false, kind: 'text', optional: true },
      ],
      sign: ({ headers }, { fields }) => headers.set('authorization', `Bearer ${fields.password}`),
    },
  ];

  test('D2 a form: slips are corrected, wrong passwords refused, right ones stored', async () => {
    const rig = authRig({ auth: form });
    const { accessToken } = rig.oauth.grant();
    const begun = await beginConnect(rig.registry, who);
    if (begun.step !== 'form') throw new Error(begun.step);
    expect(begun.fields.map(({ name }) => name)).toEqual(['user', 'password', 'note']);
    const send = (fields: Record<string, string>, state = begun.state) =>
      continueConnect(rig.registry, { ...who, state, fields });
    expect(await failure(send({ user: 'ada' }))).toBe('invalid_data invalid_field');
    // By its name, which the host passes, and by its label, which the user sees.
    await expect(send({ user: 'ada' })).rejects.toThrow('"password" (Password) is missing.');
    expect(await failure(send({ user: 'ada', password: 'x', admin: '1' }))).toBe('invalid_data invalid_field');
    expect(await failure(send({ user: 'ada', password: 'wrong' }))).toBe('auth_expired rejected');
    expect(await rig.registry.storage.listConnections({ userId: 'ana' })).toEqual([]);
    const again = await beginConnect(rig.registry, who);
    if (again.step !== 'form') throw new Error(again.step);
    const { connection } = connectedStep(await send({ user: 'ada', password: accessToken }, again.state));
    expect(connection).toMatchObject({ account: 'ada', status: 'active' });
    expect(
      await connectionStatus(rig.registry, { userId: 'ana', connectionId: connection.id, check: true }),
    ).toMatchObject({ valid: true });
    for (const grant of rig.oauth.grants) grant.revoked = true;
    expect(
      await connectionStatus(rig.registry, { userId: 'ana', connectionId: connection.id, check: true }),
    ).toMatchObject({
      valid: false,
      connection: { status: 'needs_reauth', statusReason: 'rejected' },
    });
    expect(rig.events.filter(({ type }) => type === 'reauth_required')).toHaveLength(1);
  });

  test('a capability sees the fields that are no secret; secrets go into requests only, JSON included', async () => {
    const auth = (): AuthStrategy[] => [
      {
        type: 'host-supplied',
        fields: [
          { name: 'username', label: 'Name', secret: false, kind: 'text' },
          { name: 'password', label: 'Password', secret: true, kind: 'password' },
        ],
        sign: ({ json }, { fields }) => json && Object.assign(json, fields),
      },
    ];
    const sent: unknown[] = [];
    const fetch = async (input: RequestInfo | URL, init?: RequestInit) => {
      sent.push(await new Request(input, init).json());
      return Response.json({});
    };
    const rig = authRig({ auth, env: { fetch }, capabilities: { sessionCheck: undefined } as never });
    const credentials = { fields: { username: 'ada', password: 'canary' } };
    const connection = await addConnection(rig.registry, { ...who, account: 'ada', credentials });
    const { account, http } = await openContext(rig.registry, connection, never);
    expect(account.fields).toEqual({ username: 'ada' });
    const json = { device: 'tv' };
    await http.request({ method: 'POST', path: 'log-in', operation: 'log-in', json, schema: anything });
    expect(sent).toEqual([{ device: 'tv', username: 'ada', password: 'canary' }]);
    expect(json).toEqual({ device: 'tv' });
  });

  test('an address a user typed in needs the guarded network', async () => {
    const auth = (): AuthStrategy[] => [
      {
        type: 'host-supplied',
        fields: [{ name: 'baseUrl', label: 'Address', secret: false, kind: 'url' }],
        sign: () => {},
      },
    ];
    const credentials = (baseUrl: string) => ({ ...who, credentials: { fields: { baseUrl } } });
    const bare = authRig({ auth });
    expect(await failure(addConnection(bare.registry, credentials('https://music.example')))).toBe(
      'configuration no_guarded_network',
    );
    const asked: string[] = [];
    const guardedFetch = async (input: RequestInfo | URL, init?: RequestInit) => {
      asked.push(new Request(input, init).url);
      return Response.json({ id: 'ada' });
    };
    const check = {
      check: async ({ http }: { http: { request(request: object): Promise<{ id: string }> } }) => ({
        valid: true,
        account: (await http.request({ path: 'rest/ping', operation: 'ping', schema: anything })).id,
      }),
    } as never;
    const rig = authRig({ auth, guardedFetch, capabilities: { sessionCheck: check } });
    const connection = await addConnection(rig.registry, credentials('https://music.example/sub'));
    expect(asked).toEqual(['https://music.example/sub/rest/ping']);
    const { account } = await openContext(rig.registry, connection, never);
    const baseUrl = 'https://music.example/sub';
    expect(account).toEqual({ id: 'ada', baseUrl, fields: { baseUrl } });
    const hostile = [
      'ftp://a.example',
      'https://u:p@a.example',
      'https://a.example/#x',
      'https://a.example/?q',
      'nothing',
      `https://a.example/${'x'.repeat(2_048)}`,
    ];
    await expect(addConnection(rig.registry, who)).rejects.toMatchObject({
      reason: 'unfit_credentials',
      hint: 'Pass credentials: { fields: { baseUrl } }.',
    });
    for (const url of hostile)
      expect(await failure(addConnection(rig.registry, credentials(url)))).toBe('invalid_data invalid_field');
    expect(await failure(beginConnect(rig.registry, who))).toBe('unsupported host_supplied');
  });

  test('files and services without logins', async () => {
    const files = authRig({
      auth: () => [{ type: 'file-import' }],
      capabilities: { fileImport: { accept: ['.zip'] } as never },
    });
    expect(await beginConnect(files.registry, who)).toEqual({ step: 'file', accept: ['.zip'] });
    const none = authRig({
      auth: () => [{ type: 'none', sign: ({ url }) => url.searchParams.set('api_key', 'host') }],
      capabilities: { sessionCheck: undefined as never },
    });
    const { connection } = connectedStep(await beginConnect(none.registry, who));
    const context = await openContext(none.registry, connection, never);
    await context.http.request({ path: 'me', operation: 'me', schema: anything }).catch(() => {});
    expect(await addConnection(none.registry, { ...who, account: 'ada' })).toMatchObject({
      account: 'ada',
      status: 'active',
    });
  });

  test('D3 credentials of the host are checked and taken over', async () => {
    const rig = authRig();
    const { accessToken, refreshToken } = rig.oauth.grant();
    const expiresAt = new Date(START + 3_600_000);
    const connection = await addConnection(rig.registry, {
      ...who,
      credentials: { accessToken, refreshToken, expiresAt },
    });
    expect(connection).toMatchObject({ account: 'ada', grantedScopes: ['read'] });
    expect(await failure(addConnection(rig.registry, { ...who, credentials: { accessToken: 'wrong' } }))).toBe(
      'auth_expired rejected',
    );
    expect(await failure(addConnection(rig.registry, { ...who, credentials: { accessToken: '' } }))).toBe(
      'invalid_data unfit_credentials',
    );
    expect(await failure(addConnection(rig.registry, { ...who, credentials: { sessionKey: 'x' } }))).toBe(
      'configuration no_strategy',
    );
  });
});

describe('disconnecting', () => {
  test('R-019 the service forgets, we forget, and what cannot be said is said', async () => {
    const ways: [options: AuthRigOptions, down: boolean, expected: boolean | 'unsupported'][] = [
      [{}, false, true],
      [{}, true, false],
      [{ strategy: { revocationEndpoint: undefined } }, false, 'unsupported'],
    ];
    for (const [options, down, expected] of ways) {
      const rig = authRig(options);
      const { connection } = await connect(rig);
      if (down) rig.oauth.failNext('revoke', 10, { status: 503 });
      const report = await disconnect(rig.registry, { userId: 'ana', connectionId: connection.id });
      expect(report).toEqual({ remoteRevoked: expected });
      expect(await rig.adapter.credentials.get(connection.id)).toBeUndefined();
      expect(rig.oauth.grants[0]?.revoked).toBe(expected === true);
      expect(rig.oauth.calls.filter(({ endpoint }) => endpoint === 'revoke').length).toBeLessThanOrEqual(1);
      const { connection: after } = await connectionStatus(rig.registry, {
        userId: 'ana',
        connectionId: connection.id,
      });
      expect(after.status).toBe('disconnected');
      expect(await failure(openContext(rig.registry, after, never))).toBe('auth_expired not_connected');
      expect((await connect(rig)).connection.status).toBe('active');
    }
    recordFigure('R-019', '3/3 ways: secrets gone, one revocation call at most');
  });

  test('R-019 a service that never answers is left after five seconds', async () => {
    const rig = authRig();
    const { connection } = await connect(rig);
    const hanging = authRig({ beside: rig, env: { fetch: () => new Promise(() => {}) } });
    const ending = disconnect(hanging.registry, { userId: 'ana', connectionId: connection.id });
    await rig.time.advance(5_000);
    expect(await ending).toEqual({ remoteRevoked: false });
    expect(await rig.adapter.credentials.get(connection.id)).toBeUndefined();
  });

  test("another user's connection is unknown", async () => {
    const rig = authRig();
    const { connection } = await connect(rig);
    expect(await failure(disconnect(rig.registry, { userId: 'ben', connectionId: connection.id }))).toBe(
      'not_found connection_unknown',
    );
    expect(await rig.adapter.credentials.get(connection.id)).toBeDefined();
  });
});
