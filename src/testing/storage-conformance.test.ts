import { readFileSync } from 'node:fs';
import { type CredentialStore, type ImportRecord, McaError, type Storage } from '@mca/core/adapter-kit';
import { type MemoryAdapter, memory } from '@mca/core/adapters/memory';
import { describe, expect, test } from 'vitest';
import { credentialConformance, type OpenStorage, storageConformance } from './storage-conformance.ts';

type Mutant = (adapter: MemoryAdapter) => MemoryAdapter;

const storageMutant =
  (mutate: (storage: Storage) => Partial<Storage>): Mutant =>
  ({ storage, credentials }) => ({ storage: { ...storage, ...mutate(storage) }, credentials });

const credentialMutant =
  (mutate: (credentials: CredentialStore) => Partial<CredentialStore>): Mutant =>
  ({ storage, credentials }) => ({ storage, credentials: { ...credentials, ...mutate(credentials) } });

/** Commits under a lease of its own making, whatever the page's. */
const commitUnfenced =
  (storage: Storage): Storage['commitPage'] =>
  async (page) => {
    const lease = await storage.acquireLease({ resource: 'mutant', owner: 'mutant', ttlMs: 1 });
    return storage.commitPage({ ...page, lease: lease ?? page.lease });
  };

const putBlindly = credentialMutant((credentials) => ({
  put: async (id, sealed) => credentials.put(id, sealed, (await credentials.get(id))?.version),
}));

/** For every promise an adapter that breaks it, and as little else as possible. */
const MUTANTS: Readonly<Record<string, Mutant>> = {
  'STORE-1': storageMutant((storage) => ({ migrate: async () => void (await storage.erase({ userId: 'ada' })) })),
  'LEASE-1': storageMutant((storage) => ({ acquireLease: (r) => storage.acquireLease({ ...r, owner: 'anybody' }) })),
  'LEASE-2': storageMutant((storage) => ({ acquireLease: (r) => storage.acquireLease({ ...r, ttlMs: 1e12 }) })),
  'LEASE-3': storageMutant(() => ({ renewLease: async (l, ttlMs) => ({ ...l, expiresAt: l.expiresAt + ttlMs }) })),
  'LEASE-4': storageMutant((storage) => {
    let last: Awaited<ReturnType<Storage['acquireLease']>>;
    return {
      acquireLease: async (request) => {
        const lease = await storage.acquireLease(request);
        last = lease ?? last;
        return lease;
      },
      releaseLease: async () => void (last && (await storage.releaseLease(last))),
    };
  }),
  'LEASE-5': storageMutant(() => ({ releaseLease: async () => {} })),
  'CONN-1': storageMutant((storage) => {
    let made = 0;
    return { ensureConnection: (r) => storage.ensureConnection({ ...r, account: `${r.account}${made++}` }) };
  }),
  'CONN-2': storageMutant((storage) => ({
    updateConnection: (id, patch) => storage.updateConnection(id, { grantedScopes: [], ...patch }),
  })),
  'CONN-3': storageMutant((storage) => ({
    listConnections: async (filter) => (await storage.listConnections(filter)).toReversed(),
  })),
  'CONN-4': storageMutant(() => ({ erase: async () => ({ items: 4 }) })),
  'CONN-5': storageMutant((storage) => ({ erase: ({ userId }) => storage.erase({ userId }) })),
  'PAGE-1': storageMutant((storage) => ({
    commitPage: async (page) => {
      await storage.commitPage({ ...page, items: [], import: undefined, parked: undefined });
      return storage.commitPage(page);
    },
  })),
  'PAGE-2': storageMutant((storage) => {
    let written = 0;
    return {
      commitPage: (page) =>
        storage.commitPage({
          ...page,
          items: page.items.map((item) => ({ ...item, externalId: `${item.externalId}${written++}` })),
        }),
    };
  }),
  'PAGE-3': storageMutant((storage) => ({ commitPage: commitUnfenced(storage) })),
  'PAGE-4': storageMutant((storage) => ({
    commitPage: (page) => storage.commitPage({ ...page, policy: page.policy === 'keep' ? 'longest' : page.policy }),
  })),
  'PAGE-5': storageMutant((storage) => ({
    commitPage: (page) => storage.commitPage({ ...page, policy: page.policy === 'longest' ? 'replace' : page.policy }),
  })),
  'PAGE-6': storageMutant((storage) => ({
    commitPage: (page) => storage.commitPage({ ...page, policy: page.policy === 'replace' ? 'longest' : page.policy }),
  })),
  'PAGE-7': storageMutant((storage) => ({
    commitPage: async (page) => ({ ...(await storage.commitPage(page)), unchanged: 0 }),
  })),
  'PAGE-8': storageMutant((storage) => ({
    commitPage: async (page) => {
      const result = await storage.commitPage(page);
      return { ...result, inserted: result.inserted + result.unchanged, unchanged: 0 };
    },
  })),
  'PAGE-9': storageMutant((storage) => ({
    commitPage: (page) =>
      storage.commitPage({
        ...page,
        items: page.items.map((item) => ({ ...item, title: item.title.trim().slice(0, 20) })),
      }),
  })),
  'PAGE-10': storageMutant(() => ({
    previewPage: async ({ items }) => ({ inserted: items.length, updated: 0, unchanged: 0 }),
  })),
  'PAGE-11': storageMutant((storage) => {
    const first = new Map<string, Awaited<ReturnType<Storage['readCursor']>>>();
    return {
      readCursor: async (id, capability) => {
        const cursor = first.get(id + capability) ?? (await storage.readCursor(id, capability));
        first.set(id + capability, cursor);
        return cursor;
      },
    };
  }),
  'IMPORT-1': storageMutant((storage) => ({
    commitPage: (page) =>
      storage.commitPage({ ...page, import: page.import && { ...page.import, read: page.import.read + 1 } }),
  })),
  'IMPORT-2': storageMutant(() => ({ undoImport: async () => ({ removed: 4 }) })),
  'IMPORT-3': storageMutant((storage) => ({
    undoImport: async (request) => ({ removed: Math.max(1, (await storage.undoImport(request)).removed) }),
  })),
  'IMPORT-4': storageMutant((storage) => ({
    commitPage: (page) =>
      storage.commitPage(page).catch((error: unknown) => {
        if (!McaError.isInstance(error) || error.reason !== 'lease_lost' || !page.import) throw error;
        return commitUnfenced(storage)({ ...page, import: { ...page.import, id: `${page.import.id} again` } });
      }),
  })),
  'IMPORT-5': storageMutant((storage) => {
    const asTold = new Map<string, ImportRecord>();
    return {
      // Remembers what imports said they cover, and says it again whatever was undone.
      async listImports(filter) {
        return (await storage.listImports(filter)).map((record) => ({ ...record, ...asTold.get(record.id) }));
      },
      async undoImport(request) {
        for (const record of await storage.listImports({ userId: request.userId })) {
          if (record.id !== request.importId) asTold.set(record.id, record);
        }
        return storage.undoImport(request);
      },
    };
  }),
  'READ-1': storageMutant((storage) => ({ queryItems: ({ tag: _, ...query }) => storage.queryItems(query) })),
  'READ-2': storageMutant((storage) => ({
    queryItems: (query) => storage.queryItems({ ...query, after: query.after && { ...query.after, externalId: '' } }),
  })),
  'READ-3': storageMutant((storage) => ({
    groups: (filter, request) => storage.groups({ ...filter, userId: 'ada' }, request),
  })),
  'READ-4': storageMutant((storage) => ({
    queryItems: (query) =>
      storage.queryItems({ ...query, hidden: query.hidden?.map((range) => ({ ...range, edges: [] })) }),
  })),
  'READ-5': storageMutant((storage) => ({
    timeline: (filter, buckets) =>
      storage.timeline(
        filter,
        buckets.map(({ from, to }) => ({ from, to, dayFrom: from, dayTo: to })),
      ),
  })),
  'READ-6': storageMutant((storage) => ({
    groups: (filter, request) => storage.groups(filter, { ...request, orderBy: 'items' }),
  })),
  'READ-7': storageMutant((storage) => ({
    queryItems: async ({ text, ...query }) =>
      (await storage.queryItems(query)).filter(({ title, creator }) =>
        `${title}\n${creator}`.toLowerCase().includes((text ?? '').toLowerCase()),
      ),
  })),
  'READ-8': storageMutant((storage) => ({
    changes: async (request) => (await storage.changes(request)).filter(({ type }) => type === 'stored'),
  })),
  'READ-9': storageMutant((storage) => ({ deleteItem: async (key) => (await storage.deleteItem(key)) || true })),
  'CRED-1': putBlindly,
  'CRED-2': putBlindly,
  'CRED-3': credentialMutant(() => ({ delete: async () => {} })),
  'CRED-4': credentialMutant((credentials) => ({
    list: async (request) => (await credentials.list(request)).slice(1),
  })),
};

function openMemory(mutate: Mutant = (adapter) => adapter): OpenStorage {
  return async () => {
    let now = 0;
    return {
      ...mutate(memory({ clock: { now: () => now } })),
      advance: (milliseconds) => {
        now += milliseconds;
      },
      close: async () => {},
    };
  };
}

function casesOf(open: OpenStorage, durable: boolean) {
  return [...storageConformance(open, { durable }), ...credentialConformance(open, { durable })];
}

/** Ids of the cases that fail. */
async function failuresOf(open: OpenStorage, ids: readonly string[], durable = false): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const { id, run } of casesOf(open, durable)) {
    if (ids.includes(id)) await run().catch(() => failed.push(id));
  }
  return failed;
}

const PROMISES = [
  'storage/index',
  'storage/lease',
  'storage/connections',
  'storage/pages',
  'storage/queries',
  'credential-store',
]
  .map((name) => readFileSync(new URL(`../contracts/${name}.ts`, import.meta.url), 'utf8'))
  .flatMap((text) => [...text.matchAll(/^ \* - `([A-Z]+-\d+)`/gm)].map(([, id = '']) => id));

describe('storage and credential conformance', () => {
  test('every promise of the contracts has a case, and every case a promise', () => {
    const ids = new Set(casesOf(openMemory(), true).map(({ id }) => id));
    expect(PROMISES.length).toBeGreaterThan(35);
    expect([...ids].sort()).toEqual([...PROMISES].sort());
  });

  for (const id of PROMISES.filter((promise) => !['STORE-2', 'STORE-3', 'CRED-5'].includes(promise))) {
    test(`${id} catches an adapter that breaks it`, async () => {
      const mutant = MUTANTS[id];
      if (!mutant) expect.unreachable(`there is no mutant for ${id}`);
      expect(await failuresOf(openMemory(mutant), [id])).not.toEqual([]);
    });
  }

  test('STORE-2 and CRED-5 catch an adapter that forgets, STORE-3 one that never fails', async () => {
    const ids = ['STORE-2', 'CRED-5', 'STORE-3'];
    const remembers: OpenStorage = async () => {
      const store = await openMemory()();
      return { ...store, reopen: async () => store };
    };
    const forgets: OpenStorage = async () => ({ ...(await openMemory()()), reopen: openMemory() });
    expect(await failuresOf(remembers, ids, true)).toEqual(['STORE-3']);
    expect([...(await failuresOf(forgets, ids, true))].sort()).toEqual([...ids].sort());
    expect([...(await failuresOf(openMemory(), ['STORE-2', 'CRED-5'], true))].sort()).toEqual(['CRED-5', 'STORE-2']);
  });
});
