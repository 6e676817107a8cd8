import type { CapabilityMap, CapabilityName } from '../contracts/capabilities/index.ts';
import type { CredentialStore } from '../contracts/credential-store.ts';
import type { Env, Fetch } from '../contracts/env.ts';
import { McaError } from '../contracts/errors.ts';
import type { McaEvent } from '../contracts/events.ts';
import type { KeyProvider } from '../contracts/keys.ts';
import type { AddedProviderId, AnyProvider } from '../contracts/provider.ts';
import type { RateLimiterFactory } from '../contracts/rate-limiter.ts';
import type { Change, Storage } from '../contracts/storage/index.ts';
import { makeEnv } from '../runtime/env.ts';
import { checkProvider } from './check-provider.ts';
import { findProvider } from './find-provider.ts';

/** What a host puts together. */
export interface RegistryOptions<P extends readonly AnyProvider[]> {
  readonly providers: P;
  readonly storage: Storage;
  /** Needed only by providers whose users log in. */
  readonly credentials?: CredentialStore | undefined;
  /**
   * Keys that seal the credentials: `keyRing({ primary: 'k1', keys: { k1: process.env.MCA_KEY } })`. Required as soon as
   * a provider logs in.
   */
  readonly keys?: KeyProvider | undefined;
  /** Seals credentials with a key that everybody knows. For tests and throw-away demos; never with real accounts. */
  readonly insecurePlaintextForTests?: boolean | undefined;
  /**
   * Reaches servers whose address a user typed in, without being led into the host's own network: spread
   * `...guardedNetwork()` of `@mca/core/adapters/guarded-network` into the options. @default such connections are refused
   */
  readonly guardedFetch?: Fetch | undefined;
  /** Makes rate limiters. @default in-process, by Bottleneck */
  readonly limiter?: RateLimiterFactory | undefined;
  /** Time, randomness, waiting, fetch and logging. @default the machine's own, no log */
  readonly env?: Partial<Env> | undefined;
  /** Hears what happens, in order, right after it happened. Must not throw; if it does it is told so once. */
  readonly onEvent?: ((event: McaEvent) => void) | undefined;
  /**
   * Receives what was just stored, at least once, after each committed page. For a durable record of all changes
   * read `readChanges`: a hook does not run again after a crash.
   */
  readonly onItems?: ((changes: readonly Change[]) => void | Promise<void>) | undefined;
}

/** A registry of which only the machinery matters; every {@link Registry} fits. */
export interface AnyRegistry {
  /** Registers another provider at run time; the answer is its id, accepted by every engine. */
  add(provider: AnyProvider): AddedProviderId;
  /** All providers, in order of registration. */
  list(): readonly AnyProvider[];
  /** Providers that can do something. */
  withCapability(name: CapabilityName): readonly AnyProvider[];
  readonly storage: Storage;
  readonly credentials: CredentialStore | undefined;
  readonly env: Env;
  /** Migrates the storage once; every engine waits for it. */
  ready(): Promise<void>;
  /**
   * Ends what is under way: waits are cut short, requests aborted, pages that are being committed finish. Afterwards
   * nothing of the SDK keeps the process alive. The adapters' databases stay open: they are yours.
   */
  close(): Promise<void>;
  /** The same as `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
  // Left out of the published types (`stripInternal`).
  /** @internal for engines */
  readonly hooks: Pick<RegistryOptions<readonly AnyProvider[]>, 'onItems'>;
  /** @internal for engines */
  readonly access: RegistryAccess;
  /** @internal for engines */
  emit(event: McaEvent): void;
}

/** The only object a host holds. Engines are functions over it. */
export interface Registry<P extends readonly AnyProvider[] = readonly AnyProvider[]> extends AnyRegistry {
  /** The provider with this id, with exactly its capabilities. Throws `not_found` for an unknown one. */
  get<Id extends P[number]['id']>(id: Id): Extract<P[number], { readonly id: Id }>;
  /** A provider added at run time. */
  get(id: AddedProviderId): AnyProvider;
  /** Takes a provider out. What it brought stays stored. */
  remove(id: P[number]['id'] | AddedProviderId): boolean;
}

/** @internal What engines share through the registry, so that nothing lives at module level. */
export interface RegistryAccess extends Pick<RegistryOptions<[]>, 'keys' | 'guardedFetch' | 'limiter'> {
  readonly insecurePlaintextForTests: boolean;
  /** Fires when the registry closes. */
  readonly closing: AbortSignal;
  /** State of an engine, made when first asked for. */
  slot<State>(name: string, make: () => State): State;
  /** Work that `close` waits for. */
  track<Result>(work: Promise<Result>): Promise<Result>;
}

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
  const { access, close } = makeAccess(options);
  let migrated: Promise<void> | undefined;

  function add(provider: AnyProvider): AddedProviderId {
    checkProvider(provider, providers);
    checkKeys(provider, options);
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
    access,
    emit,
    add,
    close,
    [Symbol.asyncDispose]: close,
    // One implementation for both overloads: the ids are strings either way.
    get: ((id: string) => findProvider([...providers.values()], id)) as Registry<P>['get'],
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

function makeAccess(options: RegistryOptions<readonly AnyProvider[]>): {
  readonly access: RegistryAccess;
  close(): Promise<void>;
} {
  const slots = new Map<string, unknown>();
  const running = new Set<Promise<unknown>>();
  const controller = new AbortController();
  const { keys, guardedFetch, limiter, insecurePlaintextForTests = false } = options;
  const access: RegistryAccess = {
    keys,
    guardedFetch,
    limiter,
    insecurePlaintextForTests,
    closing: controller.signal,
    slot<State>(name: string, make: () => State): State {
      if (!slots.has(name)) slots.set(name, make());
      return slots.get(name) as State;
    },
    track(work) {
      running.add(work);
      // Both ways out: a failure is its caller's to handle, here it only ends the waiting.
      const done = () => running.delete(work);
      work.then(done, done);
      return work;
    },
  };
  return {
    access,
    async close() {
      controller.abort(new McaError({ code: 'cancelled', reason: 'closed', message: 'The registry was closed.' }));
      await Promise.allSettled(running);
    },
  };
}

/** A provider that logs in needs somewhere to keep credentials, and keys to seal them with: said at once, not at night. */
function checkKeys(provider: AnyProvider, options: RegistryOptions<readonly AnyProvider[]>): void {
  const keepsSecrets = provider.auth.some(({ type }) => type !== 'file-import' && type !== 'none');
  if (!keepsSecrets) return;
  if (!options.credentials) {
    throw new McaError({
      code: 'configuration',
      reason: 'no_credential_store',
      provider: provider.id,
      message: `${provider.name} logs users in, and there is nowhere to keep credentials.`,
      hint: 'Spread an adapter into the options: ...sqlite({ database }) or ...memory().',
    });
  }
  if (options.keys || options.insecurePlaintextForTests) return;
  throw new McaError({
    code: 'configuration',
    reason: 'no_keys',
    provider: provider.id,
    message: `${provider.name} logs users in, and there is no key to seal their credentials with.`,
    hint: "Pass keys: keyRing({ primary: 'k1', keys: { k1: process.env.MCA_KEY } }); make one with: openssl rand -base64 32",
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
  const provider = findProvider(registry.list(), id);
  const capability: CapabilityMap[Name] | undefined = provider.capabilities[name];
  if (capability) return capability;
  throw new McaError({
    code: 'unsupported',
    reason: 'missing_capability',
    provider: id,
    message: `${provider.name} has no capability "${name}".`,
    hint: `It can do: ${Object.keys(provider.capabilities).join(', ')}. More may need a client id.`,
  });
}
