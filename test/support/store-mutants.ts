import { type ImportRecord, McaError, type Storage } from '@mca/core/adapter-kit';
import {
  credentialMutant,
  cursorsApart,
  eraseAllStates,
  logApart,
  type Mutant,
  statesApart,
  storageMutant,
} from './mutant.ts';

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

/** Patches go without a field. */
const forgetField = (field: string): Mutant =>
  storageMutant((storage) => ({
    updateConnection: (id, { [field as 'label']: _, ...patch }) => storage.updateConnection(id, patch),
  }));

/** For every promise about connections, pages, imports, reading and credentials adapters that break it, and as little else as possible. */
export const STORE_MUTANTS: Readonly<Record<string, Mutant | readonly Mutant[]>> = {
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
  'CONN-2': [
    storageMutant((storage) => ({
      updateConnection: (id, patch) => storage.updateConnection(id, { grantedScopes: [], ...patch }),
    })),
    ...['status', 'statusReason', 'label', 'settings', 'grantedScopes'].map(forgetField),
    ...['lastSyncAt', 'authorizedAt', 'authorizationExpiresAt'].map(forgetField),
    // Takes `null` for "not named".
    storageMutant((storage) => ({
      updateConnection(id, patch) {
        const named = Object.entries(patch).filter(([, value]) => value !== null);
        return storage.updateConnection(id, Object.fromEntries(named));
      },
    })),
  ],
  'CONN-3': storageMutant((storage) => ({
    listConnections: async (filter) => (await storage.listConnections(filter)).toReversed(),
  })),
  'CONN-4': [
    storageMutant(() => ({ erase: async () => ({ items: 4 }) })),
    logApart((entries) => entries),
    statesApart,
    cursorsApart,
    eraseAllStates,
    // Schedules that stay.
    storageMutant((storage) => {
      const schedules = new Map<string, Awaited<ReturnType<Storage['readSchedules']>>>();
      return {
        async putSchedule(schedule) {
          schedules.set(schedule.connectionId, [schedule]);
          await storage.putSchedule(schedule);
        },
        readSchedules: async (id) => schedules.get(id) ?? [],
      };
    }),
  ],
  'CONN-5': [
    storageMutant((storage) => ({ erase: ({ userId }) => storage.erase({ userId }) })),
    logApart((entries) => entries),
    eraseAllStates,
  ],
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
  // Whatever comes is a correction, whoever told it.
  'PAGE-13': storageMutant((storage) => ({
    commitPage: async (page) => {
      if (page.policy !== 'replace') return storage.commitPage(page);
      const { connectionId } = page;
      const [connection] = await storage.listConnections({ id: connectionId });
      const known = await storage.queryItems({ userId: connection?.userId ?? '', order: 'oldest', limit: 100 });
      const sourceOf = new Map(known.map((item) => [item.externalId, item.source]));
      const items = page.items.map((item) => ({ ...item, source: sourceOf.get(item.externalId) ?? item.source }));
      return storage.commitPage({ ...page, items });
    },
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
  'PAGE-11': [
    cursorsApart,
    storageMutant((storage) => ({
      readCursors: async (id, capability) => (await storage.readCursors(id, capability)).slice(0, 1),
    })),
    storageMutant((storage) => ({
      readCursors: async (id, capability) => (await storage.readCursors(id, capability)).toReversed(),
    })),
    storageMutant((storage) => ({ readCursors: (id) => storage.readCursors(id, 'history') })),
  ],
  'PAGE-12': [
    // Every attempt is a record of its own.
    storageMutant((storage) => {
      let parked = 0;
      return {
        commitPage: (page) =>
          storage.commitPage({
            ...page,
            parked: page.parked?.map((record) => ({ ...record, raw: record.raw + ' '.repeat(parked++) })),
          }),
        listParked: async (id) =>
          (await storage.listParked(id)).map((record) => ({ ...record, raw: record.raw.trimEnd() })),
      };
    }),
    // Compares a beginning only.
    storageMutant((storage) => ({
      commitPage: (page) =>
        storage.commitPage({
          ...page,
          parked: page.parked?.map((record) => ({ ...record, raw: record.raw.slice(0, 4_000) })),
        }),
    })),
    storageMutant((storage) => ({ commitPage: (page) => storage.commitPage({ ...page, unparked: undefined }) })),
    // Lets records go before it knows whether the page is stored.
    storageMutant((storage) => ({
      async commitPage(page) {
        await storage.commitPage({ ...page, items: [], parked: undefined });
        return storage.commitPage(page);
      },
    })),
    // Lets records of any connection go.
    storageMutant((storage) => ({
      async commitPage(page) {
        for (const { id } of await storage.listConnections({})) {
          const { lease, policy, unparked } = page;
          await storage.commitPage({ lease, connectionId: id, items: [], policy, unparked });
        }
        return storage.commitPage(page);
      },
    })),
  ],
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
