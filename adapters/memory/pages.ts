import {
  type ContentRow,
  CURSORS_KEPT,
  type Cursor,
  encodeItem,
  foreignImport,
  type ItemRow,
  importUndone,
  type MediaItem,
  type PageCommit,
  type PageVerbs,
  type UpdatePolicy,
  unknownConnection,
  wins,
} from '@mca/core/adapter-kit';
import { recordProgress } from './imports.ts';
import { assertLease } from './leases.ts';
import { park } from './parking.ts';
import { type Entry, entryKey, type State } from './state.ts';

/** Writing pages: everything is checked and planned first, so that applying cannot fail half-way. */
export function pageVerbs(state: State): PageVerbs {
  return {
    async commitPage(page) {
      const { userId } = checkPage(state, page);
      const plan = planWrites(state.items.get(userId), page.items, page.policy);
      // JSON texts throw on what JSON cannot hold, which has to happen before anything changes.
      const parked = structuredClone(page.parked ?? []);
      const progress = structuredClone(page.import);

      applyWrites(state, userId, page, plan.writes);
      if (progress) recordProgress(state, page.connectionId, progress, plan.counts);
      if (page.cursor) {
        const { capability, value } = page.cursor;
        const cursors = state.cursors.get(page.connectionId) ?? new Map<string, readonly Cursor[]>();
        state.cursors.set(page.connectionId, cursors);
        cursors.set(capability, [value, ...(cursors.get(capability) ?? [])].slice(0, CURSORS_KEPT));
      }
      park(state, page.connectionId, parked, page.unparked ?? []);
      return { ...plan.counts, sequence: state.sequence };
    },
    async previewPage({ userId, items, policy }) {
      return planWrites(state.items.get(userId), items, policy).counts;
    },
    async readCursors(connectionId, capability) {
      return [...(state.cursors.get(connectionId)?.get(capability) ?? [])];
    },
    async listParked(connectionId) {
      return structuredClone([...(state.parked.get(connectionId) ?? [])]);
    },
  };
}

function checkPage(state: State, page: PageCommit): { readonly userId: string } {
  assertLease(state, page.lease);
  const connection = state.connections.get(page.connectionId);
  if (!connection) throw unknownConnection(page.connectionId);
  const known = page.import && state.imports.get(page.import.id);
  if (known && known.connectionId !== page.connectionId) throw foreignImport(known.id);
  if (known?.status === 'undone') throw importUndone(known.id);
  return connection;
}

interface Write {
  readonly key: string;
  readonly platform: string;
  readonly externalId: string;
  readonly content: ContentRow;
}

/** Decides item by item, seeing what earlier items of the same page will have written. */
function planWrites(
  stored: ReadonlyMap<string, Entry> | undefined,
  items: readonly MediaItem[],
  policy: UpdatePolicy,
): { readonly writes: readonly Write[]; readonly counts: { inserted: number; updated: number; unchanged: number } } {
  const planned = new Map<string, ContentRow>();
  const writes: Write[] = [];
  const counts = { inserted: 0, updated: 0, unchanged: 0 };
  for (const item of items) {
    const key = entryKey(item);
    const content = encodeItem(item);
    const entry = stored?.get(key);
    const current = planned.get(key) ?? entry?.row;
    if (entry?.deleted || (current && !wins(content, current, policy))) {
      counts.unchanged += 1;
      continue;
    }
    counts[current ? 'updated' : 'inserted'] += 1;
    planned.set(key, content);
    writes.push({ key, platform: item.platform, externalId: item.externalId, content });
  }
  return { writes, counts };
}

function applyWrites(state: State, userId: string, page: PageCommit, writes: readonly Write[]): void {
  if (writes.length === 0) return;
  const entries = state.items.get(userId) ?? new Map<string, Entry>();
  state.items.set(userId, entries);
  state.sorted.delete(userId);
  for (const { key, platform, externalId, content } of writes) {
    state.sequence += 1;
    const known = entries.get(key)?.row;
    // Connection and import are those that first brought the item.
    const connectionId = known?.connectionId ?? page.connectionId;
    const importId = known ? known.importId : (page.import?.id ?? null);
    const row: ItemRow = { ...content, userId, platform, externalId, sequence: state.sequence, connectionId, importId };
    entries.set(key, { row, deleted: false });
  }
}
