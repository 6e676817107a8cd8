import type { Cursor } from '../cursor.ts';
import type { Coverage, ImportRecord, ImportStatus } from '../import-record.ts';
import type { MediaItem } from '../media-item.ts';
import type { Lease } from './lease.ts';

/**
 * What happens when an item with the same key is stored already.
 *
 * - `keep` the stored one stays
 * - `longest` the one with more time spent wins, equal ones by content order; order of arrival does not matter (file imports)
 * - `replace` the new one wins when its content differs (live syncs)
 */
export type UpdatePolicy = 'keep' | 'longest' | 'replace';

/** One page, committed whole or not at all. */
export interface PageCommit {
  readonly lease: Lease;
  readonly connectionId: string;
  readonly items: readonly MediaItem[];
  readonly policy: UpdatePolicy;
  /** New position of an incremental capability. */
  readonly cursor?: { readonly capability: string; readonly value: Cursor } | undefined;
  /** The file import this page belongs to, with its totals so far; the store adds up inserted, updated and unchanged. */
  readonly import?: ImportProgress | undefined;
  /** Records that could not be stored, kept for inspection and replay. */
  readonly parked?: readonly ParkedRecord[] | undefined;
}

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

/** A record that a provider could not normalise (the dead letters of a sync). */
export interface ParkedRecord {
  readonly reason: string;
  readonly message: string;
  /** Redacted JSON of at most 16 KiB. */
  readonly raw: string;
}

/** What a committed page changed. `inserted + updated + unchanged` is the number of items in it. */
export interface PageResult {
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  /** Feed position after this page. */
  readonly sequence: number;
}

/**
 * Writing.
 *
 * Fails with `not_found` `connection_unknown` when the connection is gone, `invalid_data` `foreign_import` when the import
 * is another connection's, and `invalid_data` `invalid_date` for an item without a valid time. Text is well-formed Unicode
 * (no lone surrogates); JSON fields compare as they are written, order of keys included.
 *
 * - `PAGE-1` items, cursor, import totals and parked records commit together or not at all
 * - `PAGE-2` (user, platform, externalId) is unique, whoever writes and however many at once
 * - `PAGE-3` a page under a lost lease fails with `storage` `lease_lost` and writes nothing
 * - `PAGE-4` `keep` never changes a stored item
 * - `PAGE-5` `longest` gives the same store whatever the order of pages
 * - `PAGE-6` `replace` updates when content differs, and only then
 * - `PAGE-7` counts add up to the items of the page, repeats within the page included
 * - `PAGE-8` a deleted item stays deleted and counts as unchanged
 * - `PAGE-9` every field of an item survives the round trip, text in any script included
 * - `PAGE-10` a preview counts what a commit would do and writes nothing
 * - `PAGE-11` the cursor last committed is the cursor read
 */
export interface PageVerbs {
  /** Commits one page, or nothing of it. */
  commitPage(page: PageCommit): Promise<PageResult>;
  /** Counts what committing would change, without changing it. */
  previewPage(page: {
    readonly userId: string;
    readonly items: readonly MediaItem[];
    readonly policy: UpdatePolicy;
  }): Promise<Omit<PageResult, 'sequence'>>;
  /** Position last committed, or `undefined` before the first page. */
  readCursor(connectionId: string, capability: string): Promise<Cursor | undefined>;
  /** Parked records of a connection, oldest first. */
  listParked(connectionId: string): Promise<readonly ParkedRecord[]>;
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
