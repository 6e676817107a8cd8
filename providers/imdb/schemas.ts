import type { StandardSchema } from '@mca/core/provider-kit';
import { z } from 'zod';

/** Files that become items. */
export interface ImdbSectionOptions {
  /** The export of ratings: `rated`. @default true */
  readonly ratings?: boolean | undefined;
  /** Exports of the watchlist and of other lists: `saved`. @default true */
  readonly lists?: boolean | undefined;
}

/** Options of the provider, and of a single import on top of them. */
export interface ImdbOptions {
  /** Files turned off are counted as `section_off`. @default all */
  readonly sections?: ImdbSectionOptions | undefined;
}

/** {@link ImdbOptions} with all defaults filled in. */
export interface ResolvedImdbOptions {
  readonly sections: { readonly ratings: boolean; readonly lists: boolean };
}

/** Validates {@link ImdbOptions}; unknown options are errors. */
export const imdbOptionsSchema: StandardSchema<ResolvedImdbOptions, ImdbOptions> = z.strictObject({
  sections: z.strictObject({ ratings: z.boolean().default(true), lists: z.boolean().default(true) }).prefault({}),
});
