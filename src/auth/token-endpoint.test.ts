import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { authRig } from '../../test/support/auth-rig.ts';
import { recordFigure } from '../../test/support/reliability.ts';
import { systemFetch } from '../runtime/env.ts';
import { Secret } from './secret.ts';
import { TokenEndpoint } from './token-endpoint.ts';
import { TokenFailure } from './token-failure.ts';

const never = new AbortController().signal;
const REFRESH = 'canary-refresh-token';
const CLIENT_SECRET = 'canary-client-secret';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A real server: what it is asked, with the body. */
async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    asked.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)} ${body}`);
    answer(request, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { asked, origin: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}` };
}

function endpointAt(origin: string, env: Parameters<typeof authRig>[0] = {}): TokenEndpoint {
  const strategy = {
    type: 'oauth2',
    clientId: 'client',
    clientSecret: CLIENT_SECRET,
    authorizationEndpoint: `${origin}/authorize`,
    tokenEndpoint: `${origin}/token`,
    revocationEndpoint: `${origin}/revoke`,
    scopes: [],
  } as const;
  const rig = authRig({ strategy, env: { fetch: systemFetch }, ...env });
  return new TokenEndpoint(rig.registry, rig.provider, strategy, never);
}

async function failure(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => new Error('answered'),
    (thrown: unknown) => thrown,
  );
  return error instanceof TokenFailure ? `${error.error.code} ${error.error.reason}` : String(error);
}

describe('token endpoints', () => {
  test.each([
    ['', undefined],
    [' ', undefined],
    [undefined, undefined],
    ['a b', ['a', 'b']],
  ])('an answer whose scope is %j says %j', async (scope, expected) => {
    const { origin } = await listen((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ access_token: 'a', token_type: 'Bearer', expires_in: 3_600, scope }));
    });
    expect((await endpointAt(origin).refresh(new Secret(REFRESH))).scopes).toEqual(expected);
  });

  test('R-017 no redirect is followed: another origin sees no secret', async () => {
    const thief = await listen((_request, response) => response.end('{}'));
    let hits = 0;
    for (const status of [301, 302, 303, 307, 308]) {
      const { origin, asked } = await listen((_request, response) => {
        response.writeHead(status, { location: `${thief.origin}/token` }).end();
      });
      const endpoint = endpointAt(origin);
      expect(await failure(endpoint.refresh(new Secret(REFRESH)))).toBe('upstream redirect_refused');
      expect(await failure(endpoint.revoke(new Secret(REFRESH)))).toBe('upstream redirect_refused');
      // The harness sees what it looks for.
      expect(asked[0]).toContain(REFRESH);
      hits += asked.length;
    }
    expect(thief.asked).toEqual([]);
    expect(hits).toBe(10);
    recordFigure('R-017', '5 redirect codes, 2 endpoints: 0 requests at the second origin');
  });

  test('R-017 ten malformed answers, and one that is too large', async () => {
    const fine = { access_token: 'a', token_type: 'bearer' };
    const bodies: (string | Buffer)[] = [
      '',
      '<!doctype html><p>Hello',
      '[]',
      'null',
      '"text"',
      '{"access_token":',
      JSON.stringify({ ...fine, access_token: 7 }),
      JSON.stringify({ ...fine, access_token: '' }),
      JSON.stringify({ ...fine, token_type: 'mac' }),
      JSON.stringify({ ...fine, token_type: undefined }),
      Buffer.from([0x7b, 0xff, 0xfe, 0x7d]),
    ];
    for (const body of bodies) {
      const { origin } = await listen((_request, response) => response.end(body));
      expect(await failure(endpointAt(origin).refresh(new Secret(REFRESH))), String(body)).toBe(
        'upstream unexpected_answer',
      );
    }
    const bomb = gzipSync(Buffer.alloc(50 * 2 ** 20, 0x20));
    const { origin } = await listen((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'application/json' }).end(bomb);
    });
    expect(await failure(endpointAt(origin).refresh(new Secret(REFRESH)))).toBe('upstream response_too_large');
    recordFigure('R-017', `${bodies.length} malformed bodies and a gzip bomb: a typed error each`);
  });

  test('R-017 a service that dribbles is left after 15 seconds', async () => {
    const rig = authRig();
    const slow = new ReadableStream({ pull: () => new Promise(() => {}) });
    const skipped = authRig({ beside: rig, env: { fetch: async () => new Response(slow) } });
    const [strategy] = skipped.provider.auth;
    if (strategy?.type !== 'oauth2') throw new Error('The rig has another strategy.');
    const endpoint = new TokenEndpoint(skipped.registry, skipped.provider, strategy, never);
    const work = failure(endpoint.refresh(new Secret(REFRESH)));
    const started = rig.time.clock.now();
    expect(await rig.time.until(work)).toBe('upstream timeout');
    expect(rig.time.clock.now() - started).toBeLessThanOrEqual(15_000);
    expect(rig.time.pending).toBe(0);
  });

  test('a machine that slept through the time-out looks at the answer first', async () => {
    let elapsed = 0;
    const timers: (() => void)[] = [];
    const env = {
      clock: { now: () => elapsed, monotonic: () => elapsed },
      timers: {
        after(_ms: number, run: () => void) {
          timers.push(run);
          return () => {};
        },
      },
    };
    let answered: (response: Response) => void = () => {};
    const fetch = () => new Promise<Response>((resolve) => (answered = resolve));
    const rig = authRig({ env: { ...env, fetch } });
    const [strategy] = rig.provider.auth;
    if (strategy?.type !== 'oauth2') throw new Error('The rig has another strategy.');
    const work = new TokenEndpoint(rig.registry, rig.provider, strategy, never).refresh(new Secret(REFRESH));
    while (timers.length < 2) await new Promise((wake) => setTimeout(wake, 1));
    elapsed = 60_000;
    for (const run of timers.splice(0)) run();
    answered(Response.json({ access_token: 'a', token_type: 'bearer' }));
    expect((await work).accessToken.reveal()).toBe('a');
  });

  test('waits are read as everywhere: seconds, dates, at most a day, none where none is asked for', async () => {
    const answers: [status: number, headers: Record<string, string>, expected: number | undefined][] = [
      [429, { 'retry-after': '30' }, 30_000],
      [429, { 'retry-after': 'Sat, 21 Nov 2026 00:00:45 GMT', date: 'Sat, 21 Nov 2026 00:00:00 GMT' }, 45_000],
      [429, { 'retry-after': '999999' }, 86_400_000],
      [429, { 'retry-after': '-1' }, undefined],
      [429, { 'x-ratelimit-reset-in': '7' }, 7_000],
      [503, { 'retry-after': '20' }, 20_000],
      [503, { 'x-ratelimit-reset-in': '7' }, undefined],
      [400, { 'retry-after': '20' }, undefined],
    ];
    for (const [status, headers, expected] of answers) {
      const rig = authRig({ env: { fetch: async () => new Response('{}', { status, headers }) } });
      const [strategy] = rig.provider.auth;
      if (strategy?.type !== 'oauth2') throw new Error('The rig has another strategy.');
      const endpoint = new TokenEndpoint(rig.registry, rig.provider, strategy, never);
      const thrown = await endpoint.refresh(new Secret(REFRESH)).catch((error: unknown) => error);
      expect((thrown as TokenFailure).error.retryAfterMs, JSON.stringify([status, headers])).toBe(expected);
    }
  });

  test('client secrets go into the header, public clients name themselves in the form', async () => {
    const { origin, asked } = await listen((_request, response) =>
      response.end('{"access_token":"a","token_type":"Bearer"}'),
    );
    await endpointAt(origin).refresh(new Secret(REFRESH));
    expect(asked[0]).toContain(`Basic ${btoa(`client:${CLIENT_SECRET}`)}`);
    expect(asked[0]).not.toContain('client_secret');
    const rig = authRig();
    const connection = await rig.connected();
    expect(connection.status).toBe('active');
  });
});
