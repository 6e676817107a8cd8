import { type CredentialStore, compareText, type SealedCredential } from '@mca/core/adapter-kit';

/** Sealed credentials in a map. */
export function credentialStore(): CredentialStore {
  const sealedById = new Map<string, SealedCredential>();
  // Versions never repeat, not even after a delete: a writer that slept through delete and put must still lose.
  let lastVersion = 0;
  return {
    apiVersion: 1,
    async get(connectionId) {
      return sealedById.get(connectionId);
    },
    async put(connectionId, sealed, expectedVersion) {
      if (sealedById.get(connectionId)?.version !== expectedVersion) return undefined;
      lastVersion += 1;
      sealedById.set(connectionId, { connectionId, version: lastVersion, sealed });
      return { version: lastVersion };
    },
    async delete(connectionId) {
      sealedById.delete(connectionId);
    },
    async list({ after, limit }) {
      return [...sealedById.values()]
        .filter(({ connectionId }) => after === undefined || compareText(connectionId, after) > 0)
        .sort((a, b) => compareText(a.connectionId, b.connectionId))
        .slice(0, limit);
    },
  };
}
