import { addConnection, type Cursor, createRegistry, streamHistory, syncDue, syncHistory } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { createFakeOAuthServer, FakeService, fakeClock, fakeProvider } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { DAY, HOUR, liveSetup, playsBefore, START, seededBytes, storedTitles } from '../../test/support/live-setup.ts';

/** One account connected by OAuth, and a credential store whose next writes may fail. */
async function oauthSetup() {
  const time = fakeClock(START);
  const oauth = createFakeOAuthServer({ clock: time.clock, accessLifetimeMs: HOUR });
  const service = new FakeService({
    now: () => time.clock.now(),
    authorise: (request) => oauth.requireToken(request)?.account,
  });
  const { storage, credentials } = memory({ clock: time.clock });
  const store = { failures: 0 };
  const put: typeof credentials.put = async (...args) => {
    store.failures -= 1;
    if (store.failures >= 0) throw new Error('the disk is full');
    return credentials.put(...args);
  };
  const told: string[] = [];
  const registry = createRegistry({
    providers: [
      fakeProvider({
        baseUrl: 'https://service.test/v1',
        auth: [{ type: 'oauth2', clientId: 'client', scopes: [], ...oauth.endpoints('https://oauth.test') }],
      }),
    ],
    storage,
    credentials: { ...credentials, put },
    insecurePlaintextForTests: true,
    env: {
      clock: time.clock,
      timers: time.timers,
      random: seededBytes(1),
      fetch: (input, init) => {
        const request = new Request(input, init);
        return request.url.includes('oauth.test') ? oauth.handle(request) : service.handle(request);
      },
    },
    onEvent: ({ type }) => told.push(type),
  });
  const request = { userId: 'ada', provider: 'fake' } as const;
  await time.until(addConnection(registry, { ...request, credentials: oauth.grant() }));
  return { time, service, registry, request, told, store };
}

describe('old history', () => {
  test('a damaged position half-way does not pass for the end', async () => {
    const { service, registry, sync } = await liveSetup({ service: { maxLimit: 10 } });
    service.add('ada', ...playsBefore(START - 30 * DAY, 200));
    expect(await sync({ maxPages: 8 })).toMatchObject({ hasMore: true });
    const { readCursors } = registry.storage;
    let isDamaged = true;
    Object.assign(registry.storage, {
      async readCursors(id: string, track: string) {
        const [newest, ...older] = await readCursors(id, track);
        const isBad = isDamaged && track === 'history:backfill' && newest !== undefined;
        return isBad ? ['damaged' as Cursor, ...older] : await readCursors(id, track);
      },
    });
    await sync({ maxPages: 8 });
    isDamaged = false;
    await sync();
    expect(await storedTitles(registry)).toHaveLength(200);
    expect(await sync()).toMatchObject({ hasMore: false, status: 'complete' });
  });

  test('a budget of one page gets there, one page at a time', async () => {
    const { service, registry, sync } = await liveSetup({ service: { maxLimit: 50 } });
    service.add('ada', ...playsBefore(START - 30 * DAY, 200));
    let report = await sync({ maxPages: 1 });
    for (let round = 0; report.hasMore; round += 1) {
      expect(round).toBeLessThan(10);
      report = await sync({ maxPages: 1 });
    }
    expect(await storedTitles(registry)).toHaveLength(200);
  });
});

test('a first sync of what is new stays one, also when it fails', async () => {
  const { service, registry, sync, time } = await liveSetup();
  service.add('ada', ...playsBefore(START, 30));
  service.intercept = () => Response.json({}, { status: 403 });
  expect((await sync({ firstSync: 'new' })).status).toBe('failed');
  service.intercept = undefined;
  await time.advance(2 * HOUR);
  await time.until(syncDue(registry));
  expect(await storedTitles(registry)).toEqual([]);
});

test('what the choice left out is not covered: an export of that time shows', async () => {
  const { service, registry, sync, connection } = await liveSetup();
  service.add('ada', ...playsBefore(START, 30));
  await sync({ firstSync: 'new' });
  const [cursor] = await registry.storage.readCursors(connection.id, 'history');
  const envelope = JSON.parse(Buffer.from(String(cursor), 'base64url').toString()) as { coverage?: unknown };
  expect(envelope.coverage).toBeUndefined();
});

test('an API that refuses what was renewed as well asks the user back in, once', async () => {
  const { time, service, registry, request, told } = await oauthSetup();
  service.intercept = () => Response.json({ error: 'no' }, { status: 401 });
  const report = await time.until(syncHistory(registry, request));
  expect(report.error?.code).toBe('auth_expired');
  expect(await time.until(syncHistory(registry, request))).toMatchObject({ status: 'skipped', reason: 'needs_reauth' });
  expect(told.filter((type) => type === 'reauth_required')).toHaveLength(1);
});

describe('syncDue', () => {
  test('a listener that throws is told so, and stops nobody', async () => {
    const { service, registry, time, events } = await liveSetup();
    service.add('ada', ...playsBefore(START, 3));
    const onReport = (): never => {
      throw new Error('mine');
    };
    expect(await time.until(syncDue(registry, { onReport }))).toMatchObject({ synced: 1 });
    expect(events).toContainEqual({ type: 'hook_failed', hook: 'onReport', message: 'mine' });
  });

  test('one sync that takes long does not hold up the others', async () => {
    const { service, registry, time } = await liveSetup({ provider: { intervalMs: HOUR } });
    const users = Array.from({ length: 30 }, (_, index) => `user-${index}`);
    for (const userId of users) {
      await time.until(
        addConnection(registry, { userId, provider: 'fake', credentials: { fields: { token: userId } } }),
      );
    }
    let isFirst = true;
    const { fetch } = service;
    Object.assign(registry.env, {
      fetch: async (...args: Parameters<typeof fetch>) => {
        if (isFirst) {
          isFirst = false;
          await new Promise<void>((later) => time.timers.after(15_000, later));
        }
        await new Promise<void>((later) => time.timers.after(5_000, later));
        return fetch(...args);
      },
    });
    const startedAt = time.clock.now();
    expect((await time.until(syncDue(registry, { concurrency: 4 }))).synced).toBe(31);
    expect(time.clock.now() - startedAt).toBeLessThan(180_000);
  });
});

test('a stream refuses a page that is mostly bad, as a sync does', async () => {
  const { service, registry, time } = await liveSetup();
  service.add('ada', ...playsBefore(START, 30).map((play) => ({ ...play, poison: true })));
  const stream = streamHistory(registry, { userId: 'ada', provider: 'fake' });
  await expect(time.until(stream.next())).rejects.toMatchObject({ code: 'invalid_data', reason: 'poisoned_page' });
});

test('a store that fails for a moment while new tokens come does not cost the account', async () => {
  const { time, registry, request, store } = await oauthSetup();
  await time.advance(2 * HOUR);
  store.failures = 3;
  expect((await time.until(syncHistory(registry, request))).status).toBe('complete');
  await time.advance(2 * HOUR);
  expect((await time.until(syncHistory(registry, request))).status).toBe('complete');
  store.failures = 100;
  await time.advance(2 * HOUR);
  const { error } = await time.until(syncHistory(registry, request));
  expect(error).toMatchObject({ code: 'storage', reason: 'credentials_not_stored' });
});

test('a parked record keeps no secret, and its texts as they are', async () => {
  const page = {
    read: 1,
    items: [],
    skipped: {},
    rejected: [
      { reason: 'odd', message: 'odd', raw: { access_token: 'canary', title: 'token: none', n: { apiKey: 'x' } } },
    ],
    cursor: '',
    hasMore: false,
  };
  const { sync, registry, connection } = await liveSetup({ provider: { history: { fetchPage: async () => page } } });
  await sync();
  const [parked] = await registry.storage.listParked(connection.id);
  expect(parked?.raw).toBe('{"access_token":"[redacted]","title":"token: none","n":{"apiKey":"[redacted]"}}');
});

test('a sync without the scopes it needs asks nothing of the service, and tells the host which', async () => {
  const { sync, service, events } = await liveSetup({ provider: { history: { scopes: ['plays', 'likes'] } } });
  const { error } = await sync();
  expect(error).toMatchObject({ code: 'permission_denied', reason: 'missing_scopes' });
  expect(service.ledger).toEqual([]);
  expect(events).toContainEqual(
    expect.objectContaining({ type: 'scopes_missing', capability: 'history', missing: ['plays', 'likes'] }),
  );
});
