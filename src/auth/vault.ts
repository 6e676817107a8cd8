import type { Connection } from '../contracts/connection.ts';
import type { CredentialStore, SealedCredential } from '../contracts/credential-store.ts';
import { McaError } from '../contracts/errors.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { monotonicMs } from '../runtime/sleep.ts';
import { decodeCredentials, encodeCredentials, type StoredCredentials } from './credentials.ts';
import { DataKeys } from './data-keys.ts';
import { type Sealer, type SealPlace, seal, unseal } from './envelope.ts';
import { insecureKeyRing } from './key-ring.ts';

/** What of a connection decides where its secrets open. */
export type VaultPlace = Pick<Connection, 'id' | 'userId' | 'provider'>;

/** Opened credentials, and which version of what is stored they are. */
export interface Opened<Credentials extends StoredCredentials = StoredCredentials> {
  readonly credentials: Credentials;
  readonly version: number;
}

/** Credentials of connections: sealed before they reach the store, opened after they left it. */
export class Vault {
  readonly #store: CredentialStore;
  readonly #sealer: Sealer;

  constructor(store: CredentialStore, sealer: Sealer) {
    this.#store = store;
    this.#sealer = sealer;
  }

  /** What is stored, opened; `undefined` when nothing is. */
  async read(connection: VaultPlace): Promise<Opened | undefined> {
    const stored = await this.#store.get(connection.id);
    if (!stored) return undefined;
    const text = await unseal(this.#sealer, placeOf(connection), stored.sealed);
    return { credentials: decodeCredentials(text), version: stored.version };
  }

  /** Stores, unless somebody else stored since `expectedVersion` was read. Answers the new version, or `undefined`. */
  async write(
    connection: VaultPlace,
    credentials: StoredCredentials,
    expectedVersion: number | undefined,
  ): Promise<number | undefined> {
    const sealed = await seal(this.#sealer, placeOf(connection), encodeCredentials(credentials));
    return (await this.#store.put(connection.id, sealed, expectedVersion))?.version;
  }

  /** Stores whatever was there: the user just agreed anew, and that is newer than anything. */
  async overwrite(connection: VaultPlace, credentials: StoredCredentials): Promise<number> {
    for (;;) {
      const current = await this.#store.get(connection.id);
      const version = await this.write(connection, credentials, current?.version);
      if (version !== undefined) return version;
    }
  }

  /** Seals a stored credential again, with the key that is primary now. Answers whether nobody else was faster. */
  async reseal(connection: VaultPlace, stored: SealedCredential): Promise<boolean> {
    const text = await unseal(this.#sealer, placeOf(connection), stored.sealed);
    const sealed = await seal(this.#sealer, placeOf(connection), text);
    return (await this.#store.put(connection.id, sealed, stored.version)) !== undefined;
  }

  /** Forgets the secrets of a connection. */
  delete(connectionId: string): Promise<void> {
    return this.#store.delete(connectionId);
  }
}

/** What is opened is used for so long. A token that the service refuses is looked up again at once. */
const KEEP_MS = 30_000;

/** Credentials of one connection, opened once for many requests. */
export class KeptCredentials {
  readonly #registry: AnyRegistry;
  readonly #connection: VaultPlace;
  #opened: Opened | undefined;
  #until: number = Number.NEGATIVE_INFINITY;
  #epoch = 0;

  constructor(registry: AnyRegistry, connection: VaultPlace) {
    this.#registry = registry;
    this.#connection = connection;
  }

  /** What was read within the last 30 seconds. */
  get recent(): Opened | undefined {
    const isCurrent = this.#epoch === epochsOf(this.#registry).get(this.#connection.id);
    return isCurrent && monotonicMs(this.#registry.env.clock) < this.#until ? this.#opened : undefined;
  }

  /** What is stored now; `undefined` when nothing is. */
  async read(): Promise<Opened | undefined> {
    const readAt = monotonicMs(this.#registry.env.clock);
    this.#epoch = epochsOf(this.#registry).get(this.#connection.id);
    this.#opened = await vaultOf(this.#registry).read(this.#connection);
    this.#until = readAt + KEEP_MS;
    return this.#opened;
  }
}

/** Counts, for each connection, how often its credentials were replaced or deleted here. */
class Epochs {
  readonly #counts = new Map<string, number>();

  get(connectionId: string): number {
    return this.#counts.get(connectionId) ?? 0;
  }

  next(connectionId: string): void {
    this.#counts.set(connectionId, this.get(connectionId) + 1);
  }
}

function epochsOf(registry: AnyRegistry): Epochs {
  return registry.access.slot('credential-epochs', () => new Epochs());
}

/** What was opened of a connection serves nobody any more: its user connected it again, or let it go. */
export function forgetOpened(registry: AnyRegistry, connectionId: string): void {
  epochsOf(registry).next(connectionId);
}

/** Deletes the credentials of a connection; nothing that runs here goes on with them. */
export async function deleteCredentials(registry: AnyRegistry, connectionId: string): Promise<void> {
  forgetOpened(registry, connectionId);
  await registry.credentials?.delete(connectionId);
  // Whoever was reading at that moment.
  forgetOpened(registry, connectionId);
}

/** The vault of a registry. */
export function vaultOf(registry: AnyRegistry): Vault {
  return registry.access.slot('vault', () => {
    if (registry.credentials) return new Vault(registry.credentials, sealerOf(registry));
    throw new McaError({
      code: 'configuration',
      reason: 'no_credential_store',
      message: 'There is nowhere to keep credentials.',
      hint: 'Spread an adapter into the options: ...sqlite({ database }) or ...memory().',
    });
  });
}

/** What a registry seals with. */
export function sealerOf(registry: AnyRegistry): Sealer {
  return registry.access.slot('sealer', () => {
    const { env, access } = registry;
    const keys = access.keys ?? (access.insecurePlaintextForTests ? insecureKeyRing(env.random) : undefined);
    if (keys) return { keys, random: env.random, dataKeys: new DataKeys(env.clock) };
    throw new McaError({
      code: 'configuration',
      reason: 'no_keys',
      message: 'There is no key to seal credentials with.',
      hint: "Pass keys: keyRing({ primary: 'k1', keys: { k1: process.env.MCA_KEY } }); make one with: openssl rand -base64 32",
    });
  });
}

function placeOf({ id, userId, provider }: VaultPlace): SealPlace {
  return { userId, provider, connectionId: id, field: 'credentials' };
}
