import type { StandardSchema } from '@mca/core/provider-kit';
import { z } from 'zod';

/** What the exclusive shelves mean; each book stands on one of them. Other shelves are counted as `other_shelf`. */
export interface GoodreadsShelfOptions {
  /** Shelves of books that were read: `consumed`. @default ['read'] */
  readonly read?: readonly string[] | undefined;
  /** Shelves of books to read: `saved`. @default ['to-read'] */
  readonly saved?: readonly string[] | undefined;
}

/** Which records to leave out; each is counted by its reason in the report. */
export interface GoodreadsSkipOptions {
  /** Readings of an unknown date, which come as of the first second of 1970 (`undated`). @default false */
  readonly undated?: boolean | undefined;
  /** Ratings (`rating_off`). @default false */
  readonly ratings?: boolean | undefined;
}

/** Options of the provider, and of a single import on top of them. */
export interface GoodreadsOptions {
  readonly shelves?: GoodreadsShelfOptions | undefined;
  readonly skip?: GoodreadsSkipOptions | undefined;
}

/** {@link GoodreadsOptions} with all defaults filled in. */
export interface ResolvedGoodreadsOptions {
  readonly shelves: { readonly read: readonly string[]; readonly saved: readonly string[] };
  readonly skip: { readonly undated: boolean; readonly ratings: boolean };
}

const shelfNames = z.array(z.string().trim().toLowerCase().min(1).max(200)).readonly();

/** Validates {@link GoodreadsOptions}; unknown options are errors. */
export const goodreadsOptionsSchema: StandardSchema<ResolvedGoodreadsOptions, GoodreadsOptions> = z.strictObject({
  shelves: z.strictObject({ read: shelfNames.default(['read']), saved: shelfNames.default(['to-read']) }).prefault({}),
  skip: z.strictObject({ undated: z.boolean().default(false), ratings: z.boolean().default(false) }).prefault({}),
});
