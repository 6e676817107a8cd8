import { z } from 'zod';

/**
 * A track, as far as it is needed. Apps of before and after February 2026 get different fields: what only some of them
 * get is optional, and most of it is not even named here.
 */
export interface Track {
  /** Files of the user's own have none. */
  readonly id?: string | null | undefined;
  readonly uri?: string | null | undefined;
  readonly name?: string | null | undefined;
  readonly duration_ms?: number | null | undefined;
  readonly artists?: readonly { readonly name?: string | null | undefined }[] | null | undefined;
  readonly album?: { readonly name?: string | null | undefined } | null | undefined;
  readonly external_ids?: { readonly isrc?: string | null | undefined } | null | undefined;
}

/** A play. `played_at` is its end. */
export interface Play {
  readonly played_at: string;
  readonly track?: Track | null | undefined;
  readonly context?: { readonly uri?: string | null | undefined } | null | undefined;
}

/** A track the user saved. It is null when the catalogue has lost it. */
export interface SavedTrack {
  readonly added_at: string;
  readonly track?: Track | null | undefined;
}

/** A page of a list with offsets. The service may give less than was asked for, and says so in `limit`. */
export interface OffsetPage {
  readonly items: readonly unknown[];
  readonly limit?: number | null | undefined;
  readonly next?: string | null | undefined;
  readonly total?: number | null | undefined;
}

/** `account_id` never changes, but only answers of since May 2026 have it. */
export interface Profile {
  readonly id: string;
  readonly account_id?: string | null | undefined;
  readonly display_name?: string | null | undefined;
}

const track: z.ZodType<Track> = z.object({
  id: z.string().nullish(),
  uri: z.string().nullish(),
  name: z.string().nullish(),
  duration_ms: z.number().nonnegative().nullish().catch(undefined),
  artists: z
    .array(z.object({ name: z.string().nullish() }))
    .nullish()
    .catch(undefined),
  album: z.object({ name: z.string().nullish() }).nullish().catch(undefined),
  external_ids: z.object({ isrc: z.string().nullish() }).nullish().catch(undefined),
});

export const play: z.ZodType<Play> = z.object({
  played_at: z.string(),
  track: track.nullish(),
  context: z.object({ uri: z.string().nullish() }).nullish().catch(undefined),
});

export const savedTrack: z.ZodType<SavedTrack> = z.object({ added_at: z.string(), track: track.nullish() });

/** Recently played: the window as one page. Its cursors lead nowhere and are not read. */
export const playsPage: z.ZodType<{ readonly items: readonly unknown[] }> = z.object({ items: z.array(z.unknown()) });

export const offsetPage: z.ZodType<OffsetPage> = z.object({
  items: z.array(z.unknown()),
  limit: z.int().positive().nullish().catch(undefined),
  next: z.string().nullish(),
  total: z.number().nullish().catch(undefined),
});

export const profile: z.ZodType<Profile> = z.object({
  id: z.string().min(1),
  account_id: z.string().nullish(),
  display_name: z.string().nullish(),
});

/** The moments of records that may be bad otherwise. */
export const playStamp: z.ZodType<{
  readonly played_at: string;
  readonly track?: { readonly duration_ms?: number | null | undefined } | null | undefined;
}> = z.object({
  played_at: z.string(),
  track: z.object({ duration_ms: z.number().nonnegative().nullish() }).nullish().catch(undefined),
});
export const savedStamp: z.ZodType<{ readonly added_at: string }> = z.object({ added_at: z.string() });
