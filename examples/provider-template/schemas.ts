import { z } from 'zod';

/** How exports are read. Options are strict: a misspelt one is an error, not a surprise. */
export interface MyServiceOptions {
  readonly skip?:
    | {
        /** Advertisements the service logs as plays. @default true */
        readonly ads?: boolean | undefined;
      }
    | undefined;
}

/** Options with defaults filled in. */
export interface ResolvedOptions {
  readonly skip: { readonly ads: boolean };
}

export const importOptions: z.ZodType<ResolvedOptions, MyServiceOptions> = z.strictObject({
  skip: z.strictObject({ ads: z.boolean().default(true) }).prefault({}),
});
