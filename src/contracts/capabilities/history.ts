import type { MediaItem } from '../media-item.ts';
import type { ProviderContext } from './context.ts';

/** One step of an incremental capability. */
export interface PageRequest {
  /** The provider's own position; `undefined` asks for the first (full) sync. */
  readonly cursor: string | undefined;
  readonly limit: number;
}

/** Items and where to go on. */
export interface ItemPage {
  readonly items: readonly MediaItem[];
  /** Position after this page. */
  readonly cursor: string;
  readonly hasMore: boolean;
}

/**
 * Anything the core pages incrementally: one step per call, the engine owns the loop.
 *
 * - `HIST-1` a page's cursor resumes after that page
 * - `HIST-2` asking again with the same cursor gives at least the same items
 */
export interface IncrementalCapability {
  /** Fetches the page that follows `cursor`. */
  fetchPage(context: ProviderContext, request: PageRequest): Promise<ItemPage>;
}

/** What the user consumed, newest or oldest first. */
export interface HistoryCapability extends IncrementalCapability {}
/** What the user liked or saved. */
export interface LibraryCapability extends IncrementalCapability {}
/** What the user rated. */
export interface RatingsCapability extends IncrementalCapability {}
