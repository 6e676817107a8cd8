import type { StandardSchema } from '@mca/core/provider-kit';
import { z } from 'zod';

/** Sections of the export that become items. */
export interface TikTokSectionOptions {
  /** Watch history: `consumed`. @default true */
  readonly watch?: boolean | undefined;
  /** Like list: `liked`. @default true */
  readonly likes?: boolean | undefined;
  /** Favourite videos: `saved`. @default true */
  readonly favorites?: boolean | undefined;
  /** Live streams watched: `consumed`, subtype `live`. @default true */
  readonly live?: boolean | undefined;
}

/** Which rows to leave out; each is counted by its reason in the report. */
export interface TikTokSkipOptions {
  /**
   * Watches of the same video as the row before, at most this much apart (`replay`): a video that starts over or is
   * scrolled back to. Of a chain the newest stays.
   *
   * @default keep every row
   */
  readonly replaysWithinMs?: number | undefined;
}

/** Options of the provider, and of a single import on top of them. */
export interface TikTokOptions {
  /** Sections turned off are counted as `section_off`. @default all */
  readonly sections?: TikTokSectionOptions | undefined;
  readonly skip?: TikTokSkipOptions | undefined;
}

/** {@link TikTokOptions} with all defaults filled in. */
export interface ResolvedTikTokOptions {
  readonly sections: {
    readonly watch: boolean;
    readonly likes: boolean;
    readonly favorites: boolean;
    readonly live: boolean;
  };
  readonly skip: { readonly replaysWithinMs?: number | undefined };
}

/** Validates {@link TikTokOptions}; unknown options are errors. */
export const tiktokOptionsSchema: StandardSchema<ResolvedTikTokOptions, TikTokOptions> = z.strictObject({
  sections: z
    .strictObject({
      watch: z.boolean().default(true),
      likes: z.boolean().default(true),
      favorites: z.boolean().default(true),
      live: z.boolean().default(true),
    })
    .prefault({}),
  skip: z.strictObject({ replaysWithinMs: z.number().int().nonnegative().optional() }).prefault({}),
});
