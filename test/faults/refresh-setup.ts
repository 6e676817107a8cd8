import { type Clock, type Connection, createRegistry, type Env } from '@mca/core';
import { keyRing } from '../../src/auth/key-ring.ts';
import { Secret } from '../../src/auth/secret.ts';
import { vaultOf } from '../../src/auth/vault.ts';
import type { AnyProvider } from '../../src/contracts/provider.ts';
import type { AnyRegistry } from '../../src/registry/create-registry.ts';
import { openFaultStore } from '../support/fault-store.ts';

/** Keys of all processes of these tests. They seal nothing but tokens of a fake service. */
export const KEYS = { k1: btoa('11111111111111111111111111111111'), k2: btoa('22222222222222222222222222222222') };

/** How one process of a test is set up. */
export interface ProcessOptions {
  /** The store. */
  readonly where: string;
  /** Of the fake service. */
  readonly origin: string;
  readonly primary: 'k1' | 'k2';
  /** The other key is gone. */
  readonly onlyPrimary?: boolean | undefined;
  /** Time runs so many times faster, from an instant that all processes share. */
  readonly speed?: number | undefined;
  readonly since?: number | undefined;
  /** Name told to the service in a header. */
  readonly name?: string | undefined;
  /** Takes every lease for granted. */
  readonly unlocked?: boolean | undefined;
  readonly lease?: { readonly ttlMs: number; readonly renewMs: number } | undefined;
}

/** A registry over a store, with one provider whose service listens on the loopback address. */
export async function openProcess(options: ProcessOptions): Promise<AnyRegistry & { closeStore(): Promise<void> }> {
  const { where, origin, primary, speed = 1, since = 0, name = '' } = options;
  const provider: AnyProvider = {
    apiVersion: 1,
    id: 'fake',
    name: 'Fake',
    baseUrl: `${origin}/`,
    auth: [
      {
        type: 'oauth2',
        clientId: 'client',
        authorizationEndpoint: `${origin}/authorize`,
        tokenEndpoint: `${origin}/token`,
        scopes: [],
      },
    ],
    limits: [],
    policy: {},
    capabilities: {},
  };
  const clock: Clock = {
    now: () => Math.round(since + (Date.now() - since) * speed),
    monotonic: () => performance.now() * speed,
  };
  const env: Partial<Env> = {
    clock,
    timers: {
      after(ms, run) {
        const timer = setTimeout(run, ms / speed);
        return () => clearTimeout(timer);
      },
    },
    fetch: (input, init) => {
      const request = new Request(input, init);
      request.headers.set('x-process', name);
      return fetch(request);
    },
  };
  const { storage, credentials, close } = await openFaultStore(where, { synchronous: 'normal', clock });
  const keys = keyRing({ primary, keys: options.onlyPrimary ? { [primary]: KEYS[primary] } : KEYS });
  const registry = createRegistry({ providers: [provider], storage, credentials, keys, env });
  const { lease } = options;
  if (lease) registry.access.slot('refresh-lease', () => lease);
  return { ...(registry as AnyRegistry), closeStore: close };
}

/** The same quick time for the clock of a database, as SQL. */
export function quickTime({ since = 0, speed = 1 }: Pick<ProcessOptions, 'since' | 'speed'>): string {
  return `round(${since} + (extract(epoch FROM clock_timestamp()) * 1000 - ${since}) * ${speed})`;
}

/** A connection whose access token has ended. */
export async function storeEnded(
  registry: AnyRegistry,
  id: string,
  tokens: { readonly accessToken: string; readonly refreshToken: string },
): Promise<Connection> {
  const connection = await registry.storage.ensureConnection({
    id,
    userId: 'ana',
    provider: 'fake',
    kind: 'api',
    account: id,
  });
  const now = registry.env.clock.now();
  await vaultOf(registry).overwrite(connection, {
    kind: 'oauth',
    strategy: 'oauth2',
    accessToken: new Secret(tokens.accessToken),
    refreshToken: new Secret(tokens.refreshToken),
    expiresAt: now - 1,
    lifetimeMs: 3_600_000,
    scopes: [],
    authorizedAt: now,
  });
  return connection;
}
