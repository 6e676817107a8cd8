import type { ItemKey, StoredItem } from '../media-item.ts';
import type { ItemFilter } from './item-filter.ts';

/** Position between two pages: everything after this item in reading order. */
export interface Keyset {
  /** Epoch milliseconds. */
  readonly consumedAt: number;
  readonly platform: string;
  readonly externalId: string;
}

/** One page of reading. `oldest` orders by time, then platform, then external id by code point; `newest` is its exact reverse. */
export interface ItemQuery extends ItemFilter {
  readonly order: 'newest' | 'oldest';
  readonly limit: number;
  readonly after?: Keyset | undefined;
}

/** Half-open intervals in epoch milliseconds; items of day precision use their own, so that zones never shift them. */
export interface TimeBucket {
  readonly from: number;
  readonly to: number;
  readonly dayFrom: number;
  readonly dayTo: number;
}

/** Sums over a group of items. */
export interface Tally {
  readonly items: number;
  /** Sum of known time spent, in milliseconds. */
  readonly timeSpentMs: number;
}

/** What items can be grouped by. `title` groups by title and creator together. */
export type GroupField = 'platform' | 'type' | 'subtype' | 'creator' | 'title' | 'source';

/** One group with its sums. */
export interface GroupTally extends Tally {
  /** Value of the field; empty when the items have none. */
  readonly value: string;
  /** With `title`: the creator. */
  readonly creator?: string | undefined;
  readonly firstAt: Date;
  readonly lastAt: Date;
}

/** An entry of the change feed. Delivered at least once; apply by key. */
export type Change =
  | { readonly type: 'stored'; readonly sequence: number; readonly item: StoredItem }
  | { readonly type: 'removed'; readonly sequence: number; readonly key: ItemKey };

/**
 * Reading.
 *
 * - `READ-1` every field of the filter narrows, and they combine with AND
 * - `READ-2` pages follow one another without gap or repeat, also at equal times and while others write
 * - `READ-3` nobody sees another user's items
 * - `READ-4` hidden ranges leave out exactly the items they name
 * - `READ-5` timeline sums equal the sums of the items read one by one; day precision uses the day bounds
 * - `READ-6` groups are ordered by items (or time spent), ties by value, and cut at the limit
 * - `READ-7` text search finds any script in any case
 * - `READ-8` the feed shows each write with a growing sequence, deletions included, none left out
 * - `READ-9` a deleted item is gone from every read; deleting it again answers false
 */
export interface ReadVerbs {
  /** One page of items, in reading order. */
  queryItems(query: ItemQuery): Promise<readonly StoredItem[]>;
  /** One tally per bucket, in the order given. */
  timeline(filter: ItemFilter, buckets: readonly TimeBucket[]): Promise<readonly Tally[]>;
  /** Groups with their sums, the largest first. */
  groups(
    filter: ItemFilter,
    request: { readonly by: GroupField; readonly orderBy: 'items' | 'timeSpent'; readonly limit: number },
  ): Promise<readonly GroupTally[]>;
  /** Number of items, time spent, first and last event. */
  summary(
    filter: ItemFilter,
  ): Promise<Tally & { readonly firstAt?: Date | undefined; readonly lastAt?: Date | undefined }>;
  /** Changes after a sequence, oldest first; `userId` narrows. */
  changes(request: {
    readonly after: number;
    readonly limit: number;
    readonly userId?: string | undefined;
  }): Promise<readonly Change[]>;
  /** Deletes one item for good: re-imports do not bring it back. */
  deleteItem(key: ItemKey): Promise<boolean>;
}
