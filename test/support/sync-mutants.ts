import type { ConnectState, SyncLogEntry } from '@mca/core/adapter-kit';
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
          appendSyncLog(entry) {
            first ??= entry;
            return storage.appendSyncLog({ ...entry, [field]: first[field] });
          },
        };
      }),
    ),
  ],
  'SYNC-2': [logApart((entries) => entries), logApart((entries) => entries.slice(0, 100))],
  'SYNC-3': [
    storageMutant((storage) => ({
      async putSchedule(schedule) {
        const known = await storage.readSchedule(schedule.connectionId, schedule.capability);
        if (!known) await storage.putSchedule(schedule);
      },
    })),
    storageMutant((storage) => ({
      putSchedule: (schedule) => storage.putSchedule({ ...schedule, blocked: false }),
    })),
    storageMutant((storage) => ({ putSchedule: (schedule) => storage.putSchedule({ ...schedule, failures: 0 }) })),
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
        for (const { schedule } of due) await storage.putSchedule(schedule);
        return due;
      },
    })),
    storageMutant((storage) => ({
      claimDueConnections: (request) => storage.claimDueConnections({ ...request, claimMs: 1e12 }),
    })),
    // Looks first and claims later.
    storageMutant((storage) => ({
      async claimDueConnections(request) {
        const due = await storage.claimDueConnections({ ...request, claimMs: 0 });
        await new Promise((resolve) => setTimeout(resolve));
        await storage.claimDueConnections(request);
        return due;
      },
    })),
  ],
  'SYNC-6': storageMutant((storage) => {
    const claimed = new Set<string>();
    return {
      async claimDueConnections(request) {
        const due = await storage.claimDueConnections(request);
        const fresh = due.filter(({ schedule }) => !claimed.has(schedule.connectionId + schedule.capability));
        for (const { schedule } of fresh) claimed.add(schedule.connectionId + schedule.capability);
        return fresh;
      },
    };
  }),
  'SYNC-7': [
    storageMutant((storage) => ({ putSchedule: (schedule) => storage.putSchedule(schedule).catch(() => {}) })),
    storageMutant((storage) => ({ appendSyncLog: (entry) => storage.appendSyncLog(entry).catch(() => {}) })),
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
