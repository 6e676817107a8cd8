import type { StandardSchema } from '@mca/core/provider-kit';
import { z } from 'zod';
import type { DateOrder } from './dates.ts';

/** Which rows to leave out; each is counted by its reason in the report. */
export interface NetflixSkipOptions {
  /** Trailers, hooks, recaps, bumpers and other clips (`trailer`). @default true */
  readonly trailers?: boolean | undefined;
  /** Previews that began without anybody asking, `Autoplayed: user action: None` (`autoplay_preview`). @default true */
  readonly autoplayed?: boolean | undefined;
  /** Views that the user hid from the viewing activity (`hidden`). @default false */
  readonly hidden?: boolean | undefined;
  /** Views shorter than this, where the file says how long they were (`too_short`). @default no limit */
  readonly shorterThanMs?: number | undefined;
}

/** Options of the provider, and of a single import on top of them. */
export interface NetflixOptions {
  /** How `NetflixViewingHistory.csv` writes dates; needed only when the file does not show it. @default found out */
  readonly dateOrder?: DateOrder | undefined;
  /** Import dates that could mean two things, as month/day/year and with a warning, in place of refusing them. @default false */
  readonly allowAmbiguous?: boolean | undefined;
  /**
   * Profile that `NetflixViewingHistory.csv` belongs to, which the file itself does not say. Give it when you import
   * such files of several people for one user, or their views of one title on one day become one.
   *
   * @default none
   */
  readonly profile?: string | undefined;
  /** Profiles to import from the full data request (`other_profile` counts the rest). @default all */
  readonly profiles?: readonly string[] | undefined;
  readonly skip?: NetflixSkipOptions | undefined;
}

/** {@link NetflixOptions} with all defaults filled in. */
export interface ResolvedNetflixOptions {
  readonly dateOrder?: DateOrder | undefined;
  readonly allowAmbiguous: boolean;
  readonly profile?: string | undefined;
  readonly profiles?: readonly string[] | undefined;
  readonly skip: {
    readonly trailers: boolean;
    readonly autoplayed: boolean;
    readonly hidden: boolean;
    readonly shorterThanMs: number;
  };
}

const profileName = z.string().trim().min(1).max(200);

/** Validates {@link NetflixOptions}; unknown options are errors. */
export const netflixOptionsSchema: StandardSchema<ResolvedNetflixOptions, NetflixOptions> = z.strictObject({
  dateOrder: z.enum(['MDY', 'DMY', 'YMD']).optional(),
  allowAmbiguous: z.boolean().default(false),
  profile: profileName.optional(),
  profiles: z.array(profileName).min(1).readonly().optional(),
  skip: z
    .strictObject({
      trailers: z.boolean().default(true),
      autoplayed: z.boolean().default(true),
      hidden: z.boolean().default(false),
      shorterThanMs: z.number().int().nonnegative().default(0),
    })
    .prefault({}),
});
