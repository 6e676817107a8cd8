import {
  compareText,
  type DueSync,
  SYNC_LOG_KEPT,
  type SyncLogEntry,
  type SyncVerbs,
  unknownConnection,
} from '@mca/core/adapter-kit';
import type { ClaimableSchedule, State } from './state.ts';

/** The sync log, and what is due when. */
export function syncVerbs(state: State): SyncVerbs {
  return {
    async appendSyncLog(entry) {
      if (!state.connections.has(entry.connectionId)) throw unknownConnection(entry.connectionId);
      const entries = [structuredClone(entry), ...(state.syncLog.get(entry.connectionId) ?? [])];
      state.syncLog.set(entry.connectionId, newestOf(entries, entry.capability));
    },
    async listSyncLog({ connectionId, capability, limit }) {
      const entries = state.syncLog.get(connectionId) ?? [];
      const asked = entries.filter((entry) => capability === undefined || entry.capability === capability);
      return structuredClone(asked.slice(0, limit));
    },
    async putSchedule(schedule) {
      if (!state.connections.has(schedule.connectionId)) throw unknownConnection(schedule.connectionId);
      const schedules = state.schedules.get(schedule.connectionId) ?? new Map<string, ClaimableSchedule>();
      state.schedules.set(schedule.connectionId, schedules);
      schedules.set(schedule.capability, { schedule: { ...schedule }, claimedUntil: Number.NEGATIVE_INFINITY });
    },
    async readSchedule(connectionId, capability) {
      const known = state.schedules.get(connectionId)?.get(capability);
      return known && { ...known.schedule };
    },
    async claimDueConnections({ providers, limit, claimMs }) {
      const now = state.clock.now();
      const due = dueSchedules(state, providers, now).slice(0, limit);
      for (const { claimable } of due) claimable.claimedUntil = now + claimMs;
      return due.map(({ claimable, connection }) => ({
        schedule: { ...claimable.schedule },
        connection: structuredClone(connection),
      }));
    },
  };
}

/** Entries, newest first, without those of a capability that are too many. */
function newestOf(entries: readonly SyncLogEntry[], capability: string): readonly SyncLogEntry[] {
  let kept = 0;
  return entries.filter((entry) => {
    if (entry.capability !== capability) return true;
    kept += 1;
    return kept <= SYNC_LOG_KEPT;
  });
}

interface DueSchedule {
  readonly claimable: ClaimableSchedule;
  readonly connection: DueSync['connection'];
}

/** What may be claimed, the longest overdue first, then the older connection. */
function dueSchedules(state: State, providers: readonly string[], now: number): readonly DueSchedule[] {
  const due: DueSchedule[] = [];
  for (const connection of state.connections.values()) {
    if (connection.status !== 'active' || !providers.includes(connection.provider)) continue;
    const schedules = [...(state.schedules.get(connection.id)?.values() ?? [])].sort((a, b) =>
      compareText(a.schedule.capability, b.schedule.capability),
    );
    for (const claimable of schedules) {
      if (claimable.schedule.dueAt <= now && claimable.claimedUntil <= now) due.push({ claimable, connection });
    }
  }
  // Sorting is stable, so equal times stay in the order of connections.
  return due.sort((a, b) => a.claimable.schedule.dueAt - b.claimable.schedule.dueAt);
}
