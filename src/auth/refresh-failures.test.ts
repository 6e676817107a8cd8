import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { authRig } from '../../test/support/auth-rig.ts';
import { recordFigure } from '../../test/support/reliability.ts';
import type { Connection } from '../contracts/connection.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import type { FakeOAuthFailure } from '../testing/fake-oauth.ts';
import { TokenKeeper } from './refresh-tokens.ts';
import { providerOf, strategyOf } from './strategies.ts';

const never = new AbortController().signal;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const isFull = process.env.MCA_TEST_FULL === '1';

async function fresh(registry: AnyRegistry, connection: Connection): Promise<string> {
  const provider = providerOf(registry, 'fake');
  const keeper = new TokenKeeper(registry, connection, provider, strategyOf(provider, 'oauth2'));
  return keeper.fresh(never).then(
    () => 'fine',
    (error: { code?: string; reason?: string; message: string }) =>
      error.code ? `${error.code} ${error.reason}` : error.message,
  );
}

async function statusOf(registry: AnyRegistry, { id }: Connection): Promise<string> {
  const [found] = await registry.storage.listConnections({ id });
  return `${found?.status} ${found?.statusReason ?? '-'}`;
}

const json = (status: number, body: unknown): FakeOAuthFailure => ({ status, body: JSON.stringify(body) });

/** What the service answers, what the caller meets, what becomes of the connection. */
const ANSWERS: readonly [name: string, answer: FakeOAuthFailure, error: string, status: string][] = [
  ['invalid_grant', json(400, { error: 'invalid_grant' }), 'auth_expired revoked', 'needs_reauth revoked'],
  ['invalid_grant in a 200', json(200, { error: 'invalid_grant' }), 'auth_expired revoked', 'needs_reauth revoked'],
  ['invalid_client', json(401, { error: 'invalid_client' }), 'configuration invalid_client', 'active -'],
  ['unauthorized_client', json(400, { error: 'unauthorized_client' }), 'configuration invalid_client', 'active -'],
  ['429', { status: 429, headers: { 'retry-after': '120' } }, 'rate_limit too_many_requests', 'active -'],
  ['500', json(500, { error: 'invalid_grant' }), 'upstream unexpected_answer', 'active -'],
  ['503 HTML', { status: 503, body: '<html>busy</html>' }, 'upstream server_error', 'active -'],
  ['403 HTML', { status: 403, body: '<html>no</html>' }, 'upstream unexpected_answer', 'active -'],
  ['200 HTML', { status: 200, body: '<html>hello</html>' }, 'upstream unexpected_answer', 'active -'],
  ['empty 200', { status: 200 }, 'upstream unexpected_answer', 'active -'],
  ['no access token', json(200, { token_type: 'bearer' }), 'upstream unexpected_answer', 'active -'],
  ['invalid_request', json(400, { error: 'invalid_request' }), 'upstream invalid_request', 'active -'],
  ['redirect', { status: 307, headers: { location: 'https://evil.test/' } }, 'upstream redirect_refused', 'active -'],
  ['connection lost', 'drop-before', 'upstream network', 'active -'],
];

describe('when the token endpoint fails', () => {
  test.each(ANSWERS)('R-010 %s', async (_name, answer, error, status) => {
    const rig = authRig();
    const connection = await rig.connected();
    const before = await rig.stored(connection);
    rig.time.step(2 * HOUR);
    rig.oauth.failNext('token', 1, answer);
    expect(await fresh(rig.registry, connection)).toBe(error);
    expect(await statusOf(rig.registry, connection)).toBe(status);
    // Nothing is asked again at once, whatever it was.
    expect(await fresh(rig.registry, connection)).toBe(error);
    expect(rig.oauth.calls).toHaveLength(1);
    if (status !== 'active -') {
      rig.time.step(30 * DAY);
      expect(await fresh(rig.registry, connection)).toBe(error);
      expect(rig.oauth.calls).toHaveLength(1);
      expect(rig.events.filter(({ type }) => type === 'reauth_required')).toHaveLength(1);
      return;
    }
    expect((await rig.stored(connection)).refreshToken?.reveal()).toBe(before.refreshToken?.reveal());
    rig.time.step(HOUR);
    expect(await fresh(rig.registry, connection)).toBe('fine');
    expect((await rig.stored(connection)).failure).toBeUndefined();
    if (_name === 'connection lost')
      recordFigure('R-010', `${ANSWERS.length}/14 answers mapped, tokens kept when transient`);
  });

  test('R-010 the wait is kept through a restart, and is what the service asked for', async () => {
    const rig = authRig();
    const connection = await rig.connected();
    rig.time.step(2 * HOUR);
    rig.oauth.failNext('token', 1, { status: 429, headers: { 'retry-after': '120' } });
    await fresh(rig.registry, connection);
    rig.time.step(119_000);
    expect(await fresh(authRig({ beside: rig }).registry, connection)).toBe('rate_limit too_many_requests');
    rig.time.step(2_000);
    expect(await fresh(authRig({ beside: rig }).registry, connection)).toBe('fine');
  });

  test('R-010 a token that is still good serves while the service is away', async () => {
    const rig = authRig();
    const connection = await rig.connected();
    rig.time.step(HOUR - 5 * 60_000);
    rig.oauth.failNext('token', 1, { status: 503 });
    expect(await fresh(rig.registry, connection)).toBe('fine');
    expect(rig.events).toMatchObject([
      { type: 'request', operation: 'token', status: 503 },
      { type: 'refresh_failed' },
    ]);
    expect(rig.oauth.calls).toHaveLength(1);
  });

  test('R-010 a day without the service costs at most 40 calls, and no account', async () => {
    const rig = authRig();
    const connection = await rig.connected();
    rig.time.step(2 * HOUR);
    rig.oauth.failNext('token', 10_000, { status: 503 });
    for (let second = 0; second < 86_400; second += 10) {
      await fresh(rig.registry, connection);
      await skip(rig, 10_000);
    }
    const calls = rig.oauth.calls.length;
    expect(calls).toBeGreaterThan(20);
    expect(calls).toBeLessThanOrEqual(40);
    expect(await statusOf(rig.registry, connection)).toBe('active -');
    recordFigure('R-010', `24 h without the service: ${calls} token calls, tokens kept`);
  });

  test('R-010 only failures on four different days end it', async () => {
    const rig = authRig();
    const connection = await rig.connected();
    rig.time.step(2 * HOUR);
    rig.oauth.failNext('token', 10_000, { status: 503 });
    const days: string[] = [];
    for (let day = 0; day < 5; day += 1) {
      await fresh(rig.registry, connection);
      days.push(await statusOf(rig.registry, connection));
      rig.time.step(DAY);
    }
    expect(days).toEqual(['active -', 'active -', 'active -', 'needs_reauth exhausted', 'needs_reauth exhausted']);
    // A wrong client secret never does: the host will notice, and no user is to blame.
    const other = authRig();
    const theirs = await other.connected();
    other.time.step(2 * HOUR);
    other.oauth.failNext('token', 10_000, json(401, { error: 'invalid_client' }));
    for (let day = 0; day < 10; day += 1) {
      expect(await fresh(other.registry, theirs)).toBe('configuration invalid_client');
      other.time.step(DAY);
    }
    expect(await statusOf(other.registry, theirs)).toBe('active -');
  });

  test('R-011 an answer lost after the service acted: one more try with the old token, then the user is asked', async () => {
    const rig = authRig();
    const connection = await rig.connected();
    rig.time.step(2 * HOUR);
    rig.oauth.failNext('token', 1, 'drop-after');
    expect(await fresh(rig.registry, connection)).toBe('upstream network');
    rig.time.step(60_000);
    expect(await fresh(rig.registry, connection)).toBe('auth_expired ambiguous');
    expect(await statusOf(rig.registry, connection)).toBe('needs_reauth ambiguous');
    rig.time.step(30 * DAY);
    expect(await fresh(rig.registry, connection)).toBe('auth_expired ambiguous');
    const [first, second, ...more] = rig.oauth.calls;
    expect([first?.outcome, second?.outcome, more.length]).toEqual(['drop-after', 'invalid_grant', 0]);
    expect(first?.handedIn).toBe(second?.handedIn);
    recordFigure('R-011', `answer lost after rotation: ${rig.oauth.calls.length} calls, then needs_reauth (ambiguous)`);
  });

  test('R-011 where the service did not act, or forgives, the second try is as good as the first', async () => {
    for (const refreshTokens of ['sticky', 'omitted'] as const) {
      const rig = authRig({ oauth: { refreshTokens } });
      const connection = await rig.connected();
      rig.time.step(2 * HOUR);
      rig.oauth.failNext('token', 1, 'drop-after');
      expect(await fresh(rig.registry, connection)).toBe('upstream network');
      rig.time.step(60_000);
      expect(await fresh(rig.registry, connection)).toBe('fine');
    }
  });
});

describe('five callers in any order', () => {
  const runs = isFull ? 1_000 : 30;

  /** What the keeper must not be: whoever sees an ended token refreshes it with what was read before. */
  test('R-004 refreshing without reading again is caught by the same schedules', async () => {
    const naive = fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const rig = authRig();
        const connection = await rig.connected();
        await skip(rig, 2 * HOUR);
        const { tokenEndpoint } = rig.oauth.endpoints();
        const refresh = scheduler.scheduleFunction(async (token: string) => {
          const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token, client_id: 'client' });
          return (await rig.oauth.fetch(tokenEndpoint, { method: 'POST', body })).status;
        });
        const callers = Array.from({ length: 5 }, async () =>
          refresh((await rig.stored(connection)).refreshToken?.reveal() ?? ''),
        );
        await scheduler.waitFor(Promise.all(callers));
        return (await Promise.all(callers)).every((status) => status === 200);
      }),
      { numRuns: runs, endOnFailure: true },
    );
    await expect(naive).rejects.toThrow(/Property failed after 1 tests/);
  });

  test(`R-004 ${runs} schedules of store and network: one request, no refusal`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 1, max: 3 }), async (scheduler, processes) => {
        const rig = authRig();
        const connection = await rig.connected();
        await skip(rig, 2 * HOUR);
        const fetch = scheduler.scheduleFunction(rig.oauth.fetch);
        const registries = Array.from({ length: processes }, () => {
          const { registry } = authRig({ beside: rig, env: { fetch } });
          const { get, put } = rig.adapter.credentials;
          const { acquireLease } = rig.adapter.storage;
          return {
            ...registry,
            storage: { ...registry.storage, acquireLease: scheduler.scheduleFunction(acquireLease) },
            credentials: {
              ...rig.adapter.credentials,
              get: scheduler.scheduleFunction(get),
              put: scheduler.scheduleFunction(put),
            },
          };
        });
        const callers = Array.from({ length: 5 }, (_, index) =>
          fresh(registries[index % processes] as AnyRegistry, connection),
        );
        // Whoever waits for the lease needs time to pass as well.
        const work = Promise.all(callers);
        const ticking = tick(rig, work);
        expect(await scheduler.waitFor(work)).toEqual(Array(5).fill('fine'));
        await ticking;
        expect(rig.oauth.calls.map(({ outcome }) => outcome)).toEqual(['granted']);
      }),
      { numRuns: runs },
    );
    recordFigure('R-004', `${runs} schedules: 0 counter-examples; the naive variant fails in run 1`);
  });
});

/** Time passes in small steps until the work is done. */
async function tick(rig: ReturnType<typeof authRig>, work: Promise<unknown>): Promise<void> {
  let isDone = false;
  const done = (): void => {
    isDone = true;
  };
  work.then(done, done);
  while (!isDone) await rig.time.advance(100);
}

/** Time passes while nothing waits: no turns of the event loop are spent on it. */
async function skip(rig: ReturnType<typeof authRig>, ms: number): Promise<void> {
  rig.time.step(ms);
}
