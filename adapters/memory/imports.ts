import { type ImportProgress, type ImportRecord, type ImportVerbs, withoutCoverage } from '@mca/core/adapter-kit';
import type { State } from './state.ts';

/** Import records, and taking imports back. */
export function importVerbs(state: State): ImportVerbs {
  return {
    async listImports({ userId, id }) {
      return [...state.imports.values()]
        .filter((record) => record.userId === userId && (id === undefined || record.id === id))
        .map((record) => structuredClone(record));
    },
    async undoImport({ userId, importId }) {
      const record = state.imports.get(importId);
      if (record?.userId !== userId || record.status === 'undone') return { removed: 0 };
      const removed = removeItems(state, userId, importId);
      const finishedAt = record.finishedAt ?? new Date(state.clock.now());
      for (const other of state.imports.values()) {
        if (other.userId !== userId) continue;
        state.imports.set(other.id, { ...other, coverage: withoutCoverage(other.coverage, record.coverage) });
      }
      state.imports.set(importId, { ...record, status: 'undone', coverage: [], finishedAt });
      // A run that is still writing must notice at its next page.
      state.leases.delete(`import:${importId}`);
      return { removed };
    },
  };
}

function removeItems(state: State, userId: string, importId: string): number {
  const entries = state.items.get(userId);
  if (!entries) return 0;
  const gone = [...entries]
    .filter(([, entry]) => entry.row.importId === importId && !entry.deleted)
    .sort(([, a], [, b]) => a.row.sequence - b.row.sequence);
  for (const [key, { row }] of gone) {
    entries.delete(key);
    state.sequence += 1;
    const { platform, externalId, connectionId } = row;
    state.removals.push({ sequence: state.sequence, key: { userId, platform, externalId }, connectionId });
  }
  state.sorted.delete(userId);
  return gone.length;
}

/** Makes or updates the record of the import that a page belongs to. */
export function recordProgress(
  state: State,
  connectionId: string,
  progress: ImportProgress,
  page: { readonly inserted: number; readonly updated: number; readonly unchanged: number },
): void {
  const connection = state.connections.get(connectionId);
  if (!connection) return;
  const now = new Date(state.clock.now());
  const known = state.imports.get(progress.id);
  const record: ImportRecord = {
    id: progress.id,
    connectionId,
    userId: connection.userId,
    provider: connection.provider,
    status: progress.status,
    startedAt: known?.startedAt ?? progress.startedAt,
    ...(progress.status !== 'running' && { finishedAt: now }),
    files: progress.files,
    counts: {
      read: progress.read,
      inserted: (known?.counts.inserted ?? 0) + page.inserted,
      updated: (known?.counts.updated ?? 0) + page.updated,
      unchanged: (known?.counts.unchanged ?? 0) + page.unchanged,
      skipped: total(progress.skipped),
      rejected: total(progress.rejected),
    },
    skipped: progress.skipped,
    rejected: progress.rejected,
    coverage: progress.coverage,
  };
  state.imports.set(progress.id, record);
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
