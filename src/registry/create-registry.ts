import type { CapabilityMap, CapabilityName } from '../contracts/capabilities/index.ts';
import type { CredentialStore } from '../contracts/credential-store.ts';
import type { Env } from '../contracts/env.ts';
import { McaError } from '../contracts/errors.ts';
import type { McaEvent } from '../contracts/events.ts';
import type { AddedProviderId, AnyProvider } from '../contracts/provider.ts';
import type { Change, Storage } from '../contracts/storage/index.ts';
import { makeEnv } from '../runtime/env.ts';
import { checkProvider } from './check-provider.ts';

/** What a host puts together. */
export interface RegistryOptions<P extends readonly AnyProvider[]> {
  readonly providers: P;
  readonly storage: Storage;
  /** Needed only by providers whose users log in. */
  readonly credentials?: CredentialStore | undefined;
  /** Time, randomness and logging. @default the machine's clock and randomness, no log */
  readonly env?: Partial<Env> | undefined;
  /** Hears what happens, in order, right after it happened. Must not throw; if it does it is told so once. */
  readonly onEvent?: ((event: McaEvent) => void) | undefined;
  /**
   * Receives what was just stored, at least once, after each committed page. For a durable record of all changes
   * read `readChanges`: a hook does not run again after a crash.
   */
  readonly onItems?: ((changes: readonly Change[]) => void | Promise<void>) | undefined;
}

/** The only object a host holds. Engines are functions over it. */
export interface Registry<P extends readonly AnyProvider[] = readonly AnyProvider[]> {
  /** The provider with this id, with exactly its capabilities. Throws `not_found` for an unknown one. */
  get<Id extends P[number]['id']>(id: Id): Extract<P[number], { readonly id: Id }>;
  /** A provider added at run time. */
  get(id: AddedProviderId): AnyProvider;
  /** Registers another provider at run time; the answer is its id, accepted by every engine. */
  add(provider: AnyProvider): AddedProviderId;
  /** Takes a provider out. What it brought stays stored. */
  remove(id: P[number]['id'] | AddedProviderId): boolean;
  /** All providers, in order of registration. */
  list(): readonly AnyProvider[];
  /** Providers that can do something. */
  withCapability(name: CapabilityName): readonly AnyProvider[];
  readonly storage: Storage;
  readonly credentials: CredentialStore | undefined;
  readonly env: Env;
  /** Migrates the storage once; every engine waits for it. */
  ready(): Promise<void>;
  /** @internal for engines */
  readonly hooks: Pick<RegistryOptions<P>, 'onItems'>;
  /** @internal for engines */
  emit(event: McaEvent): void;
}

/** A registry of which only the machinery matters; every registry fits. */
export type AnyRegistry = Omit<Registry, 'get' | 'remove' | 'hooks'> & {
  /** @internal for engines */
  readonly hooks: { readonly onItems?: RegistryOptions<readonly AnyProvider[]>['onItems'] };
};

/**
 * Puts providers, storage and hooks together.
 *
 * @throws McaError `configuration` when a provider cannot work; see its `reason` and `hint`
 * @example
 * ```ts
 * import { DatabaseSync } from 'node:sqlite';
 * import { createRegistry, importFile } from '@mca/core';
 * import { sqlite } from '@mca/core/adapters/sqlite';
 * import { netflix } from '@mca/core/providers/netflix';
 * import { spotify } from '@mca/core/providers/spotify';
 *
 * const registry = createRegistry({
 *   providers: [spotify(), netflix()],
 *   ...sqlite({ database: new DatabaseSync('history.db') }),
 * });
 * const report = await importFile(registry, { userId: 'ana', file: 'my_spotify_data.zip' });
 * ```
 */
export function createRegistry<const P extends readonly AnyProvider[]>(options: RegistryOptions<P>): Registry<P> {
  const providers = new Map<string, AnyProvider>();
  const env = makeEnv(options.env ?? {});
  let migrated: Promise<void> | undefined;

  function add(provider: AnyProvider): AddedProviderId {
    checkProvider(provider, providers);
    providers.set(provider.id, provider);
    return provider.id as AddedProviderId;
  }
  for (const provider of options.providers) add(provider);
  if (typeof options.storage?.commitPage !== 'function') {
    throw new McaError({
      code: 'configuration',
      reason: 'no_storage',
      message: 'There is nowhere to store anything.',
      hint: 'Spread an adapter into the options: ...sqlite({ database }) or ...memory().',
    });
  }

  function emit(event: McaEvent): void {
    try {
      options.onEvent?.(event);
    } catch (error) {
      env.logger.error('onEvent threw', {
        event: event.type,
        message: error instanceof Error ? error.message : String(error),
      });
    }
  }

  return {
    storage: options.storage,
    credentials: options.credentials,
    env,
    hooks: { onItems: options.onItems },
    emit,
    add,
    // One implementation for both overloads: the ids are strings either way.
    get: ((id: string) => findProvider(providers, id)) as Registry<P>['get'],
    remove: (id) => providers.delete(id),
    list: () => [...providers.values()],
    withCapability: (name) => [...providers.values()].filter((provider) => provider.capabilities[name] !== undefined),
    ready() {
      // A failed migration must not be remembered: the next call tries again.
      migrated ??= options.storage.migrate().catch((error: unknown) => {
        migrated = undefined;
        throw error;
      });
      return migrated;
    },
  };
}

function findProvider(providers: ReadonlyMap<string, AnyProvider>, id: string): AnyProvider {
  const provider = providers.get(id);
  if (provider) return provider;
  throw new McaError({
    code: 'not_found',
    reason: 'unknown_provider',
    provider: id,
    message: `No provider "${id}" is registered.`,
    hint: `Registered are: ${[...providers.keys()].join(', ') || 'none'}.`,
  });
}

/**
 * The capability of a registered provider.
 *
 * @throws McaError `not_found` for an unknown provider, `unsupported` when it cannot do this
 */
export function capabilityOf<Name extends CapabilityName>(
  registry: AnyRegistry,
  id: string,
  name: Name,
): CapabilityMap[Name] {
  const provider = findProvider(new Map(registry.list().map((each) => [each.id, each])), id);
  const capability: CapabilityMap[Name] | undefined = provider.capabilities[name];
  if (capability) return capability;
  throw new McaError({
    code: 'unsupported',
    reason: 'missing_capability',
    provider: id,
    message: `${provider.name} has no capability "${name}".`,
    hint: `It can do: ${Object.keys(provider.capabilities).join(', ')}.`,
  });
}
