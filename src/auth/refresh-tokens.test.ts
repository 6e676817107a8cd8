import { describe, expect, test } from 'vitest';
import { anything, authRig, START } from '../../test/support/auth-rig.ts';
import { recordFigure } from '../../test/support/reliability.ts';
import type { Connection } from '../contracts/connection.ts';
import { McaError } from '../contracts/errors.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { connectionAuthoriser } from './authoriser.ts';
import { openContext } from './connection-context.ts';
import type { OAuthTokens } from './credentials.ts';
import { isDue, lifetimeMsOf, refreshMarginMs } from './refresh-policy.ts';
import { Secret } from './secret.ts';
import { providerOf } from './strategies.ts';
import { vaultOf } from './vault.ts';

const never = new AbortController().signal;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

async function authoriserOf(registry: AnyRegistry, connection: Connection) {
  const stored = await vaultOf(registry).read(connection);
  if (!stored) throw new Error('nothing stored');
  return connectionAuthoriser(registry, providerOf(registry, 'fake'), connection, stored.credentials);
}

async function tokenOf(registry: AnyRegistry, connection: Connection): Promise<string> {
  const { token = '' } = await (await authoriserOf(registry, connection)).current(never);
  return token;
}

async function failure(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    (value) => new Error(`answered ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  );
  const { code, reason, message } = error as { code?: string; reason?: string; message: string };
  return code ? `${code} ${reason}` : message;
}

async function statusOf(registry: AnyRegistry, { id }: Connection): Promise<string> {
  const [found] = await registry.storage.listConnections({ id });
  return `${found?.status} ${found?.statusReason ?? '-'}`;
}

describe('refreshing tokens', () => {
  test('R-001 a hundred callers with an ended token make one request and get the same new one', async () => {
    const rig = authRig();
    const connection = await rig.connected();
    rig.time.step(2 * HOUR);
    const tokens = await Promise.all(Array.from({ length: 100 }, () => tokenOf(rig.registry, connection)));
    expect(new Set(tokens)).toEqual(new Set([rig.oauth.grants[0]?.accessToken]));
    expect(rig.oauth.calls.map(({ outcome }) => outcome)).toEqual(['granted']);
    expect(rig.events.filter(({ type }) => type === 'token_refreshed')).toHaveLength(1);
    recordFigure('R-001', `100 callers: ${rig.oauth.calls.length} token request, ${new Set(tokens).size} token`);
  });

  test('a refresh that nobody waits for any more is still stored', async () => {
    const rig = authRig();
    const connection = await rig.connected();
    rig.time.step(2 * HOUR);
    const caller = new AbortController();
    const waiting = (await authoriserOf(rig.registry, connection)).current(caller.signal);
    caller.abort();
    expect(await failure(waiting)).toBe('cancelled undefined');
    await rig.registry.close();
    const [grant] = rig.oauth.grants;
    if (rig.oauth.calls.length > 0)
      expect((await rig.stored(connection)).refreshToken?.is(grant?.refreshToken ?? '')).toBe(true);
  });

  test('a closed registry sends nothing any more', async () => {
    const rig = authRig();
    const connection = await rig.connected();
    rig.time.step(2 * HOUR);
    await rig.registry.close();
    expect(await failure(tokenOf(rig.registry, connection))).toBe('cancelled closed');
    expect(rig.oauth.calls).toEqual([]);
  });

  test('R-005 of two refreshers the newer wins, in whatever order they store', async () => {
    const rounds = 1_000;
    let newest = 0;
    for (let round = 0; round < rounds; round += 1) {
      const rig = authRig();
      const connection = await rig.connected();
      const vault = vaultOf(rig.registry);
      const stored = await rig.stored(connection);
      const version = (await vault.read(connection))?.version;
      const write = (name: string) => vault.write(connection, { ...stored, refreshToken: new Secret(name) }, version);
      const names = round % 2 === 0 ? ['first', 'second'] : ['second', 'first'];
      const [won, lost] = [await write(names[0] ?? ''), await write(names[1] ?? '')];
      const kept = (await rig.stored(connection)).refreshToken;
      if (won !== undefined && lost === undefined && kept?.is(names[0] ?? '')) newest += 1;
    }
    expect(newest).toBe(rounds);
    recordFigure('R-005', `stored token is the one that won in ${newest}/${rounds}`);
  });

  test('R-005 a refresh that loses to a new consent does not overwrite it', async () => {
    const rig = authRig();
    const connection = await rig.connected();
    rig.time.step(2 * HOUR);
    const mine = {
      ...(await rig.stored(connection)),
      accessToken: new Secret('new consent'),
      authorizedAt: START + 2 * HOUR,
      expiresAt: START + 3 * HOUR,
      refreshToken: new Secret('new refresh'),
    };
    rig.oauth.behaviour.beforeToken = async () => {
      await vaultOf(rig.registry).overwrite(connection, mine);
    };
    expect(await tokenOf(rig.registry, connection)).toBe('new consent');
    expect((await rig.stored(connection)).refreshToken?.reveal()).toBe('new refresh');
  });

  test('R-005 a refresh whose credentials were only sealed again meanwhile keeps its new tokens', async () => {
    const rig = authRig();
    const connection = await rig.connected();
    rig.time.step(2 * HOUR);
    rig.oauth.behaviour.beforeToken = async () => {
      await vaultOf(rig.registry).overwrite(connection, await rig.stored(connection));
    };
    expect(await tokenOf(rig.registry, connection)).toBe(rig.oauth.grants[0]?.accessToken);
    expect((await rig.stored(connection)).refreshToken?.is(rig.oauth.grants[0]?.refreshToken ?? '')).toBe(true);
  });

  test('R-006 the margin is a tenth of the lifetime, within its bounds', async () => {
    const rows: [seconds: unknown, marginS: number | undefined][] = [
      [120, 60],
      [3_600, 360],
      [86_400, 900],
      [604_800, 900],
      [undefined, undefined],
      [0, undefined],
      [-1, undefined],
      ['3600', 360],
      [1e12, undefined],
    ];
    for (const [seconds, marginS] of rows) {
      const lifetimeMs = lifetimeMsOf(seconds);
      const margin = lifetimeMs === undefined ? undefined : refreshMarginMs(lifetimeMs) / 1_000;
      expect(margin, String(seconds)).toBe(marginS);
      const tokens = { lifetimeMs, expiresAt: lifetimeMs && START + lifetimeMs } as OAuthTokens;
      if (lifetimeMs === undefined || marginS === undefined) {
        expect(isDue(tokens, START + 100 * DAY)).toBe(false);
        continue;
      }
      expect(isDue(tokens, START + lifetimeMs - marginS * 1_000)).toBe(false);
      expect(isDue(tokens, START + lifetimeMs - marginS * 1_000 + 1)).toBe(true);
    }
    for (const [seconds] of rows) {
      const rig = authRig({ oauth: { expiresIn: seconds === undefined ? null : seconds } });
      const connection = await rig.connected();
      rig.time.step(2 * HOUR);
      await tokenOf(rig.registry, connection);
      const { expiresAt } = await rig.stored(connection);
      expect(expiresAt).toBe(
        lifetimeMsOf(seconds) === undefined ? undefined : START + 2 * HOUR + Number(seconds) * 1_000,
      );
    }
    recordFigure('R-006', `${rows.length} rows exact, 0 dates that are no number`);
  });

  test('R-007 fifty calls refused with the same token: one refresh, two calls each', async () => {
    const rig = authRig();
    const connection = await rig.connected();
    // The service ends the token early; nobody here knows.
    rig.oauth.grants[0]?.accessTokens.clear();
    const context = await openContext(rig.registry, connection, never);
    const check = () => rig.provider.capabilities.sessionCheck?.check(context);
    const answers = await Promise.all(Array.from({ length: 50 }, check));
    expect(answers.every((answer) => answer?.account === 'ada')).toBe(true);
    const calls = (endpoint: string) => rig.oauth.calls.filter((call) => call.endpoint === endpoint).length;
    expect(calls('token')).toBe(1);
    expect(calls('me')).toBeLessThanOrEqual(100);
    recordFigure('R-007', `50 refused calls: ${calls('token')} refresh, ${calls('me')} API calls`);
  });

  test('R-007 a second refusal ends with auth_expired, and a service that repeats its token is not asked for ever', async () => {
    const rig = authRig();
    const connection = await rig.connected();
    rig.oauth.failNext('me', 10, { status: 401 });
    const context = await openContext(rig.registry, connection, never);
    const check = rig.provider.capabilities.sessionCheck?.check(context) ?? Promise.resolve();
    expect(await failure(check)).toMatch(/^auth_expired/);
    expect(rig.oauth.calls.filter(({ endpoint }) => endpoint === 'token')).toHaveLength(1);
    expect(rig.oauth.calls.filter(({ endpoint }) => endpoint === 'me')).toHaveLength(2);
  });

  test('R-007 a token that another process renewed already is taken as it is', async () => {
    const rig = authRig();
    const other = authRig({ beside: rig });
    const connection = await rig.connected();
    const authoriser = await authoriserOf(rig.registry, connection);
    const refused = await authoriser.current(never);
    const said = new McaError({ code: 'auth_expired', message: 'no' });
    const theirs = await (await authoriserOf(other.registry, connection)).renew(refused, never, said);
    const mine = await authoriser.renew(refused, never, said);
    expect(mine.token).toBe(theirs.token);
    expect(rig.oauth.calls).toHaveLength(1);
  });

  test('R-008 a refresh token is kept until a new one comes', async () => {
    const kinds = ['rotating', 'sticky', 'omitted', 'empty'] as const;
    for (const refreshTokens of kinds) {
      const rig = authRig({ oauth: { refreshTokens } });
      const connection = await rig.connected();
      const before = rig.oauth.grants[0]?.refreshToken;
      for (let round = 0; round < 3; round += 1) {
        rig.time.step(2 * HOUR);
        await tokenOf(rig.registry, connection);
        expect((await rig.stored(connection)).refreshToken?.reveal()).toBe(rig.oauth.grants[0]?.refreshToken);
      }
      expect(rig.oauth.grants[0]?.refreshToken === before).toBe(refreshTokens !== 'rotating');
      expect(rig.oauth.calls.map(({ outcome }) => outcome)).toEqual(['granted', 'granted', 'granted']);
    }
    recordFigure('R-008', `${kinds.length}/4 kinds of answer keep a good refresh token over 3 refreshes`);
  });

  test('R-012 half a year of Spotify: warned 14 and 3 days before, then asked to connect again', async () => {
    const life = 180 * DAY;
    const rig = authRig({ oauth: { grantLifetimeMs: life } });
    let connection = await rig.connected({ authorizationExpiresAt: START + life });
    const expired: number[] = [];
    for (let day = 0; day < 200; day += 1) {
      rig.time.step(DAY);
      [connection = connection] = await rig.registry.storage.listConnections({ id: connection.id });
      const answer = await openContext(rig.registry, connection, never)
        .then(({ http }) => http.request({ path: 'me', operation: 'me', schema: anything }))
        .then(
          () => 'fine',
          (error: { code: string }) => error.code,
        );
      if (answer !== 'fine') {
        expect(answer).toBe('auth_expired');
        expired.push(day + 1);
      }
    }
    const warnings = rig.events.filter((event) => event.type === 'reauth_due');
    expect(warnings.map(({ daysLeft }) => daysLeft)).toEqual([14, 3]);
    expect(Math.min(...expired)).toBe(180);
    expect(rig.events.filter((event) => event.type === 'reauth_required')).toEqual([
      { type: 'reauth_required', connectionId: connection.id, userId: 'ana', provider: 'fake', reason: 'expired' },
    ]);
    expect(await statusOf(rig.registry, connection)).toBe('needs_reauth expired');
    recordFigure('R-012', `200 virtual days: ${warnings.length} warnings, 0 auth_expired before the end`);
  });

  test('a clock that is an hour off neither ends good tokens nor uses ended ones', async () => {
    for (const off of [-HOUR, HOUR]) {
      const rig = authRig();
      const dated: typeof fetch = async (input, init) => {
        const response = await rig.oauth.fetch(input, init);
        response.headers.set('date', new Date(rig.time.clock.now() - off).toUTCString());
        return response;
      };
      const skewed = authRig({ beside: rig, env: { fetch: dated } });
      const connection = await rig.connected({ expiresAt: rig.time.clock.now() - off + HOUR });
      // The machine may believe at first that the token has ended; after one answer it knows.
      for (let minute = 0; minute < 24 * 60; minute += 30) {
        const context = await openContext(skewed.registry, connection, never);
        await skewed.provider.capabilities.sessionCheck?.check(context);
        await rig.time.advance(30 * 60_000);
      }
      expect(await statusOf(rig.registry, connection)).toBe('active -');
      expect(skewed.events.find((event) => event.type === 'clock_skew')?.skewMs).toBeCloseTo(-off, -4);
      expect(rig.oauth.calls.filter(({ endpoint }) => endpoint === 'token').length).toBeLessThanOrEqual(26);
    }
  });
});
