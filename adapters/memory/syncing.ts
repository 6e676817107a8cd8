import {
  BACKLOG_COUNTED,
  compareText,
  type DueSync,
  SYNC_LOG_KEPT,
  type SyncLogEntry,
  type SyncSchedule,
  type SyncVerbs,
  unknownConnection,
} from '@mca/core/adapter-kit';
import { assertLease, grantLease } from './leases.ts';
import type { State } from './state.ts';

/** The sync log, and what is due when. */
export function syncVerbs(state: State): SyncVerbs {
  return {
    async listSyncLog({ connectionId, capability, limit }) {
      const entries = state.syncLog.get(connectionId) ?? [];
      const asked = entries.filter((entry) => capability === undefined || entry.capability === capability);
      return structuredClone(asked.slice(0, limit));
    },
    async putSchedule(schedule) {
      assertConnection(state, schedule.connectionId);
      putSchedule(state, schedule);
    },
    async readSchedules(connectionId) {
      return schedulesOf(state, connectionId).map((schedule) => ({ ...schedule }));
    },
    async claimDueConnections({ providers, limit, owner, ttlMs }) {
      const now = state.clock.now();
      return dueSchedules(state, providers, now)
        .slice(0, limit)
        .map(({ schedule, connection }): DueSync => {
          const lease = grantLease(state, { resource: resourceOf(schedule), owner, expiresAt: now + ttlMs });
          return { schedule: { ...schedule }, connection: structuredClone(connection), lease };
        });
    },
    async listDue({ providers, limit }) {
      const due = dueSchedules(state, providers, state.clock.now());
      return due.slice(0, limit).map(({ schedule }) => ({ ...schedule }));
    },
    async readBacklog({ providers }) {
      const now = state.clock.now();
      const due = dueSchedules(state, providers, now);
      const running = [...state.connections.values()]
        .filter(({ provider }) => providers.includes(provider))
        .flatMap(({ id }) => schedulesOf(state, id))
        .filter((schedule) => isHeld(state, schedule, now));
      return {
        due: Math.min(due.length, BACKLOG_COUNTED),
        oldestDueAt: due[0]?.schedule.dueAt,
        running: running.length,
      };
    },
    async concludeSync({ lease, log, schedules, lastSyncAt }) {
      // Everything that can fail comes before anything that changes.
      assertLease(state, lease);
      for (const { connectionId } of [log, ...schedules]) assertConnection(state, connectionId);
      const entries = [structuredClone(log), ...(state.syncLog.get(log.connectionId) ?? [])];

      state.syncLog.set(log.connectionId, newestOf(entries, log.capability));
      for (const schedule of schedules) putSchedule(state, schedule);
      const connection = state.connections.get(log.connectionId);
      if (connection && lastSyncAt) {
        state.connections.set(connection.id, { ...connection, lastSyncAt: new Date(lastSyncAt) });
      }
      state.leases.delete(lease.resource);
    },
  };
}

function assertConnection(state: State, id: string): void {
  if (!state.connections.has(id)) throw unknownConnection(id);
}

function putSchedule(state: State, schedule: SyncSchedule): void {
  const schedules = state.schedules.get(schedule.connectionId) ?? new Map<string, SyncSchedule>();
  state.schedules.set(schedule.connectionId, schedules);
  schedules.set(schedule.capability, { ...schedule });
}

/** In order of capability. */
function schedulesOf(state: State, connectionId: string): readonly SyncSchedule[] {
  const schedules = [...(state.schedules.get(connectionId)?.values() ?? [])];
  return schedules.sort((a, b) => compareText(a.capability, b.capability));
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

type DueSchedule = Pick<DueSync, 'schedule' | 'connection'>;

/** What may be claimed, the longest overdue first, then the older connection. */
function dueSchedules(state: State, providers: readonly string[], now: number): readonly DueSchedule[] {
  const due: DueSchedule[] = [];
  for (const connection of state.connections.values()) {
    if (connection.status !== 'active' || !providers.includes(connection.provider)) continue;
    const schedules = schedulesOf(state, connection.id);
    if (schedules.some(({ blocked, dueAt }) => blocked && dueAt > now)) continue;
    for (const schedule of schedules) {
      if (schedule.dueAt <= now && !isHeld(state, schedule, now)) due.push({ schedule, connection });
    }
  }
  // Sorting is stable, so equal times stay in the order of connections.
  return due.sort((a, b) => a.schedule.dueAt - b.schedule.dueAt);
}

/** Whether somebody is at work on it. */
function isHeld(state: State, schedule: SyncSchedule, now: number): boolean {
  const held = state.leases.get(resourceOf(schedule));
  return held !== undefined && held.expiresAt > now;
}

function resourceOf({ connectionId, capability }: SyncSchedule): string {
  return `sync:${connectionId}:${capability}`;
}
