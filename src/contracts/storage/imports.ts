import type { Coverage, ImportRecord, ImportStatus } from '../import-record.ts';

/** Totals of an import up to and including a page. */
export interface ImportProgress {
  readonly id: string;
  readonly status: Exclude<ImportStatus, 'undone'>;
  readonly startedAt: Date;
  readonly files: readonly string[];
  readonly read: number;
  readonly skipped: Readonly<Record<string, number>>;
  readonly rejected: Readonly<Record<string, number>>;
  readonly coverage: readonly Coverage[];
}

/**
 * Imports, listed oldest first.
 *
 * - `IMPORT-1` the record's totals are those of its committed pages
 * - `IMPORT-2` undoing removes the items the import inserted and no others, and its coverage
 * - `IMPORT-3` undoing twice, or an unknown import, removes nothing
 * - `IMPORT-4` an import undone while running cannot commit another page: `storage` `lease_lost`
 * - `IMPORT-5` after undoing, no other import covers the time the undone one did
 */
export interface ImportVerbs {
  /** Imports of a user, oldest first. */
  listImports(filter: { readonly userId: string; readonly id?: string | undefined }): Promise<readonly ImportRecord[]>;
  /** Takes an import back: its items go, its record stays as `undone`. */
  undoImport(request: { readonly userId: string; readonly importId: string }): Promise<{ readonly removed: number }>;
}
