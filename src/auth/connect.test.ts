import { describe, expect, test } from 'vitest';
import { authRig, START } from '../../test/support/auth-rig.ts';
import {
  ANA,
  approved,
  connect,
  DAY,
  failure,
  REDIRECT,
  redirected,
  tokenCalls,
} from '../../test/support/connect-flows.ts';
import { recordFigure } from '../../test/support/reliability.ts';
import { beginConnect, continueConnect } from './connect.ts';
import type { RedirectStep } from './connect-steps.ts';

describe('connecting by redirect', () => {
  test('D2 a user connects: tokens are stored, the account is known, syncs are due', async () => {
    const history = { sources: {}, order: 'newest-first', backfill: false } as never;
    const rig = authRig({ strategy: { authorizationLifetimeMs: 180 * DAY }, capabilities: { history } });
    const { connection, isNew, missingScopes } = await connect(rig);
    expect(connection).toMatchObject({ account: 'ada', label: 'User ada', status: 'active', grantedScopes: ['read'] });
    expect(connection.authorizationExpiresAt).toEqual(new Date(START + 180 * DAY));
    expect([isNew, missingScopes]).toEqual([true, []]);
    expect((await rig.stored(connection)).accessToken.is(rig.oauth.grants[0]?.accessToken ?? '')).toBe(true);
    expect(await rig.registry.storage.readSchedules(connection.id)).toMatchObject([{ dueAt: START }]);
    expect(rig.events.filter(({ type }) => type === 'connected')).toHaveLength(1);
  });

  test('D2 connecting the same account again renews it: same connection, new tokens, active again', async () => {
    const rig = authRig();
    const first = await connect(rig);
    await rig.registry.storage.updateConnection(first.connection.id, {
      status: 'needs_reauth',
      statusReason: 'revoked',
    });
    const second = await connect(rig);
    expect([second.connection.id, second.isNew]).toEqual([first.connection.id, false]);
    expect(second.connection.status).toBe('active');
    expect(second.connection.statusReason).toBeUndefined();
    expect((await rig.stored(second.connection)).refreshToken?.reveal()).toBe(rig.oauth.grants[1]?.refreshToken);
    expect(rig.events.map(({ type }) => type).filter((type) => type !== 'request')).toEqual([
      'connected',
      'reconnected',
    ]);
    rig.oauth.behaviour.account = 'bea';
    expect((await connect(rig)).connection.id).not.toBe(first.connection.id);
  });

  test('R-013 a state goes through once, however many come with it at once', async () => {
    const rig = authRig();
    const query = await approved(rig, await redirected(rig));
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => continueConnect(rig.registry, { ...ANA, query }).catch(({ reason }) => reason)),
    );
    expect(answers.filter((answer) => answer === 'state_unknown')).toHaveLength(99);
    expect(tokenCalls(rig)).toBe(1);
    recordFigure('R-013', '100 callbacks with one state: 1 exchange; 7 foreign, stale or missing ones: 0 calls');
  });

  test('R-013 states of others, of another time and of nobody are refused before any call', async () => {
    const rig = authRig();
    const wrong: [options: object, reason: string][] = [
      [{ userId: 'ben' }, 'state_mismatch'],
      [{ sessionBinding: 'session 2' }, 'state_mismatch'],
      [{ sessionBinding: undefined }, 'state_mismatch'],
      [{ redirectUri: `${REDIRECT}/` }, 'state_mismatch'],
      [{ query: 'code=x' }, 'state_unknown'],
      [{ query: `code=x&state=${'A'.repeat(43)}` }, 'state_unknown'],
    ];
    for (const [options, reason] of wrong) {
      const query = await approved(rig, await redirected(rig));
      expect(await failure(continueConnect(rig.registry, { ...ANA, query, ...options }))).toBe(
        `auth_expired ${reason}`,
      );
      // What was tried with the wrong key is used up.
      const again = reason === 'state_mismatch' ? 'auth_expired state_unknown' : /^answered/;
      expect(await failure(continueConnect(rig.registry, { ...ANA, query }))).toMatch(again);
    }
    const other = { ...rig.provider, id: 'other' };
    rig.registry.add(other);
    const before = tokenCalls(rig);
    const query = await approved(rig, await redirected(rig));
    expect(await failure(continueConnect(rig.registry, { ...ANA, provider: 'other', query }))).toBe(
      'auth_expired state_mismatch',
    );
    const late = await approved(rig, await redirected(rig));
    await rig.time.advance(10 * 60_000);
    expect(await failure(continueConnect(rig.registry, { ...ANA, query: late }))).toBe('auth_expired state_unknown');
    expect(tokenCalls(rig)).toBe(before);
  });

  test('what is wrong with a state is said, as far as it is the own flow of who asks', async () => {
    const rig = authRig();
    const cases: [options: object, message: RegExp, hint: RegExp][] = [
      [{ userId: 'ben' }, /another user or for another provider/, /connecting again/],
      [{ sessionBinding: 'session 2' }, /another browser session of the user/, /connecting again/],
      [{ sessionBinding: undefined }, /begun with a sessionBinding/, /same sessionBinding/],
      [{ redirectUri: `${REDIRECT}/` }, /another redirect address/, /same redirectUri/],
      [{ query: 'code=x' }, /no state/, /query of the callback/],
      [{ query: 'state=guessed' }, /unknown/, /connecting again/],
    ];
    for (const [options, message, hint] of cases) {
      const query = await approved(rig, await redirected(rig));
      const error = await continueConnect(rig.registry, { ...ANA, query, ...options }).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({
        code: 'auth_expired',
        message: expect.stringMatching(message),
        hint: expect.stringMatching(hint),
      });
    }
    const { state } = await redirected(rig, { sessionBinding: undefined });
    await expect(continueConnect(rig.registry, { ...ANA, query: `state=${state}` })).rejects.toMatchObject({
      reason: 'state_mismatch',
      message: expect.stringContaining('begun without a sessionBinding'),
    });
    // A store whose clock is behind ours gives out what has expired.
    const late = await approved(rig, await redirected(rig));
    const takeConnectState: typeof rig.registry.storage.takeConnectState = async (hash) => {
      const taken = await rig.registry.storage.takeConnectState(hash);
      return taken && { ...taken, expiresAt: START };
    };
    const registry = { ...rig.registry, storage: { ...rig.registry.storage, takeConnectState } };
    await expect(continueConnect(registry, { ...ANA, query: late })).rejects.toMatchObject({
      reason: 'state_unknown',
      message: expect.stringContaining('expired'),
    });
  });

  test('R-013 the store holds no state, and no verifier that could be read', async () => {
    const rig = authRig();
    const put = rig.registry.storage.putConnectState;
    const kept: string[] = [];
    const registry = {
      ...rig.registry,
      storage: {
        ...rig.registry.storage,
        putConnectState: (state: Parameters<typeof put>[0]) => {
          kept.push(JSON.stringify(state));
          return put(state);
        },
      },
    };
    const step = await beginConnect(registry, ANA);
    expect(step).toMatchObject({ step: 'redirect' });
    expect(kept).toHaveLength(1);
    const { state = '' } = step as RedirectStep;
    expect(state).toMatch(/^[\w-]{43}$/);
    for (const secret of [state, 'session 1', REDIRECT, 'verifier']) expect(kept[0]).not.toContain(secret);
    expect(JSON.parse(kept[0] ?? '')).toMatchObject({ sealed: expect.stringMatching(/^mca1\./) });
  });

  test('R-014 every code flow proves itself by PKCE S256, unless the service knows none', async () => {
    const rig = authRig();
    const { searchParams } = new URL((await redirected(rig)).url);
    expect(searchParams.get('code_challenge_method')).toBe('S256');
    expect(searchParams.get('code_challenge')).toMatch(/^[\w-]{43}$/);
    expect(Object.fromEntries(searchParams)).toMatchObject({
      response_type: 'code',
      scope: 'read',
      redirect_uri: REDIRECT,
    });
    await connect(rig);
    const without = authRig({ strategy: { pkce: 'unsupported' } });
    expect((await redirected(without)).url).not.toContain('code_challenge');
    await connect(without);
    // The service compares the verifier byte for byte: the fake refuses any other.
    const { tokenEndpoint } = rig.oauth.endpoints();
    const code = (await approved(rig, await redirected(rig))).get('code') ?? '';
    const body = new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      redirect_uri: REDIRECT,
      client_id: 'client',
      code_verifier: 'x'.repeat(43),
    });
    expect((await rig.oauth.fetch(tokenEndpoint, { method: 'POST', body })).status).toBe(400);
    recordFigure('R-014', 'S256 on every code flow; a wrong verifier is refused');
  });

  test('R-015 twenty hostile redirect addresses', async () => {
    const rig = authRig({ oauth: { redirectUris: [REDIRECT] } });
    const malformed = [
      '',
      'connect/fake/callback',
      'http://your.app/connect/fake/callback',
      'https://user@your.app/connect/fake/callback',
      'https://your.app/connect/fake/callback#',
      'https://your.app/connect/../connect/fake/callback',
      'https://your.app/connect/%2e%2e/connect/fake/callback',
      'HTTPS://your.app/connect/fake/callback',
      'https://YOUR.app/connect/fake/callback',
      'https://your.app:443/connect/fake/callback',
      'https:your.app/connect/fake/callback',
      'https://your.app\\connect/fake/callback',
      ' https://your.app/connect/fake/callback',
      'javascript:alert(1)',
      'data:text/html,x',
    ];
    for (const redirectUri of malformed) {
      expect(await failure(beginConnect(rig.registry, { ...ANA, redirectUri })), redirectUri).toBe(
        'configuration invalid_redirect_uri',
      );
    }
    const foreign = [
      `${REDIRECT}/`,
      'https://your.app/connect/fake/callbacK',
      'https://your.app:8443/connect/fake/callback',
      'https://evil.test/connect/fake/callback',
      `${REDIRECT}?next=evil`,
    ];
    for (const redirectUri of foreign) {
      // Unknown to the service, and not what the flow began with.
      const begun = await redirected(rig, { redirectUri });
      expect((await rig.oauth.handle(new Request(begun.url))).status).toBe(400);
      const query = await approved(rig, await redirected(rig));
      expect(await failure(continueConnect(rig.registry, { ...ANA, query, redirectUri }))).toBe(
        'auth_expired state_mismatch',
      );
    }
    expect(tokenCalls(rig)).toBe(0);
    recordFigure('R-015', `${malformed.length + foreign.length} hostile redirect addresses: 0 accepted`);
  });

  test('addresses on the own machine may be http, and only those', async () => {
    const rig = authRig();
    const at = (host: string) => redirected(rig, { redirectUri: `http://${host}/callback` });
    for (const host of ['127.0.0.1:8080', '127.0.0.2', '[::1]:8080', 'localhost'])
      expect((await at(host)).state).toBeTruthy();
    for (const host of ['127.0.0.1.evil.test', 'localhost.evil.test', '[::2]', '10.0.0.1'])
      expect(await failure(at(host)), host).toBe('configuration invalid_redirect_uri');
  });

  test('R-016 callbacks of another issuer, and answers that are none, are refused before any call', async () => {
    const issuer = 'https://oauth.test';
    const cases: [declared: string | undefined, change: (query: URLSearchParams) => void][] = [
      [issuer, () => {}],
      [issuer, (query) => query.set('iss', 'https://evil.test')],
      [issuer, (query) => query.append('iss', `${issuer}/`)],
      [undefined, (query) => query.set('iss', 'https://evil.test')],
      [undefined, (query) => query.set('iss', 'no address')],
      [undefined, (query) => query.append('code', 'another')],
      [undefined, (query) => query.delete('code')],
      [undefined, (query) => query.set('response', 'a.jwt.response')],
      [undefined, (query) => query.set('id_token', 'implicit')],
      [undefined, (query) => query.set('error', 'server_error')],
    ];
    for (const [declared, change] of cases) {
      const rig = authRig({ strategy: { issuer: declared } });
      const query = await approved(rig, await redirected(rig));
      change(query);
      expect(await failure(continueConnect(rig.registry, { ...ANA, query }))).toBe('auth_expired invalid_callback');
      expect(tokenCalls(rig)).toBe(0);
    }
    for (const declared of [issuer, undefined]) {
      const rig = authRig({ strategy: { issuer: declared } });
      const query = await approved(rig, await redirected(rig));
      query.set('iss', issuer);
      expect((await continueConnect(rig.registry, { ...ANA, query })).step).toBe('connected');
    }
    recordFigure('R-016', `${cases.length} wrong or missing issuers and malformed callbacks: all refused`);
  });

  test('the user may say no', async () => {
    const rig = authRig();
    const { state } = await redirected(rig);
    const query = new URLSearchParams({ error: 'access_denied', state });
    expect(await failure(continueConnect(rig.registry, { ...ANA, query }))).toBe('permission_denied access_denied');
  });

  test('R-018 scopes that were not granted are named, before the first call', async () => {
    const rig = authRig({ oauth: { grantedScopes: ['read'] }, strategy: { scopes: ['read', 'history', 'library'] } });
    const { connection, missingScopes } = await connect(rig);
    expect(missingScopes).toEqual(['history', 'library']);
    expect(connection.grantedScopes).toEqual(['read']);
    expect(rig.events.find(({ type }) => type === 'connected')).toMatchObject({
      missingScopes: ['history', 'library'],
    });
    recordFigure('R-018', 'reduced grant: exactly the 2 missing scopes named');
  });

  test('scopes are those of the capabilities that are asked for', async () => {
    const scoped = (scopes: string[]) => ({ sources: {}, order: 'newest-first', backfill: false, scopes }) as never;
    const rig = authRig({ capabilities: { history: scoped(['plays']), library: scoped(['plays', 'likes']) } });
    const step = await redirected(rig, { capabilities: ['history', 'library'] });
    expect(new URL(step.url).searchParams.get('scope')).toBe('plays likes');
    const more = await redirected(rig, { capabilities: ['history'], scopes: ['plays', 'email'] });
    expect(new URL(more.url).searchParams.get('scope')).toBe('plays email');
    const alone = await redirected(rig, { scopes: ['email'] });
    expect(new URL(alone.url).searchParams.get('scope')).toBe('email');
  });
});
