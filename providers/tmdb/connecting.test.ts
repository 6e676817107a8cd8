import { inspect } from 'node:util';
import {
  addConnection,
  beginConnect,
  connectionStatus,
  continueConnect,
  createRegistry,
  type McaEvent,
  userProvider,
} from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import type { CatalogEntry, MediaIds } from '@mca/core/provider-kit';
import { tmdb } from '@mca/core/providers/tmdb';
import { fakeClock } from '@mca/core/testing';
import { http } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, describe, expect, expectTypeOf, test, vi } from 'vitest';
import { KEY, NOW, READ_TOKEN, TmdbServer } from './__fixtures__/server.ts';

const network = setupServer();
// Loaded when first needed: a fake clock would take that for a service that keeps one waiting.
beforeAll(async () => {
  network.listen({ onUnhandledFrame: 'error' });
  await Promise.all([import('ky'), import('p-retry'), import('bottleneck')]);
});
afterEach(() => network.resetHandlers());
afterAll(() => network.close());

function serve(): TmdbServer {
  const server = new TmdbServer();
  network.use(http.all('https://api.themoviedb.org/3/*', ({ request }) => server.answer(request)));
  return server;
}

describe('with a key of the host', () => {
  const app = { userId: 'my-app', provider: 'tmdb' } as const;
  // Neither keys nor a store for secrets: there are none.
  const open = (apiKey: string) => createRegistry({ providers: [tmdb({ apiKey })], ...memory() });

  test.each([KEY, READ_TOKEN])('a connection without credentials looks things up, typed', async (apiKey) => {
    const server = serve();
    const registry = open(apiKey);
    const connection = await addConnection(registry, app);
    expect(connection).toMatchObject({ account: 'api-key', label: 'TMDB', status: 'active' });
    const handle = await userProvider(registry, app);
    if (!handle) throw new Error('It is connected.');
    expectTypeOf(handle.catalog.lookup).toEqualTypeOf<
      (ids: MediaIds, subtype?: string) => Promise<CatalogEntry | undefined>
    >();
    expectTypeOf(handle.catalog.details).toEqualTypeOf<(id: string) => Promise<CatalogEntry | undefined>>();
    expect(await handle.catalog.lookup({ imdb: 'tt0181852' })).toMatchObject({ id: 'movie:296', year: 2003 });
    expect(await handle.catalog.lookup({ tmdb: '8592' }, 'tv_show')).toMatchObject({ id: 'tv:8592' });
    expect(await handle.catalog.details('tv:8592:s1e1')).toMatchObject({ title: 'Pilot', creator: 'Example Show' });
    // @ts-expect-error it has no history
    expect(handle.history).toBeUndefined();
    expect(server.calls.every(({ status }) => status === 200)).toBe(true);
  });

  test('through the connect flow: done at once, for whoever asks', async () => {
    serve();
    const registry = open(KEY);
    expect(await beginConnect(registry, app)).toMatchObject({ step: 'connected', isNew: true });
    expect(await beginConnect(registry, app)).toMatchObject({ step: 'connected', isNew: false });
    expect(await userProvider(registry, { ...app, userId: 'ben' })).toBeUndefined();
  });

  test('a key that TMDB refuses is a fault of the set-up, and nobody is connected', async () => {
    serve();
    const registry = open('0'.repeat(32));
    const asked = addConnection(registry, app);
    await expect(asked).rejects.toMatchObject({ code: 'permission_denied', reason: 'invalid_key' });
    expect(await userProvider(registry, app)).toBeUndefined();
  });
});

describe('limits', () => {
  const app = { userId: 'my-app', provider: 'tmdb' } as const;

  test('at most ten requests at once', async () => {
    const server = serve();
    const registry = createRegistry({ providers: [tmdb({ apiKey: KEY })], ...memory() });
    await addConnection(registry, app);
    const handle = await userProvider(registry, app);
    const gate = Promise.withResolvers<void>();
    let underWay = 0;
    let most = 0;
    server.beforeAnswer = async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await gate.promise;
      underWay -= 1;
    };
    // Fewer than a second holds: nothing but the others keeps them.
    const all = Promise.all(Array.from({ length: 15 }, () => handle?.catalog.details('movie:296')));
    await vi.waitFor(() => expect(underWay).toBe(10));
    for (let turn = 0; turn < 500; turn += 1) await new Promise((wake) => setImmediate(wake));
    gate.resolve();
    expect((await all).every((entry) => entry?.id === 'movie:296')).toBe(true);
    expect(most).toBe(10);
  });

  test('at most twenty a second', async () => {
    const time = fakeClock(NOW);
    const registry = createRegistry({
      providers: [tmdb({ apiKey: KEY })],
      ...memory({ clock: time.clock }),
      env: { clock: time.clock, timers: time.timers, fetch: new TmdbServer().fetch },
    });
    await time.until(addConnection(registry, app));
    const handle = await time.until(userProvider(registry, app));
    const all = Promise.all(Array.from({ length: 60 }, () => handle?.catalog.details('movie:296')));
    expect(await time.until(all)).toHaveLength(60);
    expect(time.clock.now() - NOW).toBeGreaterThanOrEqual(3_000);
  });
});

describe('with keys of the users', () => {
  const ana = { userId: 'ana', provider: 'tmdb' } as const;
  const events: McaEvent[] = [];
  const open = () =>
    createRegistry({
      providers: [tmdb()],
      ...memory(),
      insecurePlaintextForTests: true,
      onEvent: (event) => events.push(event),
    });

  test('a form; each looks things up with a key of their own, and a new one takes the place of the old', async () => {
    const server = serve();
    const registry = open();
    const fill = async (apiKey: string) => {
      const form = await beginConnect(registry, ana);
      if (form.step !== 'form') throw new Error('There is a form.');
      expect(form.fields).toMatchObject([{ name: 'apiKey', secret: true, kind: 'password' }]);
      return continueConnect(registry, { ...ana, state: form.state, fields: { apiKey } });
    };
    const first = await fill(KEY);
    expect(first).toMatchObject({ step: 'connected', isNew: true });
    const handle = await userProvider(registry, ana);
    expect(await handle?.catalog.details('movie:296')).toMatchObject({ title: 'Example Movie' });
    expect(server.calls.at(-1)?.query.api_key).toBe(KEY);
    expect(await fill(READ_TOKEN)).toMatchObject({ step: 'connected', isNew: false });
    await handle?.catalog.details('movie:296');
    expect(server.calls.at(-1)).toMatchObject({ authorization: `Bearer ${READ_TOKEN}` });
    const connectionId = 'connection' in first ? first.connection.id : '';
    expect(await connectionStatus(registry, { userId: 'ana', connectionId, check: true })).toMatchObject({
      connection: { status: 'active' },
    });
    expect(inspect(events, { depth: 10 })).not.toMatch(new RegExp(`${KEY}|${READ_TOKEN}`));
  });

  test.each([
    ['0'.repeat(32), { code: 'auth_expired', reason: 'rejected' }],
    ['my key', { code: 'invalid_data', reason: 'malformed_key' }],
  ])('%s is refused, and nothing is stored', async (apiKey, expected) => {
    serve();
    const registry = open();
    const asked = addConnection(registry, { ...ana, credentials: { fields: { apiKey } } });
    await expect(asked).rejects.toMatchObject(expected);
    expect(await userProvider(registry, ana)).toBeUndefined();
  });

  test('without a key there is nothing to connect with', async () => {
    await expect(addConnection(open(), ana)).rejects.toMatchObject({ reason: 'unfit_credentials' });
  });
});
