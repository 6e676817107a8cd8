import {
  type Clock,
  type Connection,
  type ConnectState,
  type ContentRow,
  type Cursor,
  compareKeysets,
  type ImportRecord,
  type ItemKey,
  type ItemRow,
  type Lease,
  type StoredParkedRecord,
  type SyncLogEntry,
  type SyncSchedule,
} from '@mca/core/adapter-kit';

/** One key's place in the store. A deleted entry stays as a tombstone without content. */
export interface Entry {
  row: ItemRow;
  deleted: boolean;
}

/** A removal that the change feed has to show although the item's entry is gone. */
export interface Removal {
  readonly sequence: number;
  readonly key: ItemKey;
  readonly connectionId: string;
}

/** Everything one memory adapter holds. */
export interface State {
  readonly clock: Clock;
  sequence: number;
  fence: number;
  /** Id of the record parked last; ids are not used again. */
  parkedId: number;
  readonly leases: Map<string, Lease>;
  readonly connections: Map<string, Connection>;
  /** By user, then by {@link entryKey}. */
  readonly items: Map<string, Map<string, Entry>>;
  readonly imports: Map<string, ImportRecord>;
  /** By connection, then by capability; newest first. */
  readonly cursors: Map<string, Map<string, readonly Cursor[]>>;
  /** By connection, oldest first. */
  readonly parked: Map<string, readonly StoredParkedRecord[]>;
  /** By connection, newest first. */
  readonly syncLog: Map<string, readonly SyncLogEntry[]>;
  /** By connection, then by capability. */
  readonly schedules: Map<string, Map<string, SyncSchedule>>;
  /** By hash. */
  readonly connectStates: Map<string, ConnectState>;
  removals: Removal[];
  /** Visible items of a user, oldest first; dropped by every write. */
  readonly sorted: Map<string, readonly ItemRow[]>;
}

/** An empty store. */
export function createState(clock: Clock): State {
  return {
    clock,
    sequence: 0,
    fence: 0,
    parkedId: 0,
    leases: new Map(),
    connections: new Map(),
    items: new Map(),
    imports: new Map(),
    cursors: new Map(),
    parked: new Map(),
    syncLog: new Map(),
    schedules: new Map(),
    connectStates: new Map(),
    removals: [],
    sorted: new Map(),
  };
}

/** Key of an item among those of its user. */
export function entryKey(item: { readonly platform: string; readonly externalId: string }): string {
  return `${item.platform}\u0000${item.externalId}`;
}

/** Visible items of a user in reading order `oldest`. */
export function sortedRows(state: State, userId: string): readonly ItemRow[] {
  const known = state.sorted.get(userId);
  if (known) return known;
  const rows: ItemRow[] = [];
  for (const entry of state.items.get(userId)?.values() ?? []) {
    if (!entry.deleted) rows.push(entry.row);
  }
  rows.sort(compareKeysets);
  state.sorted.set(userId, rows);
  return rows;
}

/** Content of a tombstone: nothing of the item is left but its key. */
export const BLANK: ContentRow = {
  type: '',
  subtype: null,
  action: '',
  title: '',
  creator: null,
  consumedAt: 0,
  durationMs: null,
  timeSpentMs: null,
  tags: null,
  url: null,
  contentId: null,
  ids: null,
  rating: null,
  source: '',
  precision: '',
  account: null,
  rawMetadata: null,
};
