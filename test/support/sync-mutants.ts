import { type ConnectState, type DueSync, McaError, type SyncLogEntry } from '@mca/core/adapter-kit';
import { logApart, type Mutant, statesApart, storageMutant } from './mutant.ts';

/** For every promise about schedules, the sync log and connect flows adapters that break it, and as little else as possible. */
export const SYNC_MUTANTS: Readonly<Record<string, Mutant | readonly Mutant[]>> = {
  'SYNC-1': [
    storageMutant((storage) => ({
      listSyncLog: async (filter) => (await storage.listSyncLog(filter)).toReversed(),
    })),
    storageMutant((storage) => ({ listSyncLog: (filter) => storage.listSyncLog({ ...filter, limit: 100 }) })),
    storageMutant((storage) => ({
      listSyncLog: ({ connectionId, limit }) => storage.listSyncLog({ connectionId, limit }),
    })),
    ...(['gaps', 'counts', 'pages', 'error', 'startedAt', 'finishedAt', 'status'] as const).map((field) =>
      storageMutant((storage) => {
        let first: SyncLogEntry | undefined;
        return {
          concludeSync({ log, ...conclusion }) {
            first ??= log;
            return storage.concludeSync({ ...conclusion, log: { ...log, [field]: first[field] } });
          },
        };
      }),
    ),
  ],
  'SYNC-2': [logApart((entries) => entries), logApart((entries) => entries.slice(0, 100))],
  'SYNC-3': [
    storageMutant((storage) => ({
      async putSchedule(schedule) {
        const known = await storage.readSchedules(schedule.connectionId);
        if (!known.some(({ capability }) => capability === schedule.capability)) await storage.putSchedule(schedule);
      },
    })),
    storageMutant((storage) => ({
      putSchedule: (schedule) => storage.putSchedule({ ...schedule, blocked: false }),
    })),
    storageMutant((storage) => ({ putSchedule: (schedule) => storage.putSchedule({ ...schedule, failures: 0 }) })),
    storageMutant((storage) => ({ readSchedules: async (id) => (await storage.readSchedules(id)).toReversed() })),
    storageMutant((storage) => ({ readSchedules: async (id) => (await storage.readSchedules(id)).slice(0, 1) })),
  ],
  'SYNC-4': [
    storageMutant((storage) => ({
      claimDueConnections: async (request) => (await storage.claimDueConnections(request)).toReversed(),
    })),
    storageMutant((storage) => ({
      claimDueConnections: (request) =>
        storage.claimDueConnections({ ...request, providers: ['spotify', 'youtube', 'netflix'] }),
    })),
    storageMutant((storage) => ({
      claimDueConnections: (request) => storage.claimDueConnections({ ...request, limit: 1_000 }),
    })),
    // Every connection is as good as an active one.
    storageMutant((storage) => ({
      updateConnection: (id, { status: _, ...patch }) => storage.updateConnection(id, patch),
    })),
    // The limit counts what may not be claimed.
    storageMutant((storage) => ({
      async claimDueConnections({ providers, ...request }) {
        const due = await storage.claimDueConnections({ ...request, providers: ['spotify', 'youtube', 'netflix'] });
        return due.filter(({ connection }) => providers.includes(connection.provider));
      },
    })),
    // What is due now is not due yet.
    storageMutant((storage) => ({
      putSchedule: (schedule) => storage.putSchedule({ ...schedule, dueAt: schedule.dueAt + 1 }),
    })),
  ],
  'SYNC-5': [
    // Hands out without claiming.
    storageMutant((storage) => ({
      async claimDueConnections(request) {
        const due = await storage.claimDueConnections(request);
        for (const { lease } of due) await storage.releaseLease(lease);
        return due;
      },
    })),
    storageMutant((storage) => ({
      claimDueConnections: (request) => storage.claimDueConnections({ ...request, ttlMs: 1e12 }),
    })),
    // Looks first and claims later.
    storageMutant((storage) => ({
      async claimDueConnections(request) {
        const due = await storage.claimDueConnections({ ...request, ttlMs: 0 });
        await new Promise((resolve) => setTimeout(resolve));
        await storage.claimDueConnections(request);
        return due;
      },
    })),
    // Claims what is somebody's already: a lease that is not its own making does not count.
    storageMutant((storage) => ({ acquireLease: (request) => storage.acquireLease({ ...request, ttlMs: 0 }) })),
    // Leases in the name of nobody.
    storageMutant((storage) => ({
      claimDueConnections: (request) => storage.claimDueConnections({ ...request, owner: 'nobody' }),
    })),
    // Gives whoever asks again the same once more.
    storageMutant((storage) => {
      let mine: readonly DueSync[] = [];
      return {
        async claimDueConnections(request) {
          const due = await storage.claimDueConnections(request);
          const again = mine.filter(({ lease }) => lease.owner === request.owner && due.length === 0);
          mine = due;
          return [...due, ...again];
        },
      };
    }),
  ],
  'SYNC-6': [
    // A wait binds the capability that was told to, and no other.
    storageMutant((storage) => ({
      putSchedule: (schedule) => storage.putSchedule({ ...schedule, blocked: false }),
    })),
    // Every plan ahead counts as a wait.
    storageMutant((storage) => ({
      putSchedule: (schedule) => storage.putSchedule({ ...schedule, blocked: true }),
    })),
  ],
  'SYNC-7': [
    // The end is written, and the lease kept.
    storageMutant((storage) => ({
      async concludeSync(conclusion) {
        await storage.concludeSync(conclusion);
        await storage.acquireLease({ ...conclusion.lease, ttlMs: 1e9 });
      },
    })),
    storageMutant((storage) => ({
      concludeSync: (conclusion) =>
        storage.concludeSync({ ...conclusion, schedules: conclusion.schedules.slice(0, 1) }),
    })),
    storageMutant((storage) => ({
      concludeSync: ({ lastSyncAt: _, ...conclusion }) => storage.concludeSync(conclusion),
    })),
    // Every end of a sync is a success.
    storageMutant((storage) => ({
      concludeSync: (conclusion) => storage.concludeSync({ lastSyncAt: new Date(9), ...conclusion }),
    })),
    // One step after the other.
    storageMutant((storage) => ({
      async concludeSync({ schedules, ...conclusion }) {
        for (const schedule of schedules) await storage.putSchedule(schedule);
        await storage.concludeSync({ ...conclusion, schedules: [] });
      },
    })),
    // Ends every claim of the connection.
    storageMutant((storage) => {
      const claimed: DueSync[] = [];
      return {
        async claimDueConnections(request) {
          const due = await storage.claimDueConnections(request);
          claimed.push(...due);
          return due;
        },
        async concludeSync(conclusion) {
          await storage.concludeSync(conclusion);
          for (const { lease } of claimed) await storage.releaseLease(lease);
        },
      };
    }),
  ],
  'SYNC-8': [
    // Whatever the lease, there is always another.
    storageMutant((storage) => ({
      async concludeSync(conclusion) {
        const lease = await storage.acquireLease({ resource: 'mutant', owner: 'mutant', ttlMs: 1 });
        await storage.concludeSync({ ...conclusion, lease: lease ?? conclusion.lease });
      },
    })),
    // Fails, and has written already.
    storageMutant((storage) => ({
      async concludeSync(conclusion) {
        for (const schedule of conclusion.schedules) await storage.putSchedule(schedule);
        await storage.concludeSync(conclusion);
      },
    })),
    storageMutant((storage) => ({
      concludeSync: (conclusion) =>
        storage.concludeSync(conclusion).catch((error: unknown) => {
          if (!McaError.isInstance(error) || error.reason !== 'lease_lost') throw error;
        }),
    })),
  ],
  'SYNC-9': [
    storageMutant((storage) => ({ putSchedule: (schedule) => storage.putSchedule(schedule).catch(() => {}) })),
    storageMutant((storage) => ({ concludeSync: (conclusion) => storage.concludeSync(conclusion).catch(() => {}) })),
  ],
  'SYNC-10': [
    // Takes what it counts.
    storageMutant((storage) => ({
      async readBacklog(request) {
        const backlog = await storage.readBacklog(request);
        await storage.claimDueConnections({ ...request, limit: 1_000, owner: 'counter', ttlMs: 1e6 });
        return backlog;
      },
    })),
    storageMutant((storage) => ({
      readBacklog: () => storage.readBacklog({ providers: ['spotify', 'youtube', 'netflix'] }),
    })),
    storageMutant((storage) => ({
      readBacklog: async (request) => ({ ...(await storage.readBacklog(request)), running: 0 }),
    })),
    storageMutant((storage) => ({
      async readBacklog(request) {
        const { oldestDueAt: _, ...backlog } = await storage.readBacklog(request);
        return backlog;
      },
    })),
    // A wait binds the capability that was told to, and no other.
    storageMutant((storage) => ({
      putSchedule: (schedule) => storage.putSchedule({ ...schedule, blocked: false }),
    })),
    // A lease once taken counts for ever.
    storageMutant((storage) => ({ acquireLease: (request) => storage.acquireLease({ ...request, ttlMs: 1e12 }) })),
  ],
  'SYNC-11': [
    storageMutant((storage) => ({ listDue: (request) => storage.listDue({ ...request, limit: 1_000 }) })),
    storageMutant((storage) => ({
      listDue: ({ limit }) => storage.listDue({ providers: ['spotify', 'youtube'], limit }),
    })),
    storageMutant((storage) => ({ listDue: async (request) => (await storage.listDue(request)).toReversed() })),
    // Takes what it lists.
    storageMutant((storage) => ({
      async listDue(request) {
        const due = await storage.claimDueConnections({ ...request, owner: 'lister', ttlMs: 1e6 });
        return due.map(({ schedule }) => schedule);
      },
    })),
  ],
  'STATE-1': [
    storageMutant((storage) => ({
      async takeConnectState(hash) {
        const state = await storage.takeConnectState(hash);
        if (state) await storage.putConnectState(state);
        return state;
      },
    })),
    // Reads first and deletes later.
    storageMutant(() => {
      const states = new Map<string, ConnectState>();
      return {
        putConnectState: async (state) => void states.set(state.hash, state),
        async takeConnectState(hash) {
          const state = states.get(hash);
          await Promise.resolve();
          states.delete(hash);
          return state;
        },
      };
    }),
  ],
  'STATE-2': storageMutant((storage) => ({
    putConnectState: (state) => storage.putConnectState({ ...state, expiresAt: state.expiresAt + 1_000 }),
    takeConnectState: async (hash) => {
      const state = await storage.takeConnectState(hash);
      return state && { ...state, expiresAt: state.expiresAt - 1_000 };
    },
  })),
  'STATE-3': [
    statesApart,
    // Purges what waits, too.
    storageMutant((storage) => {
      let last: string | undefined;
      return {
        async putConnectState(state) {
          if (last !== undefined) await storage.takeConnectState(last);
          last = state.hash;
          await storage.putConnectState(state);
        },
      };
    }),
  ],
  'STATE-4': storageMutant((storage) => ({
    async putConnectState(state) {
      await storage.putConnectState((await storage.takeConnectState(state.hash)) ?? state);
    },
  })),
};
