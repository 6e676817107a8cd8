import type { Cursor } from '../cursor.ts';
import type { MediaItem } from '../media-item.ts';
import type { ImportProgress } from './imports.ts';
import type { Lease } from './lease.ts';

/**
 * What happens when an item with the same key is stored already.
 *
 * - `keep` the stored one stays
 * - `longest` the one with more time spent wins, equal ones by content order; order of arrival does not matter (file imports)
 * - `replace` the new one wins when its content differs; what another source told stays unless `longest` would change it
 *   (live syncs)
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
  /** Parked records that this page makes good, by id: they go. */
  readonly unparked?: readonly number[] | undefined;
}

/** A record that a provider could not normalise (the dead letters of a sync). */
export interface ParkedRecord {
  /** Capability that met it. */
  readonly capability: string;
  readonly reason: string;
  readonly message: string;
  /** JSON of at most 16 KiB, as the provider handed it over: it leaves secrets out. */
  readonly raw: string;
}

/** A {@link ParkedRecord} as the store holds it. */
export interface StoredParkedRecord extends ParkedRecord {
  readonly id: number;
  readonly parkedAt: Date;
  /** How often it was met: the same record of the same connection and capability is parked once. */
  readonly attempts: number;
}

/** What a committed page changed. `inserted + updated + unchanged` is the number of items in it. */
export interface PageResult {
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  /** Feed position after this page. Numbers of the feed grow, with gaps; within a page their order is free. */
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
 * - `PAGE-6` `replace` updates when content of the same source differs, and only then
 * - `PAGE-7` counts add up to the items of the page, repeats within the page included
 * - `PAGE-8` a deleted item stays deleted and counts as unchanged
 * - `PAGE-9` every field of an item survives the round trip, text in any script included
 * - `PAGE-10` a preview counts what a commit would do and writes nothing
 * - `PAGE-11` the cursor last committed is the cursor read, and the last five are kept, newest first
 * - `PAGE-12` a record parked again counts one more attempt, under its first id and time and its latest reason; one made good
 *   is gone with the page that stored it, also when the page parks it too
 * - `PAGE-13` `replace` treats what another source told as `longest` does: a sync never takes away what an export knows
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
  /** The five positions last committed, newest first; empty before the first page. */
  readCursors(connectionId: string, capability: string): Promise<readonly Cursor[]>;
  /** Parked records of a connection, oldest first. */
  listParked(connectionId: string): Promise<readonly StoredParkedRecord[]>;
}
