import { z } from 'zod';

/** How Takeout files are read; see the table of skip rules in the README. */
export interface YouTubeImportOptions {
  readonly skip?:
    | {
        /** Advertisements that were shown. @default true */
        readonly ads?: boolean | undefined;
        /** Videos that were removed since: their time is known, nothing else. @default false */
        readonly removed?: boolean | undefined;
      }
    | undefined;
  /**
   * Minutes ahead of UTC (behind is negative) of the zone named in an HTML file, for names that several zones share
   * (CST, IST, BST). Such a file is refused without it.
   */
  readonly utcOffsetMinutes?: number | undefined;
}

/** Options with defaults filled in. */
export interface ResolvedImportOptions {
  readonly skip: { readonly ads: boolean; readonly removed: boolean };
  readonly utcOffsetMinutes?: number | undefined;
}

export const importOptions: z.ZodType<ResolvedImportOptions, YouTubeImportOptions> = z.strictObject({
  skip: z
    .strictObject({
      ads: z.boolean().default(true),
      removed: z.boolean().default(false),
    })
    .prefault({}),
  utcOffsetMinutes: z.int().min(-720).max(840).optional(),
});
