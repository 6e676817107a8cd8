import type { SyncCounts, SyncLogEntry, SyncSchedule } from '../contracts/sync.ts';

/** A line of the sync log as columns hold it: times as epoch milliseconds, lists and objects as JSON text. */
export interface SyncLogRow {
  readonly id: string;
  readonly connectionId: string;
  readonly capability: string;
  readonly status: string;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly pages: number;
  readonly counts: string;
  /** Pairs of epoch milliseconds. */
  readonly gaps: string;
  readonly error: string | null;
}

/** A line of the sync log as a row. */
export function encodeLogEntry(entry: SyncLogEntry): SyncLogRow {
  return {
    id: entry.id,
    connectionId: entry.connectionId,
    capability: entry.capability,
    status: entry.status,
    startedAt: entry.startedAt.getTime(),
    finishedAt: entry.finishedAt.getTime(),
    pages: entry.pages,
    counts: JSON.stringify(entry.counts),
    gaps: JSON.stringify(entry.gaps.map(({ from, to }) => [from.getTime(), to.getTime()])),
    error: entry.error ? JSON.stringify(entry.error) : null,
  };
}

/** The line of the sync log of a row. */
export function decodeLogEntry(row: SyncLogRow): SyncLogEntry {
  const gaps = JSON.parse(row.gaps) as readonly (readonly [number, number])[];
  return {
    id: row.id,
    connectionId: row.connectionId,
    capability: row.capability,
    status: row.status as SyncLogEntry['status'],
    startedAt: new Date(row.startedAt),
    finishedAt: new Date(row.finishedAt),
    counts: JSON.parse(row.counts) as SyncCounts,
    pages: row.pages,
    gaps: gaps.map(([from, to]) => ({ from: new Date(from), to: new Date(to) })),
    ...(row.error !== null && { error: JSON.parse(row.error) as NonNullable<SyncLogEntry['error']> }),
  };
}

/** A schedule as columns hold it, but for the connection. */
export interface ScheduleRow {
  readonly capability: string;
  readonly dueAt: number;
  /** 0 or 1. */
  readonly blocked: number;
  readonly failures: number;
}

/** The schedule of a row. */
export function decodeSchedule(row: ScheduleRow, connectionId: string): SyncSchedule {
  const { capability, dueAt, blocked, failures } = row;
  return { connectionId, capability, dueAt, blocked: blocked === 1, failures };
}
