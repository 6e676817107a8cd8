import { randomBytes } from 'node:crypto';
import { type Connection, createRegistry, type McaEvent } from '@mca/core';
import { type MemoryAdapter, memory } from '@mca/core/adapters/memory';
import {
  createFakeOAuthServer,
  type FakeClock,
  type FakeOAuthBehaviour,
  type FakeOAuthServer,
  fakeClock,
} from '@mca/core/testing';
import type { OAuthTokens, StoredCredentials } from '../../src/auth/credentials.ts';
import { keyRing } from '../../src/auth/key-ring.ts';
import { Secret } from '../../src/auth/secret.ts';
import { vaultOf } from '../../src/auth/vault.ts';
import type { AuthStrategy } from '../../src/contracts/auth.ts';
import type { CapabilityMap } from '../../src/contracts/capabilities/index.ts';
import type { Env } from '../../src/contracts/env.ts';
import type { KeyProvider } from '../../src/contracts/keys.ts';
import type { AnyProvider } from '../../src/contracts/provider.ts';
import type { AnyRegistry } from '../../src/registry/create-registry.ts';

export const START = Date.UTC(2026, 10, 21);

/** A schema that takes anything. */
export const anything = {
  '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) },
} as never;

/** A registry with one OAuth provider `fake`, its service in memory, and time that stands still. */
export interface AuthRig {
  readonly registry: AnyRegistry;
  readonly provider: AnyProvider;
  readonly oauth: FakeOAuthServer;
  readonly time: FakeClock;
  readonly events: McaEvent[];
  readonly adapter: MemoryAdapter;
  /** A connection of user `ana` with tokens the service just gave, changed as told. */
  connected(change?: Partial<OAuthTokens>): Promise<Connection>;
  stored(connection: Connection): Promise<OAuthTokens>;
}

export interface AuthRigOptions {
  readonly oauth?: Partial<FakeOAuthBehaviour>;
  readonly strategy?: Partial<Extract<AuthStrategy, { readonly type: 'oauth2' }>>;
  readonly auth?: (oauth: FakeOAuthServer) => readonly AuthStrategy[];
  readonly capabilities?: Partial<CapabilityMap>;
  readonly provider?: Partial<AnyProvider>;
  readonly env?: Partial<Env>;
  readonly keys?: KeyProvider;
  /** Another registry over what this rig keeps: a second process. */
  readonly beside?: AuthRig;
  readonly guardedFetch?: typeof fetch;
}

export function authRig(options: AuthRigOptions = {}): AuthRig {
  const time = options.beside?.time ?? fakeClock(START);
  const oauth = options.beside?.oauth ?? createFakeOAuthServer({ clock: time.clock, ...options.oauth });
  const adapter = options.beside?.adapter ?? memory({ clock: time.clock });
  const events: McaEvent[] = [];
  const { authorizationEndpoint, tokenEndpoint, revocationEndpoint, me } = oauth.endpoints();
  const strategy: AuthStrategy = {
    type: 'oauth2',
    clientId: 'client',
    authorizationEndpoint,
    tokenEndpoint,
    revocationEndpoint,
    scopes: ['read'],
    ...options.strategy,
  };
  const provider: AnyProvider = {
    apiVersion: 1,
    id: 'fake',
    name: 'Fake',
    baseUrl: 'https://oauth.test/',
    auth: options.auth?.(oauth) ?? [strategy],
    limits: [],
    policy: {},
    capabilities: {
      sessionCheck: {
        async check({ http }) {
          const user = (await http.request({ path: me, operation: 'me', schema: anything })) as {
            id: string;
            name: string;
          };
          return { valid: true, account: user.id, label: user.name };
        },
      },
      ...options.capabilities,
    },
    ...options.provider,
  };
  const registry = createRegistry({
    providers: [provider],
    ...adapter,
    keys: options.keys ?? testKeys(),
    env: { clock: time.clock, timers: time.timers, fetch: oauth.fetch, ...options.env },
    onEvent: (event) => events.push(event),
    ...(options.guardedFetch && { guardedFetch: options.guardedFetch }),
  }) as AnyRegistry;
  return {
    registry,
    provider,
    oauth,
    time,
    events,
    adapter,
    async connected(change = {}) {
      const { accessToken, refreshToken } = oauth.grant(['read']);
      const lifetimeMs = oauth.behaviour.accessLifetimeMs;
      return storeConnection(registry, {
        kind: 'oauth',
        strategy: 'oauth2',
        accessToken: new Secret(accessToken),
        refreshToken: new Secret(refreshToken),
        ...(lifetimeMs !== undefined && { lifetimeMs, expiresAt: time.clock.now() + lifetimeMs }),
        scopes: ['read'],
        authorizedAt: time.clock.now(),
        ...change,
      });
    },
    async stored(connection) {
      const opened = await vaultOf(registry).read(connection);
      if (opened?.credentials.kind !== 'oauth') throw new Error('No tokens are stored.');
      return opened.credentials;
    },
  };
}

let connections = 0;

/** A connection of user `ana` with these credentials. */
export async function storeConnection(registry: AnyRegistry, credentials: StoredCredentials): Promise<Connection> {
  connections += 1;
  const connection = await registry.storage.ensureConnection({
    id: `c${connections}`,
    userId: 'ana',
    provider: 'fake',
    kind: 'api',
    account: `account ${connections}`,
  });
  await vaultOf(registry).overwrite(connection, credentials);
  if (credentials.kind !== 'oauth') return connection;
  const { scopes, authorizedAt, authorizationExpiresAt } = credentials;
  const updated = await registry.storage.updateConnection(connection.id, {
    grantedScopes: scopes,
    authorizedAt: new Date(authorizedAt),
    ...(authorizationExpiresAt !== undefined && { authorizationExpiresAt: new Date(authorizationExpiresAt) }),
  });
  return updated ?? connection;
}

const KEY = randomBytes(32).toString('base64');

/** A key ring that all rigs of a run share, as processes of one host do. */
export function testKeys(): KeyProvider {
  return keyRing({ primary: 'k1', keys: { k1: KEY } });
}
