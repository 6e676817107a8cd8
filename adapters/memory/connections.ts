import { type Connection, type ConnectionPatch, type ConnectionVerbs, McaError } from '@mca/core/adapter-kit';
import type { State } from './state.ts';

/** Connections in a map; insertion order is age. */
export function connectionVerbs(state: State): ConnectionVerbs {
  return {
    async ensureConnection({ id, userId, provider, kind, account }) {
      for (const known of state.connections.values()) {
        if (
          known.userId === userId &&
          known.provider === provider &&
          known.kind === kind &&
          known.account === account
        ) {
          return structuredClone(known);
        }
      }
      if (state.connections.has(id)) {
        throw new McaError({ code: 'storage', reason: 'constraint', message: `Connection id ${id} is taken.` });
      }
      const connection: Connection = {
        id,
        userId,
        provider,
        kind,
        account,
        status: 'active',
        settings: {},
        grantedScopes: [],
        createdAt: new Date(state.clock.now()),
      };
      state.connections.set(id, connection);
      return structuredClone(connection);
    },
    async updateConnection(id, patch) {
      const known = state.connections.get(id);
      if (!known) return undefined;
      const updated = patched(known, structuredClone(patch));
      state.connections.set(id, updated);
      return structuredClone(updated);
    },
    async listConnections(filter) {
      const endsBefore = filter.consentEndsBefore;
      const isEnding = ({ status, authorizationExpiresAt: endsAt }: Connection) =>
        endsBefore === undefined || (status === 'active' && endsAt !== undefined && endsAt < endsBefore);
      return [...state.connections.values()]
        .filter(isEnding)
        .filter((connection) => filter.id === undefined || connection.id === filter.id)
        .filter((connection) => filter.userId === undefined || connection.userId === filter.userId)
        .filter((connection) => filter.provider === undefined || connection.provider === filter.provider)
        .map((connection) => structuredClone(connection));
    },
    async erase({ userId, connectionId }) {
      const isErased = (connection: string) => connectionId === undefined || connection === connectionId;
      for (const connection of [...state.connections.values()]) {
        if (connection.userId === userId && isErased(connection.id)) eraseConnection(state, connection.id);
      }
      if (connectionId === undefined) {
        for (const [hash, waiting] of state.connectStates) {
          if (waiting.userId === userId) state.connectStates.delete(hash);
        }
      }
      const items = eraseItems(state, userId, isErased);
      state.removals = state.removals.filter(
        (removal) => !(removal.key.userId === userId && isErased(removal.connectionId)),
      );
      return { items };
    },
  };
}

/** Patch fields set to `undefined` mean the same as absent ones; `null` takes a field away. */
function patched(known: Connection, patch: ConnectionPatch): Connection {
  const named = Object.entries(patch).filter(([, value]) => value !== undefined);
  const fields = Object.entries({ ...known, ...Object.fromEntries(named) }).filter(([, value]) => value !== null);
  return Object.fromEntries(fields) as unknown as Connection;
}

function eraseConnection(state: State, id: string): void {
  for (const record of [...state.imports.values()]) {
    if (record.connectionId !== id) continue;
    state.imports.delete(record.id);
    state.leases.delete(`import:${record.id}`);
  }
  for (const resource of [...state.leases.keys()]) {
    if (resource === `refresh:${id}` || resource.startsWith(`sync:${id}:`)) state.leases.delete(resource);
  }
  state.cursors.delete(id);
  state.parked.delete(id);
  state.syncLog.delete(id);
  state.schedules.delete(id);
  state.connections.delete(id);
}

function eraseItems(state: State, userId: string, isErased: (connectionId: string) => boolean): number {
  const entries = state.items.get(userId);
  if (!entries) return 0;
  let items = 0;
  for (const [key, entry] of entries) {
    if (!isErased(entry.row.connectionId)) continue;
    entries.delete(key);
    if (!entry.deleted) items += 1;
  }
  state.sorted.delete(userId);
  return items;
}
