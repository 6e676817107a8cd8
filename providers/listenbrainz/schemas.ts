import { z } from 'zod';

/** The service takes nothing older, epoch milliseconds: 1 October 2002. */
export const FIRST_LISTEN_MS = 1_033_430_400_000;

/** One listen. `additional_info` is free-form user data: nothing in it can be relied on. */
export interface Listen {
  /** Seconds. */
  readonly listened_at: number;
  readonly recording_msid?: string | null | undefined;
  readonly track_metadata: {
    /** Where older exports have it. */
    readonly recording_msid?: string | null | undefined;
    readonly artist_name: string;
    readonly track_name: string;
    readonly release_name?: string | null | undefined;
    readonly additional_info?: Readonly<Record<string, unknown>> | null | undefined;
    readonly mbid_mapping?: { readonly recording_mbid?: string | null | undefined } | null | undefined;
  };
}

/** A page of listens, newest first whatever was asked for. */
export interface ListensPage {
  readonly payload: {
    readonly listens: readonly unknown[];
    readonly latest_listen_ts?: number | null | undefined;
  };
}

/** `valid` is missing on servers that speak only part of the API: what they answer with 200 is a yes. */
export interface Validation {
  readonly valid?: boolean | null | undefined;
  readonly user_name?: string | null | undefined;
}

export const listen: z.ZodType<Listen> = z.object({
  listened_at: z.int().positive(),
  recording_msid: z.string().nullish(),
  track_metadata: z.object({
    recording_msid: z.string().nullish().catch(undefined),
    artist_name: z.string().min(1),
    track_name: z.string().min(1),
    release_name: z.string().nullish(),
    additional_info: z.record(z.string(), z.unknown()).nullish().catch(undefined),
    mbid_mapping: z.object({ recording_mbid: z.string().nullish() }).nullish().catch(undefined),
  }),
});

export const listensPage: z.ZodType<ListensPage> = z.object({
  payload: z.object({ listens: z.array(z.unknown()), latest_listen_ts: z.number().nullish() }),
});

/** The moment of a record that may be bad otherwise. */
export const stamp: z.ZodType<Pick<Listen, 'listened_at'>> = z.object({ listened_at: z.int().positive() });

export const validation: z.ZodType<Validation> = z.object({
  valid: z.boolean().nullish(),
  user_name: z.string().nullish(),
});
