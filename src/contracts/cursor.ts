declare const cursorBrand: unique symbol;

/**
 * Where an incremental capability stands. Opaque to hosts; they only store and replay it.
 *
 * The core owns the envelope, the provider owns {@link CursorEnvelope.opaque}.
 */
export type Cursor = string & { readonly [cursorBrand]: true };

/** What a {@link Cursor} holds once decoded by the core. All times are epoch milliseconds. */
export interface CursorEnvelope {
  /** Envelope version; a newer one than the core knows is refused with reason `cursor_invalid`. */
  readonly v: 1;
  readonly provider: string;
  readonly capability: string;
  /** When the page was fetched. */
  readonly issuedAt: number;
  /** Newest event time that is safely stored, never in the future; where a lost page token falls back to. */
  readonly highWater?: number | undefined;
  /** Older events are not wanted: the user chose to start with what is new. */
  readonly floor?: number | undefined;
  /** Older history is fetched apart from what is new, up to this instant. */
  readonly backfillUntil?: number | undefined;
  /** Everything up to the end of a bounded walk has been fetched. */
  readonly isDone?: boolean | undefined;
  /** When the last deep pass began. */
  readonly deepAt?: number | undefined;
  /** The walk under way; absent between two walks. */
  readonly walk?: CursorWalk | undefined;
  /** Stretches the service has told of: `[source, account, from, to]`. */
  readonly coverage?:
    | readonly (readonly [source: string, account: string | null, from: number, to: number])[]
    | undefined;
  /** Stretches the service no longer told of when it was asked, oldest first; of more than 500 the nearest become one. */
  readonly gaps?: readonly (readonly [from: number, to: number])[] | undefined;
  /** The provider's own position within the walk; any JSON-safe string. Empty between two walks unless it is kept. */
  readonly opaque: string;
}

/** Bounds of a walk, and how far it has come. */
export interface CursorWalk {
  readonly startedAt: number;
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  readonly isDeep?: boolean | undefined;
  /** Newest event time met so far. */
  readonly seen?: number | undefined;
}
