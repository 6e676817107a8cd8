declare const cursorBrand: unique symbol;

/**
 * Where an incremental capability stands. Opaque to hosts; they only store and replay it.
 *
 * The core owns the envelope, the provider owns {@link CursorEnvelope.opaque}.
 */
export type Cursor = string & { readonly [cursorBrand]: true };

/** What a {@link Cursor} holds once decoded by the core. */
export interface CursorEnvelope {
  /** Envelope version; a newer one than the core knows is refused with reason `cursor_invalid`. */
  readonly v: 1;
  readonly provider: string;
  readonly capability: string;
  /** When the page was fetched, epoch milliseconds. */
  readonly issuedAt: number;
  /** Newest event time that is safely stored, epoch milliseconds; where a lost page token falls back to. */
  readonly highWater?: number | undefined;
  /** The provider's own position; any JSON-safe string. */
  readonly opaque: string;
}
