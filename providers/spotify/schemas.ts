import { z } from 'zod';

/** How Spotify exports are read; see the table of skip rules in the README. */
export interface SpotifyImportOptions {
  readonly skip?:
    | {
        /** Plays in a private session. @default true */
        readonly incognito?: boolean | undefined;
        /** Plays shorter than this, in milliseconds. @default 0, none */
        readonly shorterThanMs?: number | undefined;
      }
    | undefined;
}

/** Options with defaults filled in. */
export interface ResolvedImportOptions {
  readonly skip: { readonly incognito: boolean; readonly shorterThanMs: number };
}

export const importOptions: z.ZodType<ResolvedImportOptions, SpotifyImportOptions> = z.strictObject({
  skip: z
    .strictObject({
      incognito: z.boolean().default(true),
      shorterThanMs: z.int().min(0).default(0),
    })
    .prefault({}),
});
