import { z } from 'zod';

/** Ids of a film, show, season or episode, as texts. What is not known comes as null, as an empty text, or not at all. */
export interface TraktIds {
  readonly trakt?: string | undefined;
  readonly slug?: string | undefined;
  readonly imdb?: string | undefined;
  readonly tmdb?: string | undefined;
  readonly tvdb?: string | undefined;
}

/** A film, show, season or episode, as short as lists have it. */
export interface TraktMedia {
  readonly title?: string | undefined;
  readonly year?: number | undefined;
  /** Season of an episode. */
  readonly season?: number | undefined;
  /** Of a season, or of an episode within its season. */
  readonly number?: number | undefined;
  readonly ids: TraktIds;
}

/** Which of these is there says the `type` of the record. */
export interface TraktRecord {
  readonly type: string;
  readonly movie?: TraktMedia | null | undefined;
  readonly show?: TraktMedia | null | undefined;
  readonly season?: TraktMedia | null | undefined;
  readonly episode?: TraktMedia | null | undefined;
}

/** One play. */
export interface Play extends TraktRecord {
  /** Of this one play, never of what was watched. */
  readonly id: string;
  readonly watched_at?: string | null | undefined;
  /** `scrobble`, `checkin` or `watch`. */
  readonly action?: string | undefined;
}

/** One rating. There is one for each film, show, season and episode: rating again replaces it. */
export interface Rating extends TraktRecord {
  readonly rated_at?: string | null | undefined;
  readonly rating: number;
}

/** Whose account it is. */
export interface Settings {
  readonly user: {
    readonly username?: string | undefined;
    readonly ids: { readonly uuid?: string | undefined; readonly slug: string };
  };
}

const text = z
  .string()
  .nullish()
  .catch(undefined)
  .transform((value) => value?.trim() || undefined);
const count = z
  .int()
  .nonnegative()
  .nullish()
  .catch(undefined)
  .transform((value) => value ?? undefined);
/** Of other catalogues, so anything that is no id is as good as none. */
const id = z
  .union([z.string(), z.int().transform(String)])
  .nullish()
  .catch(undefined)
  .transform((value) => value || undefined);

const ids: z.ZodType<TraktIds> = z
  .object({ trakt: id, slug: id, imdb: id, tmdb: id, tvdb: id })
  .nullish()
  .transform((known) => known ?? {});

const media: z.ZodType<TraktMedia | null | undefined> = z
  .object({ title: text, year: count, season: count, number: count, ids })
  .nullish();
const what = { type: z.string(), movie: media, show: media, season: media, episode: media };

/** Ids are 64 bits wide. Those that JavaScript cannot hold exactly are refused: two plays might become one. */
const historyId = z.union([z.int().positive().transform(String), z.string().regex(/^[1-9]\d{0,18}$/)]);

export const play: z.ZodType<Play> = z.object({
  ...what,
  id: historyId,
  watched_at: z.string().nullish(),
  action: text,
});

export const rating: z.ZodType<Rating> = z.object({
  ...what,
  rated_at: z.string().nullish(),
  rating: z.int().min(1).max(10),
});

/** What a record is about, though it may be bad otherwise. */
export const listed: z.ZodType<TraktRecord> = z.object(what);

/** When what last changed in the account. */
export interface Activities {
  /** Anything at all. */
  readonly all?: string | undefined;
  /** `null` where there are no plays, absent in older versions. */
  readonly movies?: { readonly watched_at?: string | null | undefined } | undefined;
  readonly episodes?: { readonly watched_at?: string | null | undefined } | undefined;
}

const watched = z
  .object({ watched_at: z.string().nullish().catch(undefined) })
  .optional()
  .catch(undefined);
export const activities: z.ZodType<Activities> = z.object({ all: text, movies: watched, episodes: watched });

/** A page is a bare list. Its records are checked one by one. */
export const page: z.ZodType<readonly unknown[]> = z.array(z.unknown());

/** Id and moment of a play that may be bad otherwise. */
export interface PlayStamp {
  readonly id?: string | undefined;
  readonly watched_at?: string | undefined;
}
export const playStamp: z.ZodType<PlayStamp> = z.object({
  id: historyId.optional().catch(undefined),
  watched_at: text,
});

export const settings: z.ZodType<Settings> = z.object({
  user: z.object({
    username: text,
    ids: z.object({ uuid: text, slug: z.string().min(1) }),
  }),
});
