import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type AnyProvider, listConnections, type Registry, type RequestUser } from '@mca/core';
import { createFakeOAuthServer, type FakeOAuthServer, FakeService, fakeProvider } from '@mca/core/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { plays } from '../../test/support/spotify-rows.ts';
import { fastifyApp } from './fastify.ts';
import { honoApp } from './hono.ts';
import { importOne, openRegistry, syncOne } from './registry.ts';

const APP = 'https://your.app';
const SERVICE = 'https://service.test';
const DAY_MS = 86_400_000;

interface Answer {
  readonly status: number;
  readonly location: string;
  readonly text: string;
}
interface Sent {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}
type Ask = (path: string, sent: Sent) => Promise<Answer>;

/** Stands for the log-in of the host. */
function userOf(request: Request): RequestUser | undefined {
  const userId = request.headers.get('x-user');
  return !userId ? undefined : { userId, sessionBinding: request.headers.get('x-session') ?? userId };
}

/** What both hosts take. A base URL may end in a slash; origins do not. */
const hostIn = (registry: Registry) => ({
  registry,
  baseUrl: `${APP}/`,
  userOf,
  sync: (user: string, id: string) => syncOne(registry, user, id),
  upload: (user: string, file: File) => importOne(registry, user, file),
});

const HOSTS: Readonly<Record<string, (registry: Registry) => { readonly ask: Ask; close(): Promise<void> }>> = {
  Hono(registry) {
    const app = honoApp(hostIn(registry));
    return {
      async ask(path, { body, ...sent }) {
        const answer = await app.request(APP + path, { ...sent, body: body ?? null });
        return {
          status: answer.status,
          location: answer.headers.get('location') ?? '',
          text: await answer.text(),
        };
      },
      close: async () => {},
    };
  },
  Fastify(registry) {
    const app = fastifyApp(hostIn(registry));
    return {
      async ask(path, { method, headers, body }) {
        const answer = await app.inject({ method, url: path, headers, ...(body !== undefined && { payload: body }) });
        return { status: answer.statusCode, location: String(answer.headers.location ?? ''), text: answer.body };
      },
      close: () => app.close(),
    };
  },
};

describe.each(Object.entries(HOSTS))('a host in %s', (_name, hostOf) => {
  let registry: Registry;
  let oauth: FakeOAuthServer;
  let host: ReturnType<typeof hostOf>;
  let now: number;

  beforeEach(() => {
    vi.stubEnv('DATABASE', ':memory:');
    vi.stubEnv('MCA_KEY', randomBytes(32).toString('base64'));
    // The storage has a clock of its own, so only what lies ahead is made up.
    now = Date.now();
    const clock = { now: () => now, monotonic: () => now };
    oauth = createFakeOAuthServer({ clock });
    const service = new FakeService({ now: clock.now, authorise: (request) => oauth.requireToken(request)?.account });
    for (const day of [1, 2, 3])
      service.add('ada', { id: `play-${day}`, playedAt: now - day * DAY_MS, title: 'Blue Door' });
    registry = openRegistry({
      clock,
      fetch: async (input, init) => {
        const request = new Request(input, init);
        return await (request.url.startsWith(SERVICE) ? service.handle(request) : oauth.handle(request));
      },
    });
    for (const provider of providers(oauth)) registry.add(provider);
    host = hostOf(registry);
  });
  afterEach(async () => {
    await host.close();
    await registry.close();
    vi.unstubAllEnvs();
  });

  const get = (path: string, user = 'ana', more: object = {}) =>
    host.ask(path, { method: 'GET', headers: { ...(user && { 'x-user': user }), ...more } });
  const post = (path: string, body?: object, more: object = {}) =>
    host.ask(path, {
      method: 'POST',
      headers: { 'x-user': 'ana', origin: APP, ...(body && { 'content-type': 'application/json' }), ...more },
      ...(body && { body: JSON.stringify(body) }),
    });
  /** Where the service sends the browser back to, once its user has agreed. */
  const agreed = async (location: string): Promise<string> => {
    const back = (await oauth.handle(new Request(location))).headers.get('location') ?? '';
    expect(back).toMatch(/^https:\/\/your\.app\/connect\/songbook\/callback\?/);
    return back.slice(APP.length);
  };

  test('connects by a log-in at the service, syncs, and disconnects', async () => {
    const begun = await get('/connect/songbook');
    expect(begun.status).toBe(302);
    const done = await get(await agreed(begun.location));
    expect(done.status).toBe(200);
    const { step, connection } = JSON.parse(done.text);
    expect([step, connection.account]).toEqual(['connected', 'ada']);

    const report = await post(`/sync/${connection.id}`);
    expect(report.status).toBe(200);
    expect(JSON.parse(report.text)).toMatchObject([
      { capability: 'history', status: 'complete', counts: { inserted: 3 } },
    ]);
    const status = await get('/connect/songbook/status?check=1');
    expect(JSON.parse(status.text)).toMatchObject({ connections: [{ id: connection.id, valid: true }] });

    const ended = await post('/connect/songbook/disconnect', { connectionId: connection.id });
    expect(JSON.parse(ended.text)).toEqual({ remoteRevoked: true });
    expect(JSON.parse((await post(`/sync/${connection.id}`)).text)).toMatchObject([{ reason: 'not_connected' }]);
  });

  test('a flow ends in the session it was begun in, and in no other', async () => {
    const callback = await agreed((await get('/connect/songbook')).location);
    expect((await get(callback, '')).status).toBe(401);
    for (const stranger of [{ 'x-user': 'ben' }, { 'x-session': 'another browser' }]) {
      const stolen = await get(callback, 'ana', stranger);
      expect([stolen.status, JSON.parse(stolen.text).error.reason]).toEqual([400, expect.stringMatching(/^state_/)]);
    }
    for (const userId of ['ana', 'ben']) expect(await registry.storage.listConnections({ userId })).toEqual([]);
  });

  test('a form is answered and sent as JSON', async () => {
    const { step, state, fields } = JSON.parse((await get('/connect/tokens')).text);
    expect([step, fields[0].name]).toEqual(['form', 'token']);
    const slip = await post('/connect/tokens', { state, fields: {} });
    expect([slip.status, JSON.parse(slip.text).error.reason]).toEqual([400, 'invalid_field']);
    const token = oauth.grant(['plays']).accessToken;
    const done = await post('/connect/tokens', { state, fields: { token } });
    expect(JSON.parse(done.text)).toMatchObject({ step: 'connected', connection: { account: 'ada' } });
    expect(done.text).not.toContain(token);
  });

  test('a code is asked about until the user has agreed', async () => {
    const begun = JSON.parse((await post('/connect/gadget', {})).text);
    expect(begun.step).toBe('device');
    const ask = async () => JSON.parse((await post('/connect/gadget', { state: begun.state })).text);
    now += begun.pollAfterMs;
    const pending = await ask();
    expect(pending).toMatchObject({ step: 'device', userCode: begun.userCode });
    oauth.answerDevice(begun.userCode, 'approve');
    now += pending.pollAfterMs;
    expect(await ask()).toMatchObject({ step: 'connected' });
  });

  test('what is not there is 404, what is not allowed 403, what is too long 413', async () => {
    for (const path of ['/connect/nobody', '/connect/songbook/other', '/nothing']) {
      expect((await get(path)).status, path).toBe(404);
    }
    expect((await post('/sync/nothing')).status).toBe(404);
    expect((await post('/sync/nothing', undefined, { origin: 'https://evil.test' })).status).toBe(403);
    expect((await post('/connect/songbook', {}, { origin: 'https://evil.test' })).status).toBe(403);
    const anonymous = { method: 'POST', headers: { origin: APP } } as const;
    expect((await host.ask('/sync/nothing', anonymous)).status).toBe(401);
    const long = { state: 'x'.repeat(100_000) };
    const length = String(JSON.stringify(long).length);
    expect((await post('/connect/songbook', long, { 'content-length': length })).status).toBe(413);
  });

  test('takes an export, and says with 422 what is none', async () => {
    const headers = { 'x-user': 'ana', origin: APP, 'content-type': 'application/json' };
    const send = (body: string, more: object = {}) =>
      host.ask('/import?name=Streaming_History_Audio_2026_0.json', {
        method: 'POST',
        headers: { ...headers, ...more },
        body,
      });
    // Longer than what the other routes read.
    const done = await send(JSON.stringify(plays(0, 400)));
    expect([done.status, JSON.parse(done.text)]).toMatchObject([
      200,
      { status: 'complete', provider: 'spotify', counts: { inserted: 400 } },
    ]);
    const refused = await send('');
    expect(refused.status).toBe(422);
    expect(JSON.parse(refused.text)).toEqual({ error: { code: 'file_parse_error', reason: 'empty_file' } });
    expect((await send('[]', { origin: 'https://evil.test' })).status).toBe(403);
    expect((await send('[]', { 'x-user': '' })).status).toBe(401);
  });

  test('a connection of files has nobody to ask', async () => {
    const headers = { 'x-user': 'ana', origin: APP };
    const body = JSON.stringify(plays(0, 3));
    await host.ask('/import?name=Streaming_History_Audio_2026_0.json', { method: 'POST', headers, body });
    const [connection] = await listConnections(registry, { userId: 'ana' });
    expect(connection?.kind).toBe('file');
    expect((await post(`/sync/${connection?.id}`)).status).toBe(404);
  });

  test('what goes wrong in the host is not told to browsers', async () => {
    const broken = async () => {
      throw new Error('SQLITE_BUSY: database /srv/secret/history.db is locked');
    };
    Object.assign(registry.storage, { listConnections: broken });
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const answer = await post('/sync/any');
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain('secret');
    vi.restoreAllMocks();
  });

  test('nobody syncs what is somebody else’s', async () => {
    const done = await get(await agreed((await get('/connect/songbook')).location));
    const { connection } = JSON.parse(done.text);
    expect((await post(`/sync/${connection.id}`, undefined, { 'x-user': 'ben' })).status).toBe(404);
  });
});

/** A service with each way to connect, as three providers: a flow takes the first way of each. */
function providers(oauth: FakeOAuthServer): readonly AnyProvider[] {
  const { authorizationEndpoint, deviceEndpoint, tokenEndpoint, revocationEndpoint } = oauth.endpoints();
  const client = { clientId: 'client', tokenEndpoint, revocationEndpoint, scopes: ['plays'] };
  const baseUrl = `${SERVICE}/v1`;
  return [
    fakeProvider({ id: 'songbook', baseUrl, auth: [{ type: 'oauth2', authorizationEndpoint, ...client }] }),
    fakeProvider({ id: 'gadget', baseUrl, auth: [{ type: 'device-code', deviceEndpoint, ...client }] }),
    fakeProvider({ id: 'tokens', baseUrl }),
  ];
}

test.each(['registry', 'hono', 'fastify'])('the guide shows %s.ts as it is tested here', (name) => {
  const guide = readFileSync(new URL('../../docs/guides/other-frameworks.md', import.meta.url), 'utf8');
  const code = readFileSync(new URL(`./${name}.ts`, import.meta.url), 'utf8');
  expect(guide).toContain(`\`\`\`ts\n${code}\`\`\``);
});
