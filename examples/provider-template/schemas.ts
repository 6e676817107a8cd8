import { z } from 'zod';

/** A play as the API tells it. */
export interface Play {
  readonly started_at: string;
  readonly track: string;
  readonly artist?: string | null | undefined;
  /** Time heard. */
  readonly seconds?: number | null | undefined;
  /** Of the track. */
  readonly length?: number | null | undefined;
}

/** One play. Forgiving: what is not needed may be missing, and fields may be added. */
export const play: z.ZodType<Play> = z.object({
  started_at: z.string(),
  track: z.string().min(1),
  artist: z.string().nullish(),
  seconds: z.number().nonnegative().nullish(),
  length: z.number().nonnegative().nullish(),
});

/** A page. Its records are checked one by one: a bad one must not take the others with it. */
export const playsPage: z.ZodType<{ readonly plays: readonly unknown[]; readonly next: string | null }> = z.object({
  plays: z.array(z.unknown()),
  next: z.string().nullable(),
});

/** Whose token it is. */
export const me: z.ZodType<{ readonly id: string; readonly name: string }> = z.object({
  id: z.string().min(1),
  name: z.string(),
});

/** How exports are read. Options are strict: a misspelt one is an error, not a surprise. */
export interface MyServiceImportOptions {
  readonly skip?:
    | {
        /** Advertisements the service logs as plays. @default true */
        readonly ads?: boolean | undefined;
      }
    | undefined;
}

/** Options with defaults filled in. */
export interface ResolvedImportOptions {
  readonly skip: { readonly ads: boolean };
}

export const importOptions: z.ZodType<ResolvedImportOptions, MyServiceImportOptions> = z.strictObject({
  skip: z.strictObject({ ads: z.boolean().default(true) }).prefault({}),
});
