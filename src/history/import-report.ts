import type { RejectedRecord } from '../contracts/capabilities/file-import.ts';
import type { McaError } from '../contracts/errors.ts';
import type { Coverage, ImportCounts } from '../contracts/import-record.ts';
import type { MediaItem, MediaType } from '../contracts/media-item.ts';

/** What became of one file. */
export interface FileReport {
  /** Inside an archive `archive.zip!path`. */
  readonly name: string;
  /** Format it was read as; empty when it was none. */
  readonly format: string;
  /** Records read from it. */
  readonly read: number;
  /** Why it could not be read to its end. */
  readonly error?: McaError | undefined;
}

/**
 * The whole truth about one import. `counts.read = inserted + updated + unchanged + skipped + rejected`, always.
 *
 * - `complete` everything was read
 * - `partial` some records or files could not be read, the rest is stored; `error` is `partial_sync`
 * - `failed` it broke off after the first page; what was counted is stored; `error` says why
 * - `cancelled` the signal fired; what was counted is stored
 */
export interface ImportReport {
  readonly status: 'complete' | 'partial' | 'failed' | 'cancelled';
  readonly provider: string;
  /** Name for `undoImport`; absent when nothing was stored (dry run, cancelled early). */
  readonly importId?: string | undefined;
  readonly connectionId?: string | undefined;
  readonly dryRun: boolean;
  readonly counts: ImportCounts;
  /** Records left out on purpose, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Records that could not be read, by reason. */
  readonly rejected: Readonly<Record<string, number>>;
  /** The first 100 of them, with their position. */
  readonly rejections: readonly RejectedRecord[];
  /** Items among the records, new or not, by type. */
  readonly byType: Readonly<Partial<Record<MediaType, number>>>;
  readonly files: readonly FileReport[];
  /** Stretches of time the stored items tell of, by source; a silence of a week ends one. */
  readonly coverage: readonly Coverage[];
  readonly warnings: readonly string[];
  /** Dry run only: the first 20 items. */
  readonly preview: readonly MediaItem[];
  readonly durationMs: number;
  readonly error?: McaError | undefined;
}

/** Details kept of rejected records. */
export const REJECTIONS_KEPT = 100;
/** Items shown by a dry run. */
export const PREVIEW_ITEMS = 20;

/** Adds counts by reason. */
export function addReasons(into: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [reason, count] of Object.entries(more)) into[reason] = (into[reason] ?? 0) + count;
}

/** Sum of counts by reason. */
export function sumReasons(reasons: Readonly<Record<string, number>>): number {
  return Object.values(reasons).reduce((sum, count) => sum + count, 0);
}
