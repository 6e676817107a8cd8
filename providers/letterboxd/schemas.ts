import type { StandardSchema } from '@mca/core/provider-kit';
import { z } from 'zod';

/** Files of the export that become items. */
export interface LetterboxdSectionOptions {
  /** `diary.csv`: `consumed`. @default true */
  readonly diary?: boolean | undefined;
  /** `watched.csv`, films marked as watched: `consumed`, without a date. @default true */
  readonly watched?: boolean | undefined;
  /** `ratings.csv`: `rated`. @default true */
  readonly ratings?: boolean | undefined;
  /** `likes/films.csv`: `liked`. @default true */
  readonly likes?: boolean | undefined;
  /** `watchlist.csv`: `saved`. @default true */
  readonly watchlist?: boolean | undefined;
}

/** Which rows to leave out; each is counted by its reason in the report. */
export interface LetterboxdSkipOptions {
  /** Films and viewings of an unknown date, which come as of the first second of 1970 (`undated`). @default false */
  readonly undated?: boolean | undefined;
}

/** Options of the provider, and of a single import on top of them. */
export interface LetterboxdOptions {
  /** Files turned off are counted as `section_off`. @default all */
  readonly sections?: LetterboxdSectionOptions | undefined;
  readonly skip?: LetterboxdSkipOptions | undefined;
}

/** {@link LetterboxdOptions} with all defaults filled in, and what the files of one import know of each other. */
export interface ResolvedLetterboxdOptions {
  readonly sections: {
    readonly diary: boolean;
    readonly watched: boolean;
    readonly ratings: boolean;
    readonly likes: boolean;
    readonly watchlist: boolean;
  };
  readonly skip: { readonly undated: boolean };
  /** Films whose first viewing the diary of this import tells, each with its mark once one was met; added while it is read. */
  readonly firstViewings?: Map<string, string | undefined> | undefined;
}

/** Validates {@link LetterboxdOptions}; unknown options are errors. */
export const letterboxdOptionsSchema: StandardSchema<ResolvedLetterboxdOptions, LetterboxdOptions> = z.strictObject({
  sections: z
    .strictObject({
      diary: z.boolean().default(true),
      watched: z.boolean().default(true),
      ratings: z.boolean().default(true),
      likes: z.boolean().default(true),
      watchlist: z.boolean().default(true),
    })
    .prefault({}),
  skip: z.strictObject({ undated: z.boolean().default(false) }).prefault({}),
});
