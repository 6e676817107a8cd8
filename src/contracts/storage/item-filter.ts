import type { MediaAction, MediaType } from '../media-item.ts';

/** Which items. Fields combine with AND, lists within a field with OR. */
export interface ItemFilter {
  readonly userId: string;
  readonly platforms?: readonly string[] | undefined;
  readonly types?: readonly MediaType[] | undefined;
  readonly actions?: readonly MediaAction[] | undefined;
  /** First instant, included. */
  readonly from?: Date | undefined;
  /** Last instant, excluded. */
  readonly to?: Date | undefined;
  readonly tag?: string | undefined;
  /** Part of title or creator; letter case does not matter, in any script. */
  readonly text?: string | undefined;
  /** Only items of at least this time spent, in milliseconds; items of unknown time spent are left out. */
  readonly minTimeSpentMs?: number | undefined;
  readonly connectionId?: string | undefined;
  readonly importId?: string | undefined;
  /** Items that a finer source covers; computed by the core from coverage. */
  readonly hidden?: readonly HiddenRange[] | undefined;
}

/**
 * Items of one coarse source that reads leave out because finer sources tell the same interval better.
 * Only `consumed` items are ever hidden. Times are epoch milliseconds of `consumedAt`.
 */
export interface HiddenRange {
  readonly platform: string;
  readonly source: string;
  /** Connections that may hold the same account: hidden items are theirs, and so are the finer ones that hide them. */
  readonly connectionIds: readonly string[];
  /** Set when the finer items belong to one profile: items labelled with another are not hidden. */
  readonly account?: string | undefined;
  /** Hidden whatever they are: first and last instant, both included. */
  readonly from: number;
  readonly to: number;
  /** At the edges, both ends included: hidden only if a finer `consumed` item of exactly the same title lies within reach. */
  readonly edges: readonly { readonly from: number; readonly to: number }[];
  readonly finerSources: readonly string[];
  /** How far before and after `consumedAt` the same event may lie in a finer source. */
  readonly reachBeforeMs: number;
  readonly reachAfterMs: number;
}
