import type { ConnectState, CredentialStore, Storage, SyncLogEntry } from '@mca/core/adapter-kit';
import type { MemoryAdapter } from '@mca/core/adapters/memory';

/** Makes of an adapter one that breaks something. */
export type Mutant = (adapter: MemoryAdapter) => MemoryAdapter;

/** A storage with some verbs of its own. */
export const storageMutant =
  (mutate: (storage: Storage) => Partial<Storage>): Mutant =>
  ({ storage, credentials }) => ({ storage: { ...storage, ...mutate(storage) }, credentials });

/** A credential store with some verbs of its own. */
export const credentialMutant =
  (mutate: (credentials: CredentialStore) => Partial<CredentialStore>): Mutant =>
  ({ storage, credentials }) => ({ storage, credentials: { ...credentials, ...mutate(credentials) } });

/** A log beside the store, newest first, cut in its own way; nobody erases it. */
export const logApart = (cut: (entries: readonly SyncLogEntry[]) => readonly SyncLogEntry[]): Mutant =>
  storageMutant((storage) => {
    let log: readonly SyncLogEntry[] = [];
    return {
      async concludeSync(conclusion) {
        await storage.concludeSync(conclusion);
        log = cut([conclusion.log, ...log]);
      },
      async listSyncLog({ connectionId, capability = '', limit }) {
        const asked = log.filter((entry) => entry.connectionId === connectionId);
        return asked.filter((entry) => entry.capability.startsWith(capability)).slice(0, limit);
      },
    };
  });

/** Connect flows beside the store, which nobody purges or erases. */
export const statesApart = storageMutant((storage) => {
  const states = new Map<string, ConnectState>();
  return {
    async putConnectState(state) {
      states.set(state.hash, state);
    },
    async takeConnectState(hash) {
      const state = states.get(hash);
      states.delete(hash);
      const lease = await storage.acquireLease({ resource: 'import:clock', owner: 'mutant', ttlMs: 0 });
      return state && lease && state.expiresAt > lease.expiresAt ? state : undefined;
    },
  };
});

/** Erasing takes the connect flows of everybody, whatever is erased. */
export const eraseAllStates = storageMutant((storage) => {
  const hashes: string[] = [];
  return {
    async putConnectState(state) {
      hashes.push(state.hash);
      await storage.putConnectState(state);
    },
    async erase(scope) {
      for (const hash of hashes) await storage.takeConnectState(hash);
      return storage.erase(scope);
    },
  };
});

/** Cursors beside the store: all of them, and nobody erases them. */
export const cursorsApart = storageMutant((storage) => {
  const cursors = new Map<string, Awaited<ReturnType<Storage['readCursors']>>>();
  return {
    async commitPage(page) {
      const result = await storage.commitPage(page);
      const key = `${page.connectionId} ${page.cursor?.capability}`;
      if (page.cursor) cursors.set(key, [page.cursor.value, ...(cursors.get(key) ?? [])]);
      return result;
    },
    readCursors: async (id, capability) => cursors.get(`${id} ${capability}`) ?? [],
  };
});
