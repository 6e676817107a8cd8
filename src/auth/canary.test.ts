import { inspect } from 'node:util';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { authRig, storeConnection } from '../../test/support/auth-rig.ts';
import { recordFigure } from '../../test/support/reliability.ts';
import type { FakeOAuthFailure } from '../testing/fake-oauth.ts';
import { beginConnect, continueConnect } from './connect.ts';
import { openContext } from './connection-context.ts';
import { disconnect } from './disconnect.ts';
import { connectHandlers } from './handlers.ts';
import { Secret } from './secret.ts';
import { vaultOf } from './vault.ts';

const never = new AbortController().signal;
const HOUR = 3_600_000;
const ACCESS = 'canary-access-7f3a';
const REFRESH = 'canary-refresh-91c2';
const CLIENT_SECRET = 'canary-client-secret-55';
const PASSWORD = 'canary-password-aa10';
const CANARIES = [ACCESS, REFRESH, CLIENT_SECRET, PASSWORD, btoa(`client:${CLIENT_SECRET}`)];

const shown: string[] = [];

beforeEach(() => {
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      shown.push(String(chunk));
      return true;
    });
  }
});

afterEach(() => vi.restoreAllMocks());

/** All that a careless host could do with a value. */
function show(value: unknown): void {
  for (let each = value, depth = 0; each !== undefined && each !== null && depth < 5; depth += 1) {
    shown.push(String(each), inspect(each, { depth: 10, showHidden: true, getters: true }));
    try {
      shown.push(JSON.stringify(each) ?? '', inspect(structuredClone(each), { depth: 10 }));
    } catch {
      // What cannot be cloned cannot leak that way.
    }
    if (each instanceof Error) shown.push(each.stack ?? '', each.message);
    each = (each as { readonly cause?: unknown }).cause;
  }
}

function leaks(): string[] {
  return CANARIES.filter((canary) => shown.some((text) => text.includes(canary)));
}

const logger = {
  debug: (...given: unknown[]) => show(given),
  info: (...given: unknown[]) => show(given),
  warn: (...given: unknown[]) => show(given),
  error: (...given: unknown[]) => show(given),
};

const FAILURES: readonly FakeOAuthFailure[] = [
  'drop-before',
  'drop-after',
  { status: 200 },
  { status: 200, body: `<html>${REFRESH}</html>` },
  { status: 200, body: JSON.stringify({ error: REFRESH, access_token: ACCESS }) },
  { status: 400, body: JSON.stringify({ error: 'invalid_grant', error_description: REFRESH }) },
  { status: 401, body: JSON.stringify({ error: 'invalid_client', error_description: CLIENT_SECRET }) },
  { status: 307, headers: { location: `https://evil.test/?refresh_token=${REFRESH}` } },
  { status: 403, body: ACCESS },
  { status: 429, headers: { 'retry-after': REFRESH } },
  { status: 500, body: REFRESH },
  { status: 503 },
];

test('R-020 planted secrets appear in no error, event, log line or output, through 200 failures and more', async () => {
  let failures = 0;
  for (const endpoint of ['token', 'me', 'revoke']) {
    for (const failure of FAILURES) {
      for (const sessions of [1, 2, 3, 4, 5, 6]) {
        const rig = authRig({
          strategy: {
            clientSecret: CLIENT_SECRET,
            ...(sessions % 2 === 0 && { clientAuthentication: 'body', tokenRequest: 'json' }),
          },
          oauth: { clientSecret: CLIENT_SECRET },
          env: { logger },
        });
        const connection = await storeConnection(rig.registry, {
          kind: 'oauth',
          strategy: 'oauth2',
          accessToken: new Secret(ACCESS),
          refreshToken: new Secret(REFRESH),
          ...(endpoint === 'token' && { expiresAt: rig.time.clock.now() - HOUR, lifetimeMs: HOUR }),
          scopes: ['read'],
          authorizedAt: rig.time.clock.now(),
        });
        rig.oauth.failNext(endpoint, sessions, failure);
        const context = await openContext(rig.registry, connection, never).catch((error: unknown) => show(error));
        show(context);
        const work =
          endpoint === 'revoke'
            ? disconnect(rig.registry, { userId: 'ana', connectionId: connection.id })
            : rig.provider.capabilities.sessionCheck?.check(context as never);
        await rig.time.until(
          Promise.resolve(work).then(show, (error: unknown) => {
            show(error);
            failures += 1;
          }),
        );
        show(rig.events);
        show(await vaultOf(rig.registry).read(connection));
        show(rig.registry.access.slot('vault', () => undefined));
        show(await rig.registry.credentials?.get(connection.id));
        show(await rig.registry.storage.listConnections({ userId: 'ana' }));
        if (endpoint === 'revoke') failures += rig.events.length > 0 ? 1 : 0;
      }
    }
  }
  expect(failures).toBeGreaterThanOrEqual(200);
  expect(leaks()).toEqual([]);
  // The net is tight: what is meant to be seen would be.
  show(new Error('x', { cause: { headers: { authorization: `Bearer ${ACCESS}` } } }));
  expect(leaks()).toEqual([ACCESS]);
  recordFigure('R-020', `${failures} failures, ${CANARIES.length} planted secrets: 0 hits`);
});

test('R-020 forms and callbacks show nothing of what was typed in', async () => {
  shown.length = 0;
  const rig = authRig({
    env: { logger },
    auth: () => [
      {
        type: 'form',
        fields: [{ name: 'password', label: 'Password', secret: true, kind: 'password' }],
        sign: ({ url }, { fields }) => url.searchParams.set('p', fields.password ?? ''),
      },
    ],
  });
  const who = { userId: 'ana', provider: 'fake' };
  const begun = await beginConnect(rig.registry, who);
  if (begun.step !== 'form') throw new Error(begun.step);
  show(begun);
  await continueConnect(rig.registry, { ...who, state: begun.state, fields: { password: PASSWORD } }).then(show, show);
  const { handle } = connectHandlers(rig.registry, {
    baseUrl: 'https://your.app',
    user: () => ({ userId: 'ana', sessionBinding: 's' }),
  });
  const { state } = (await (await handle(new Request('https://your.app/connect/fake')))?.json()) ?? {};
  const headers = { origin: 'https://your.app' };
  const body = JSON.stringify({ state, fields: { password: PASSWORD } });
  const answer = await handle(new Request('https://your.app/connect/fake', { method: 'POST', headers, body }));
  shown.push((await answer?.text()) ?? '');
  show(rig.events);
  expect(leaks()).toEqual([]);
});
