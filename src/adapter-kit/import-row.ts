import type { ImportRecord } from '../contracts/import-record.ts';
import type { ImportProgress } from '../contracts/storage/index.ts';
import { decodeCoverage, encodeCoverage } from './coverage.ts';

/** An import as columns hold it: times as epoch milliseconds, lists and objects as JSON text, `null` for what is absent. */
export interface ImportRow {
  readonly id: string;
  readonly connectionId: string;
  readonly userId: string;
  readonly provider: string;
  readonly status: string;
  readonly startedAt: number;
  readonly finishedAt: number | null;
  readonly files: string;
  readonly read: number;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly skipped: string;
  readonly rejected: string;
  readonly coverage: string;
}

/** The part of an import's row that each page brings: all but whose it is, what was stored, and when it ended. */
export type ProgressRow = Pick<
  ImportRow,
  'id' | 'status' | 'startedAt' | 'files' | 'read' | 'skipped' | 'rejected' | 'coverage'
>;

/** Totals of an import as a row. */
export function encodeProgress(progress: ImportProgress): ProgressRow {
  return {
    id: progress.id,
    status: progress.status,
    startedAt: progress.startedAt.getTime(),
    files: JSON.stringify(progress.files),
    read: progress.read,
    skipped: JSON.stringify(progress.skipped),
    rejected: JSON.stringify(progress.rejected),
    coverage: encodeCoverage(progress.coverage),
  };
}

/** The import of a row. */
export function decodeImport(row: ImportRow): ImportRecord {
  const skipped = JSON.parse(row.skipped) as Record<string, number>;
  const rejected = JSON.parse(row.rejected) as Record<string, number>;
  return {
    id: row.id,
    connectionId: row.connectionId,
    userId: row.userId,
    provider: row.provider,
    status: row.status as ImportRecord['status'],
    startedAt: new Date(row.startedAt),
    ...(row.finishedAt !== null && { finishedAt: new Date(row.finishedAt) }),
    files: JSON.parse(row.files) as string[],
    counts: {
      read: row.read,
      inserted: row.inserted,
      updated: row.updated,
      unchanged: row.unchanged,
      skipped: total(skipped),
      rejected: total(rejected),
    },
    skipped,
    rejected,
    coverage: decodeCoverage(row.coverage),
  };
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
