import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type AuthRig, authRig } from '../../test/support/auth-rig.ts';
import { connectedStep, failure } from '../../test/support/connect-flows.ts';
import type { AuthStrategy } from '../contracts/auth.ts';
import type { DeviceCodeStrategy } from '../contracts/oauth.ts';
import { beginConnect, continueConnect } from './connect.ts';

const SECRET = 'canary-client-secret';
const who = { userId: 'ana', provider: 'fake' };

async function byDevice(rig: AuthRig) {
  const begun = await beginConnect(rig.registry, { ...who, strategy: 'device-code' });
  if (begun.step !== 'device') throw new Error(begun.step);
  const poll = async () => {
    await rig.time.advance(5_000);
    return continueConnect(rig.registry, { ...who, state: begun.state });
  };
  return { begun, poll };
}

describe('a device flow of GET requests, polled by what the user types', () => {
  const errorNames = { 'Not yet': 'authorization_pending', 'Slow down': 'slow_down', gone: 'invalid_grant' } as const;
  const BEGIN = 'https://oauth.test/pin?app=testing';
  const POLL = 'https://oauth.test/pin/{user_code}?app=testing';
  const begun = { user_code: 'A1 B/C', verification_uri: 'https://oauth.test/pin', expires_in: 900, interval: 5 };

  /** A service that says everything with status 200, and of tokens nothing but the token. */
  function pinRig(knobs: Partial<DeviceCodeStrategy> = {}) {
    const requests: { readonly line: string; readonly headers: Headers; readonly body: string }[] = [];
    const answers: (object | Response)[] = [];
    const rig: AuthRig = authRig({
      auth: (server): AuthStrategy[] => {
        const { tokenEndpoint } = server.endpoints();
        const client = { clientId: 'client', clientSecret: SECRET, tokenEndpoint, scopes: [] };
        const poll = { endpoint: POLL, errorField: 'message' };
        const own = { deviceEndpoint: BEGIN, deviceMethod: 'get', untypedTokens: true, errorNames, poll } as const;
        return [{ type: 'device-code', ...client, ...own, ...knobs }];
      },
      env: {
        async fetch(input, init) {
          const request = new Request(input, init);
          const { pathname, search } = new URL(request.url);
          if (!/^\/(?:pin|token)/.test(pathname)) return rig.oauth.fetch(request);
          const line = `${request.method} ${pathname}${search}`;
          requests.push({ line, headers: request.headers, body: await request.text() });
          const answer = answers.shift() ?? { result: 'KO' };
          return answer instanceof Response ? answer : Response.json(answer);
        },
      },
    });
    const begin = (answer: object = begun) => {
      answers.push(answer);
      return byDevice(rig);
    };
    const granted = () => ({ result: 'OK', access_token: rig.oauth.grant(['read']).accessToken });
    return { rig, requests, answers, begin, granted };
  }

  test.each(['basic', 'body'] as const)('everything is in the address, and no secret anywhere: %s', async (how) => {
    const { requests, answers, begin, granted } = pinRig({ clientAuthentication: how });
    const { begun: step, poll } = await begin();
    expect(step).toMatchObject({ userCode: 'A1 B/C', verificationUri: 'https://oauth.test/pin', pollAfterMs: 5_000 });
    answers.push(granted());
    expect(connectedStep(await poll()).connection.account).toBe('ada');
    expect(requests.map(({ line, body }) => [line, body])).toEqual([
      ['GET /pin?app=testing&client_id=client', ''],
      ['GET /pin/A1%20B%2FC?app=testing&client_id=client', ''],
    ]);
    for (const { headers } of requests) {
      expect(headers.has('authorization')).toBe(false);
      expect(headers.has('content-type')).toBe(false);
    }
    expect(inspect(requests, { depth: 10 })).not.toContain(SECRET);
  });

  test('deviceMethod: by POST unless told otherwise, and with the secret', async () => {
    const { requests, begin } = pinRig({ deviceMethod: undefined, clientAuthentication: 'body' });
    await (await begin()).poll();
    expect(requests.map(({ line, body }) => [line, body])).toEqual([
      ['POST /pin?app=testing', `client_id=client&client_secret=${SECRET}`],
      ['POST /pin/A1%20B%2FC?app=testing', `client_id=client&client_secret=${SECRET}`],
    ]);
  });

  test('without a place in the address, the device code is sent as ever', async () => {
    const { requests, begin } = pinRig({ poll: { endpoint: 'https://oauth.test/pin/poll', codeParameter: 'code' } });
    const { poll } = await begin({ ...begun, device_code: 'device-7' });
    await poll();
    expect(requests.at(-1)?.line).toBe('GET /pin/poll?code=device-7&client_id=client');
    await expect(begin()).rejects.toMatchObject({ code: 'upstream', reason: 'unexpected_answer' });
  });

  test('errorField and errorNames: what the body says decides, at any status', async () => {
    const { answers, begin, granted } = pinRig();
    const { poll } = await begin();
    answers.push({ result: 'KO', message: 'Not yet' });
    expect(await poll()).toMatchObject({ step: 'device', pollAfterMs: 5_000 });
    answers.push({ result: 'KO', message: 'Slow down' });
    expect(await poll()).toMatchObject({ step: 'device', pollAfterMs: 10_000 });
    // What has no name ends nothing: neither a text nor something else.
    for (const message of ['Something new', 'constructor', 7, undefined]) {
      answers.push({ result: 'KO', message });
      expect(await poll()).toMatchObject({ step: 'device' });
      expect(await poll()).toMatchObject({ step: 'device' });
    }
    answers.push({ ...granted(), message: 'constructor' });
    await poll();
    expect(await poll()).toMatchObject({ step: 'connected' });
  });

  test.each([
    [{ result: 'KO', message: 'gone' }, 'auth_expired revoked'],
    [{ error: 'gone', message: 'Not yet' }, 'auth_expired revoked'],
    [Response.json({ error: 'access_denied' }, { status: 403 }), 'permission_denied access_denied'],
  ])('%o ends it', async (answer, expected) => {
    const { answers, begin } = pinRig();
    const { poll } = await begin();
    answers.push(answer);
    expect(await failure(poll())).toBe(expected);
  });

  test('the field is one of polls: elsewhere only `error` is looked at', async () => {
    const { begin } = pinRig();
    expect((await begin({ ...begun, message: 'gone' })).begun.step).toBe('device');
  });

  test('untypedTokens: tokens of no type are refused unless told otherwise, those of another always', async () => {
    for (const [untypedTokens, type, isGood] of [
      [undefined, undefined, false],
      [true, 'mac', false],
      [true, 'Bearer', true],
    ] as const) {
      const { answers, begin, granted } = pinRig({ untypedTokens });
      const { poll } = await begin();
      answers.push({ ...granted(), token_type: type });
      expect((await poll()).step).toBe(isGood ? 'connected' : 'device');
    }
  });
});
