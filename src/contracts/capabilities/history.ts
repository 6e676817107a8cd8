import type { MediaItem } from '../media-item.ts';
import type { ProviderContext } from './context.ts';
import type { SourceInfo } from './file-import.ts';

/**
 * One step of a walk through what the service has. The engine starts a walk without a cursor and goes on with the cursor
 * of the page before until `hasMore` is false; the next walk starts where it says.
 */
export interface PageRequest {
  /** The provider's own position within this walk; `undefined` starts one. With `keepsCursor` see there. */
  readonly cursor: string | undefined;
  /**
   * Only what happened after this instant is wanted, epoch milliseconds: the newest item stored, less an overlap.
   * `undefined` asks for everything (the first, full sync). Giving more is allowed.
   */
  readonly since: number | undefined;
  /** Only what happened before this instant is wanted; `undefined` means up to now. */
  readonly until: number | undefined;
  /** Newest item stored so far, epoch milliseconds: for telling a gap. */
  readonly highWater: number | undefined;
  /** Most records wanted; the service's own maximum may be lower. */
  readonly limit: number;
}

/** Items and where to go on. */
export interface ItemPage {
  /** Records the service sent on this page: `read = items + skipped + rejected`. */
  readonly read: number;
  readonly items: readonly MediaItem[];
  /** Records left out on purpose, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly rejected: readonly PoisonRecord[];
  /** Position after this page. */
  readonly cursor: string;
  readonly hasMore: boolean;
  /** Items the service says there are in this walk. */
  readonly total?: number | undefined;
  /** Stretch that the service no longer tells of, epoch milliseconds. */
  readonly gap?: { readonly from: number; readonly to: number } | undefined;
  /** What the service still has, where it says so: see `HIST-14`. */
  readonly present?: readonly PresentContent[] | undefined;
}

/** Everything of one kind that a service has now, told no earlier than the items of the walk so far. */
export interface PresentContent {
  /** Speaks of items of this source. */
  readonly source: string;
  /** Speaks only of items whose `contentId` begins so, such as `show:`; each of `contentIds` does, too. @default all */
  readonly prefix?: string | undefined;
  /** Whole things: `show:12` stands for the item `show:12` and for all that is within it, such as `show:12:s1e3`. */
  readonly contentIds: readonly string[];
}

/** A record that could not become an item. */
export interface PoisonRecord {
  /** snake_case, counted by it. */
  readonly reason: string;
  /** What is wrong, without the user's data. */
  readonly message: string;
  /** The record as it came, without secrets: parked, and given to `replay`. */
  readonly raw: unknown;
}

/**
 * Anything the core pages incrementally: one step per call, the engine owns the loop.
 *
 * - `HIST-1` a walk, page by page by its cursors, gives every item once at least, also when taken up again from any page,
 *   and when new ones arrive in between: those come in this walk or the next
 * - `HIST-2` asking again with the same request gives at least the same items, with the same keys
 * - `HIST-3` with `since` everything after it is given; without, everything
 * - `HIST-4` pages balance: `read = items + skipped + rejected`
 * - `HIST-5` items are whole, of this platform and of a declared source; personal data stays behind
 * - `HIST-6` one bad record is rejected, not the page; good ones around it survive
 * - `HIST-7` an aborted signal ends a call with `cancelled`, at once and without another request, also while one hangs
 * - `HIST-8` a walk ends: an empty account answers one page without items and `hasMore: false`
 * - `HIST-9` what the service answers in error becomes an `McaError` of the documented code
 * - `HIST-10` with `oldest-first` no page holds an item older than the page before it, but for the same second
 * - `HIST-11` a cursor that is not its own is refused with `invalid_data` `cursor_invalid`
 * - `HIST-12` with `backfill`, `until` bounds the walk: nothing at or after it is required, everything before it is given
 * - `HIST-13` with `keepsCursor`, a walk that begins with the last cursor of the one before gives what has come since
 * - `HIST-14` what `present` speaks of and does not name is gone: what a walk gives is named, what was removed at the service is not
 */
export interface IncrementalCapability {
  /** What its items come from, by source id. */
  readonly sources: Readonly<Record<string, SourceInfo>>;
  /** In which order a walk goes. Progress of `oldest-first` walks survives a lost cursor. */
  readonly order: 'oldest-first' | 'newest-first';
  /** Whether a walk can be bounded by `until`, so that old history is fetched apart from what is new. */
  readonly backfill: boolean;
  /**
   * The cursor of a last page is kept, and the next walk begins with it: for services that say what changed since they
   * were asked, in terms of their own. `cursor` is `undefined` only for everything: the first walk, `again`, a lost one. `since`
   * is then `undefined`, too, or the instant from which on the user wants anything at all.
   *
   * @default false
   */
  readonly keepsCursor?: boolean | undefined;
  /** How late the service may still tell of something, in milliseconds; so much is read again each time. @default 24 hours */
  readonly overlapMs?: number | undefined;
  /** The same for the weekly deep pass. @default 14 days */
  readonly deepOverlapMs?: number | undefined;
  /** Sensible pause between two syncs, in milliseconds. @default 1 hour */
  readonly intervalMs?: number | undefined;
  /** Scopes it needs, where the service has scopes. */
  readonly scopes?: readonly string[] | undefined;
  /** Fetches the page that follows `cursor`. */
  fetchPage(context: ProviderContext, request: PageRequest): Promise<ItemPage>;
  /** Makes items of parked records, after a fix: what `fetchPage` does to each record, without a network. */
  replay(raw: unknown): { readonly items: readonly MediaItem[]; readonly rejected: readonly PoisonRecord[] };
}

/** What the user consumed. */
export interface HistoryCapability extends IncrementalCapability {}
/** What the user liked or saved. */
export interface LibraryCapability extends IncrementalCapability {}
/** What the user rated. */
export interface RatingsCapability extends IncrementalCapability {}
