import { describe, expect, test } from 'vitest';
import { type AuthRig, authRig } from '../../test/support/auth-rig.ts';
import { recordFigure } from '../../test/support/reliability.ts';
import type { AuthStrategy } from '../contracts/auth.ts';
import { type ConnectHandlersOptions, connectHandlers } from './handlers.ts';

const APP = 'https://your.app';

interface Failure {
  readonly error: { readonly reason: string };
}

function handlersOf(rig: AuthRig, options: Partial<ConnectHandlersOptions> = {}) {
  const user = (request: Request) => {
    const userId = request.headers.get('x-user');
    return userId ? { userId, sessionBinding: `session of ${userId}` } : undefined;
  };
  return connectHandlers(rig.registry, { baseUrl: APP, user, ...options });
}

function get(path: string, user = 'ana', headers: Record<string, string> = {}): Request {
  return new Request(`${APP}${path}`, { headers: { ...(user && { 'x-user': user }), ...headers } });
}

function post(path: string, body: unknown, headers: Record<string, string> = {}): Request {
  return new Request(`${APP}${path}`, {
    method: 'POST',
    headers: { 'x-user': 'ana', origin: APP, ...headers },
    body: JSON.stringify(body),
  });
}

async function jsonOf<Body>(response: Response | undefined): Promise<Body> {
  if (!response) throw new Error('There was no answer.');
  return (await response.json()) as Body;
}

async function comeBack(rig: AuthRig, response: Response | undefined): Promise<string> {
  const location = response?.headers.get('location') ?? '';
  const back = await rig.oauth.handle(new Request(location));
  return (back.headers.get('location') ?? '').slice(APP.length);
}

describe('connecting over HTTP', () => {
  test('D2 from start to end: redirect, callback, status, disconnect', async () => {
    const rig = authRig();
    const { handle } = handlersOf(rig);
    const begun = await handle(get('/connect/fake'));
    expect(begun?.status).toBe(302);
    const callback = await comeBack(rig, begun);
    expect(callback).toMatch(/^\/connect\/fake\/callback\?code=/);
    const done = await handle(get(callback));
    expect(done?.headers.get('referrer-policy')).toBe('no-referrer');
    const body = await done?.text();
    expect(JSON.parse(body ?? '')).toMatchObject({ step: 'connected', isNew: true, connection: { account: 'ada' } });
    const status = (await (await handle(get('/connect/fake/status?check=1')))?.json()) as {
      connections: { id: string }[];
    };
    expect(status).toMatchObject({ connections: [{ status: 'active', valid: true }] });
    const [grant] = rig.oauth.grants;
    for (const secret of [grant?.accessToken ?? '-', grant?.refreshToken ?? '-']) {
      expect(body).not.toContain(secret);
      expect(JSON.stringify(status)).not.toContain(secret);
    }
    const connectionId = status.connections[0]?.id;
    const ended = await handle(post('/connect/fake/disconnect', { connectionId }));
    expect(await ended?.json()).toEqual({ remoteRevoked: true });
  });

  test('R-015 the redirect address never comes from the request', async () => {
    const rig = authRig({ oauth: { redirectUris: [`${APP}/connect/fake/callback`] } });
    const { handle } = handlersOf(rig);
    const hostile: Record<string, string>[] = [
      { host: 'evil.test' },
      { 'x-forwarded-host': 'evil.test' },
      { forwarded: 'host=evil.test' },
    ];
    for (const headers of hostile) {
      const begun = await handle(get('/connect/fake', 'ana', headers));
      const asked = new URL(begun?.headers.get('location') ?? '').searchParams.get('redirect_uri');
      expect(asked).toBe(`${APP}/connect/fake/callback`);
    }
    const request = new Request('https://evil.test/connect/fake?redirect_uri=https://evil.test/', {
      headers: { 'x-user': 'ana' },
    });
    const begun = await handle(request);
    expect(new URL(begun?.headers.get('location') ?? '').searchParams.get('redirect_uri')).toBe(
      `${APP}/connect/fake/callback`,
    );
    for (const baseUrl of ['http://your.app', 'https://user@your.app', 'your.app', 'https://YOUR.app']) {
      expect(() => handlersOf(rig, { baseUrl }), baseUrl).toThrowError(/redirect address/);
    }
    recordFigure('R-015', '4 hostile hosts in requests: redirect address unchanged');
  });

  test('somebody else cannot end or take over a flow', async () => {
    const rig = authRig();
    const { handle } = handlersOf(rig);
    const callback = await comeBack(rig, await handle(get('/connect/fake')));
    expect((await handle(get(callback, '')))?.status).toBe(401);
    const stolen = await handle(get(callback, 'ben'));
    expect([stolen?.status, (await jsonOf<Failure>(stolen)).error.reason]).toEqual([400, 'state_mismatch']);
    expect(rig.oauth.calls.filter(({ endpoint }) => endpoint === 'token')).toEqual([]);
  });

  test('what changes something needs a POST from a page of the same origin', async () => {
    const rig = authRig();
    const { handle } = handlersOf(rig);
    await handle(get(await comeBack(rig, await handle(get('/connect/fake')))));
    const [{ id: connectionId } = { id: '' }] = await rig.registry.storage.listConnections({ userId: 'ana' });
    expect((await handle(get('/connect/fake/disconnect')))?.status).toBe(405);
    const foreign = await handle(post('/connect/fake/disconnect', { connectionId }, { origin: 'https://evil.test' }));
    expect(foreign?.status).toBe(403);
    const silent = post('/connect/fake/disconnect', { connectionId });
    silent.headers.delete('origin');
    expect((await handle(silent))?.status).toBe(403);
    const theirs = await handle(post('/connect/fake/disconnect', { connectionId }, { 'x-user': 'ben' }));
    expect(theirs?.status).toBe(404);
    expect(await rig.adapter.credentials.get(connectionId)).toBeDefined();
  });

  test('forms are answered and sent as JSON', async () => {
    const auth = (): AuthStrategy[] => [
      {
        type: 'form',
        fields: [{ name: 'token', label: 'Token', secret: true, kind: 'password' }],
        sign: ({ headers }, { fields }) => headers.set('authorization', `Bearer ${fields.token}`),
      },
    ];
    const rig = authRig({ auth });
    const { handle } = handlersOf(rig);
    const { state } = await jsonOf<{ state: string }>(await handle(get('/connect/fake')));
    const token = rig.oauth.grant().accessToken;
    const empty = await handle(post('/connect/fake', { state, fields: {} }));
    // What is said of a field is for whoever fills it in.
    expect([empty?.status, await jsonOf<Failure>(empty)]).toEqual([
      400,
      {
        error: {
          code: 'invalid_data',
          reason: 'invalid_field',
          message: '"token" (Token) is missing.',
          hint: 'Fill in the field "token".',
        },
      },
    ]);
    const done = await handle(post('/connect/fake', { state, fields: { token } }));
    const body = (await done?.text()) ?? '';
    expect(JSON.parse(body)).toMatchObject({ step: 'connected' });
    expect(body).not.toContain(token);
    const broken = new Request(`${APP}/connect/fake`, {
      method: 'POST',
      headers: { 'x-user': 'ana', origin: APP },
      body: '{',
    });
    expect((await handle(broken))?.status).toBe(400);
  });

  test('messages and hints go to the log, and codes to the browser', async () => {
    const rig = authRig();
    const logged: unknown[] = [];
    const write = (message: string, fields?: object) => void logged.push({ message, ...fields });
    const logger = { debug: write, info: write, warn: write, error: write };
    const registry = { ...rig.registry, env: { ...rig.registry.env, logger } };
    const { handle } = handlersOf({ ...rig, registry });
    const answer = await handle(get('/connect/nobody'));
    expect([answer?.status, await jsonOf<Failure>(answer)]).toEqual([
      404,
      { error: { code: 'not_found', reason: 'unknown_provider' } },
    ]);
    expect(logged).toEqual([
      {
        message: 'A connect handler refused.',
        code: 'not_found',
        reason: 'unknown_provider',
        provider: 'nobody',
        hint: 'Registered are: fake.',
        error: 'No provider "nobody" is registered.',
      },
    ]);
  });

  test('what a flow asks for is the app to say', async () => {
    const history = { sources: {}, order: 'newest-first', backfill: false, scopes: ['plays'] } as never;
    const rig = authRig({ capabilities: { history } });
    const asked: string[] = [];
    const { handle } = handlersOf(rig, {
      choices: async (request, provider) => {
        asked.push(provider);
        const isNew = new URL(request.url).searchParams.get('only') === 'new';
        return { strategy: 'oauth2', capabilities: ['history'], scopes: ['email'], ...(isNew && { firstSync: 'new' }) };
      },
    });
    const begun = await handle(get('/connect/fake?only=new&strategy=form&userId=ben'));
    expect(new URL(begun?.headers.get('location') ?? '').searchParams.get('scope')).toBe('plays email');
    await handle(get(await comeBack(rig, begun)));
    const [connection] = await rig.registry.storage.listConnections({ userId: 'ana' });
    expect(connection).toMatchObject({ account: 'ada', settings: { 'mca.firstSync': 'new' } });
    expect(asked).toEqual(['fake']);
  });

  test('a connection is connected again by its id', async () => {
    const rig = authRig();
    const { handle } = handlersOf(rig);
    await handle(get(await comeBack(rig, await handle(get('/connect/fake')))));
    const [{ id } = { id: '' }] = await rig.registry.storage.listConnections({ userId: 'ana' });
    const again = await handle(get(await comeBack(rig, await handle(get(`/connect/fake?connectionId=${id}`)))));
    expect(await again?.json()).toMatchObject({ isNew: false, connection: { id } });
    rig.oauth.behaviour.account = 'bea';
    const other = await handle(get(await comeBack(rig, await handle(get(`/connect/fake?connectionId=${id}`)))));
    expect([other?.status, (await jsonOf<Failure>(other)).error.reason]).toEqual([400, 'account_mismatch']);
    const theirs = await handle(get(`/connect/fake?connectionId=${id}`, 'ben'));
    expect([theirs?.status, (await jsonOf<Failure>(theirs)).error.reason]).toEqual([404, 'connection_unknown']);
  });

  test('a GET connects nothing: a service without logins needs a POST', async () => {
    const rig = authRig({ auth: () => [{ type: 'none' }], capabilities: { sessionCheck: undefined as never } });
    const { handle } = handlersOf(rig);
    const link = await handle(get('/connect/fake'));
    expect([link?.status, link?.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await handle(post('/connect/fake', {}, { origin: 'https://evil.test' })))?.status).toBe(403);
    expect(await rig.registry.storage.listConnections({ userId: 'ana' })).toEqual([]);
    expect(rig.events).toEqual([]);
    const done = await handle(post('/connect/fake', {}));
    expect(await done?.json()).toMatchObject({ step: 'connected', isNew: true });
  });

  test('a page may begin a flow itself', async () => {
    const rig = authRig();
    const { handle } = handlersOf(rig);
    const begun = await handle(post('/connect/fake', {}));
    const { step, url } = await jsonOf<{ step: string; url: string }>(begun);
    expect([begun?.status, step]).toEqual([200, 'redirect']);
    const callback = await comeBack(rig, new Response(null, { headers: { location: url } }));
    expect(await (await handle(get(callback)))?.json()).toMatchObject({ step: 'connected' });
    const unknown = await handle(post('/connect/fake', { state: 'guessed' }));
    expect((await jsonOf<Failure>(unknown)).error.reason).toBe('state_unknown');
  });

  test('the app shows its own page after a callback, and keeps its own addresses', async () => {
    const rig = authRig();
    const results: string[] = [];
    const { handle } = handlersOf(rig, {
      basePath: '/api/link/',
      after: (result) => {
        results.push('error' in result ? String(result.error.reason) : result.connected.step);
        return Response.redirect(`${APP}/settings`);
      },
    });
    const callback = await comeBack(rig, await handle(get('/api/link/fake')));
    expect((await handle(get(callback)))?.headers.get('location')).toBe(`${APP}/settings`);
    expect((await handle(get(callback)))?.status).toBe(302);
    expect(results).toEqual(['connected', 'state_unknown']);
    for (const path of [
      '/',
      '/api/link',
      '/api/link/',
      '/api/link/fake/other',
      '/api/link/fake/callback/x',
      '/api/link/F',
    ])
      expect(await handle(get(path)), path).toBeUndefined();
    expect((await handle(get('/api/link/unknown')))?.status).toBe(404);
  });

  test('what fails inside is told to nobody outside', async () => {
    const rig = authRig();
    const { handle } = handlersOf(rig, {
      user: () => {
        throw new Error('secret inner words');
      },
    });
    const answer = await handle(get('/connect/fake'));
    expect([answer?.status, await answer?.text()]).toEqual([500, '{"error":{"code":"internal"}}']);
  });
});

test('choices that name no connection leave the one of the address', async () => {
  const rig = authRig();
  const handle = connectHandlers(rig.registry, {
    baseUrl: 'https://your.app',
    user: () => ({ userId: 'ana', sessionBinding: 's' }),
    choices: () => ({ connectionId: undefined, firstSync: 'new' }),
  }).handle;
  expect((await handle(new Request('https://your.app/connect/fake?connectionId=nobody')))?.status).toBe(404);
});
