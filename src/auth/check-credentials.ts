import type { SealedCredential } from '../contracts/credential-store.ts';
import { McaError } from '../contracts/errors.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { sealerOf, vaultOf } from './vault.ts';

/**
 * Opens one stored credential, or where there is none yet seals a trial key and opens it again: a store that answers and
 * a key that fits.
 *
 * @throws McaError as the store, the key provider or what is sealed makes it fail
 */
export async function checkCredentials(registry: AnyRegistry): Promise<void> {
  const [stored] = (await registry.credentials?.list({ limit: 1 })) ?? [];
  if (stored && (await openStored(registry, stored))) return;
  const { keys, random } = sealerOf(registry);
  const keyId = await keys.primaryKeyId();
  const [trial, context] = [random.bytes(32), new TextEncoder().encode('mca health')];
  const opened = await keys.unwrap(keyId, await keys.wrap(keyId, trial, context), context);
  if (opened.length !== trial.length || !opened.every((byte, index) => byte === trial[index])) {
    throw new McaError({
      code: 'configuration',
      reason: 'key_mismatch',
      message: 'The key provider does not open what it sealed.',
    });
  }
}

/** `false` when nobody knows whose it is: its connection was erased a moment ago. */
async function openStored(registry: AnyRegistry, { connectionId }: SealedCredential): Promise<boolean> {
  const [connection] = await registry.storage.listConnections({ id: connectionId });
  return connection !== undefined && (await vaultOf(registry).read(connection)) !== undefined;
}
