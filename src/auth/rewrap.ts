import type { Connection } from '../contracts/connection.ts';
import type { SealedCredential } from '../contracts/credential-store.ts';
import { McaError } from '../contracts/errors.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { throwIfAborted } from '../runtime/sleep.ts';
import { keyIdOf } from './envelope.ts';
import { sealerOf, vaultOf } from './vault.ts';

const PAGE = 500;

/** What {@link rewrapCredentials} did so far. `read = rewrapped + current + gone + failed`. */
export interface RewrapReport {
  /** Credentials looked at. */
  readonly read: number;
  /** Sealed anew with the primary key. */
  readonly rewrapped: number;
  /** Sealed with it already. */
  readonly current: number;
  /** Deleted meanwhile, or of a connection that is gone. */
  readonly gone: number;
  /** Could not be opened; nothing was changed about them. `errors` says why. */
  readonly failed: number;
  /** The first hundred. */
  readonly errors: readonly { readonly connectionId: string; readonly reason: string }[];
}

/**
 * Seals all credentials with the primary key, so that older keys can be taken out. Run it again after an interruption:
 * what is done is passed over. It gives way to refreshes that happen meanwhile.
 *
 * @example
 * ```ts
 * const { failed } = await rewrapCredentials(registry, { onProgress: ({ read }) => console.log(read) });
 * if (failed === 0) console.log('The old key can go.');
 * ```
 */
export async function rewrapCredentials(
  registry: AnyRegistry,
  options: {
    readonly onProgress?: ((report: RewrapReport) => void) | undefined;
    readonly signal?: AbortSignal | undefined;
  } = {},
): Promise<RewrapReport> {
  await registry.ready();
  const signal = options.signal ?? new AbortController().signal;
  const primary = await sealerOf(registry).keys.primaryKeyId();
  const counts = { read: 0, rewrapped: 0, current: 0, gone: 0, failed: 0 };
  const errors: { connectionId: string; reason: string }[] = [];
  for (let after: string | undefined; ; ) {
    const page = (await registry.credentials?.list({ after, limit: PAGE })) ?? [];
    for (const stored of page) {
      throwIfAborted(signal);
      throwIfAborted(registry.access.closing);
      counts.read += 1;
      const outcome = await rewrap(registry, stored, primary);
      if (outcome === 'rewrapped' || outcome === 'current' || outcome === 'gone') {
        counts[outcome] += 1;
        continue;
      }
      counts.failed += 1;
      if (errors.length < 100) errors.push({ connectionId: stored.connectionId, reason: outcome.reason });
    }
    options.onProgress?.({ ...counts, errors: [...errors] });
    after = page.at(-1)?.connectionId;
    if (page.length < PAGE) return { ...counts, errors };
  }
}

async function rewrap(
  registry: AnyRegistry,
  listed: SealedCredential,
  primary: string,
): Promise<'rewrapped' | 'current' | 'gone' | { readonly reason: string }> {
  let connection: Connection | undefined;
  for (let stored: SealedCredential | undefined = listed; stored; ) {
    if (keyIdOf(stored.sealed) === primary) return stored === listed ? 'current' : 'rewrapped';
    connection ??= (await registry.storage.listConnections({ id: stored.connectionId }))[0];
    if (!connection) return 'gone';
    try {
      if (await vaultOf(registry).reseal(connection, stored)) return 'rewrapped';
    } catch (error) {
      // A key service that is away fails everything: better to stop than to count.
      if (!McaError.isInstance(error) || error.retryable) throw error;
      return { reason: error.reason ?? error.code };
    }
    // Somebody stored meanwhile, most likely with the primary key.
    stored = await registry.credentials?.get(listed.connectionId);
  }
  return 'gone';
}
