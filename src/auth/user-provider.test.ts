import { createRegistry } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { createFakeOAuthServer, fakeClock } from '@mca/core/testing';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { anything, START, testKeys } from '../../test/support/auth-rig.ts';
import { recordFigure } from '../../test/support/reliability.ts';
import type { IncrementalCapability } from '../contracts/capabilities/history.ts';
import type { ProviderContext, SessionCheck, SessionCheckCapability } from '../contracts/capabilities/index.ts';
import type { Provider } from '../contracts/provider.ts';
import { addConnection } from './add-connection.ts';
import { disconnect } from './disconnect.ts';
import { userProvider } from './user-provider.ts';

const oauth = createFakeOAuthServer();
const { me, ...endpoints } = oauth.endpoints();

interface Fake {
  readonly sessionCheck: SessionCheckCapability;
  readonly history: IncrementalCapability;
}

function fake(scopes: readonly string[] = ['read']): Provider<'fake', Fake> {
  return {
    apiVersion: 1,
    id: 'fake',
    name: 'Fake',
    baseUrl: 'https://oauth.test/',
    auth: [{ type: 'oauth2', clientId: 'client', ...endpoints, scopes: ['read'] }],
    limits: [],
    policy: {},
    capabilities: {
      sessionCheck: {
        async check({ http }: ProviderContext) {
          const user = (await http.request({ path: me, operation: 'me', schema: anything })) as { readonly id: string };
          return { valid: true, account: user.id };
        },
      },
      history: {
        sources: {},
        order: 'newest-first',
        backfill: false,
        scopes,
        fetchPage: async ({ account }, { limit }) => ({
          read: limit,
          items: [],
          skipped: {},
          rejected: [],
          cursor: account.id,
          hasMore: false,
        }),
        replay: (raw) => ({ items: [], rejected: [{ reason: 'x', message: String(raw), raw }] }),
      },
    },
  };
}

function open(scopes?: readonly string[]) {
  const time = fakeClock(START);
  return createRegistry({
    providers: [fake(scopes)],
    ...memory({ clock: time.clock }),
    keys: testKeys(),
    env: { fetch: oauth.fetch },
  });
}

describe('a provider that acts for one user', () => {
  test('D5 capabilities come bound to the user, typed by what the provider can do', async () => {
    const registry = open();
    const user = { userId: 'ana', provider: 'fake' } as const;
    expect(await userProvider(registry, user)).toBeUndefined();
    await addConnection(registry, { ...user, credentials: oauth.grant(['read']) });
    const provider = await userProvider(registry, user);
    if (!provider) throw new Error('The user is connected.');
    expectTypeOf(provider.sessionCheck.check).toEqualTypeOf<() => Promise<SessionCheck>>();
    expectTypeOf(provider.history.replay).toEqualTypeOf<IncrementalCapability['replay']>();
    expect(await provider.sessionCheck.check()).toEqual({ valid: true, account: 'ada' });
    const request = { cursor: undefined, since: undefined, until: undefined, highWater: undefined, limit: 7 };
    expect(await provider.history.fetchPage(request)).toMatchObject({ read: 7, cursor: 'ada' });
    expect(provider.history.replay('raw').rejected[0]?.message).toBe('raw');
    expect(provider.history.order).toBe('newest-first');
    expect(provider.connection).toMatchObject({ userId: 'ana', account: 'ada' });
    expect(await userProvider(registry, { ...user, userId: 'ben' })).toBeUndefined();
    // @ts-expect-error the provider has no playlists
    expect(provider.playlists).toBeUndefined();
  });

  test('of several accounts one has to be named', async () => {
    const registry = open();
    const user = { userId: 'ana', provider: 'fake' } as const;
    const ada = await addConnection(registry, { ...user, credentials: oauth.grant(['read']) });
    oauth.behaviour.account = 'bea';
    const bea = await addConnection(registry, { ...user, credentials: oauth.grant(['read']) });
    oauth.behaviour.account = 'ada';
    await expect(userProvider(registry, user)).rejects.toMatchObject({
      code: 'invalid_data',
      reason: 'ambiguous_connection',
    });
    for (const { id: connectionId, account } of [ada, bea])
      expect((await userProvider(registry, { ...user, connectionId }))?.connection.account).toBe(account);
    expect(await userProvider(registry, { ...user, connectionId: 'nothing' })).toBeUndefined();
    await disconnect(registry, { userId: 'ana', connectionId: bea.id });
    expect((await userProvider(registry, user))?.connection.id).toBe(ada.id);
  });

  test('R-018 scopes are asked for before the first call', async () => {
    const registry = open(['read', 'plays', 'likes']);
    const user = { userId: 'ana', provider: 'fake' } as const;
    await addConnection(registry, { ...user, credentials: oauth.grant(['read']) });
    const provider = await userProvider(registry, user);
    const before = oauth.calls.length;
    const request = { cursor: undefined, since: undefined, until: undefined, highWater: undefined, limit: 7 };
    const error = await provider?.history.fetchPage(request).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'permission_denied', reason: 'missing_scopes' });
    expect(String(error)).toContain('plays, likes');
    expect(oauth.calls).toHaveLength(before);
  });

  test('a handle notices that the user has disconnected meanwhile', async () => {
    const registry = open();
    const user = { userId: 'ana', provider: 'fake' } as const;
    const { id: connectionId } = await addConnection(registry, { ...user, credentials: oauth.grant(['read']) });
    const provider = await userProvider(registry, user);
    await disconnect(registry, { userId: 'ana', connectionId });
    await expect(provider?.sessionCheck.check()).rejects.toMatchObject({
      code: 'auth_expired',
      reason: 'not_connected',
    });
    expect(await userProvider(registry, user)).toBeUndefined();
  });

  test('R-026 without keys there is no registry for a provider that logs in', () => {
    const storage = memory();
    expect(() => createRegistry({ providers: [fake()], ...storage })).toThrowError(
      expect.objectContaining({ code: 'configuration', reason: 'no_keys' }),
    );
    expect(() => createRegistry({ providers: [fake()], storage: storage.storage, keys: testKeys() })).toThrowError(
      expect.objectContaining({ reason: 'no_credential_store' }),
    );
    createRegistry({ providers: [fake()], ...storage, insecurePlaintextForTests: true });
    recordFigure(
      'R-026',
      'no keys, or nowhere to keep credentials: construction fails; only the flag for tests lets it pass',
    );
  });

  test('credentials for tests are sealed all the same', async () => {
    const { storage, credentials } = memory();
    const registry = createRegistry({
      providers: [fake()],
      storage,
      credentials,
      insecurePlaintextForTests: true,
      env: { fetch: oauth.fetch },
    });
    const given = oauth.grant(['read']);
    const { id } = await addConnection(registry, { userId: 'ana', provider: 'fake', credentials: given });
    const { sealed = '' } = (await credentials.get(id)) ?? {};
    expect(sealed).toMatch(/^mca1\.insecure\./);
    expect(sealed).not.toContain(given.accessToken);
  });
});
