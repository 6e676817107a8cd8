import type { MediaItem } from '../media-item.ts';
import type { ProviderContext } from './context.ts';

/** What a service said to one submitted item. */
export type SubmitOutcome = { readonly outcome: 'accepted' } | { readonly outcome: 'ignored'; readonly reason: string };

/**
 * Writing plays out.
 *
 * - `SCROB-1` one outcome per item, in order
 */
export interface ScrobblingCapability {
  readonly maxItemsPerCall: number;
  /** Submits plays and answers what became of each, in order. */
  submit(context: ProviderContext, items: readonly MediaItem[]): Promise<readonly SubmitOutcome[]>;
}

/** Tells the service what plays right now. Fire and forget. */
export interface NowPlayingCapability {
  /** Shows the item as playing; failures are not told to anybody. */
  update(
    context: ProviderContext,
    item: Pick<MediaItem, 'type' | 'title' | 'creator' | 'ids' | 'durationMs'>,
  ): Promise<void>;
}

/** Writing ratings out, on the scale of 0 to 10 of `MediaItem.rating`; the provider converts. */
export interface RatingWritingCapability {
  readonly maxItemsPerCall: number;
  /** Submits ratings and answers what became of each, in order. */
  rate(context: ProviderContext, items: readonly MediaItem[]): Promise<readonly SubmitOutcome[]>;
}

/** Who is this, and is the key still good? Asked when an account is connected, and whenever the host wants to know. */
export interface SessionCheckCapability {
  /** Asks the service about the key. `valid: false` when it says no; errors only for what is no answer. */
  check(context: ProviderContext): Promise<SessionCheck>;
}

/** What the service says about a key. */
export interface SessionCheck {
  readonly valid: boolean;
  /** The service's own id of the account, one that never changes where it has one; else the user's name. */
  readonly account?: string | undefined;
  /** Name to show. */
  readonly label?: string | undefined;
}
