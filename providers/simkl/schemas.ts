import { z } from 'zod';

/** Ids as texts, whichever way they came. What is not known comes as null, as an empty text, or not at all. */
export interface SimklIds {
  readonly simkl?: string | undefined;
  readonly slug?: string | undefined;
  readonly imdb?: string | undefined;
  readonly tmdb?: string | undefined;
  readonly tvdb?: string | undefined;
  readonly mal?: string | undefined;
  readonly anidb?: string | undefined;
}

/** A film, a show, or an anime of either kind. */
export interface SimklMedia {
  readonly title?: string | undefined;
  readonly year?: number | undefined;
  /** Minutes. */
  readonly runtime?: number | undefined;
  readonly ids: SimklIds;
}

/** What the user's lists say of one thing. */
export interface Entry {
  readonly status?: string | undefined;
  /** When it came to the user's lists: stays as it is whatever is watched later. */
  readonly added_to_watchlist_at?: string | undefined;
  readonly last_watched_at?: string | undefined;
  readonly user_rated_at?: string | undefined;
  readonly user_rating?: number | undefined;
  readonly anime_type?: string | undefined;
  readonly show?: SimklMedia | undefined;
  readonly movie?: SimklMedia | undefined;
}

/** A show with its episodes, and whatever else is said of it. */
export interface WithSeasons {
  readonly seasons: readonly {
    readonly number: unknown;
    readonly episodes?: readonly unknown[] | null | undefined;
  }[];
}

/** Part of the catalogue that something stands in. */
export type Kind = 'show' | 'anime' | 'movie';

/** One thing on the user's lists, or one episode of it. */
export interface Listed {
  readonly kind: Kind;
  readonly entry: Entry;
  readonly season?: number | undefined;
  /** The earliest `watched_at` of all its episodes. */
  readonly firstWatchedAt?: string | undefined;
  readonly episode?: { readonly number: number; readonly watched_at?: string | undefined } | undefined;
}

/** Lists of one type, as it calls them. An account without any answers `null`. */
export type Lists = Readonly<Partial<Record<'shows' | 'anime' | 'movies', readonly unknown[] | null | undefined>>>;

/** One thing on the user's lists, of which only its id is told, in a `show` or `movie` or by itself. */
export type ListedId = Readonly<Partial<Record<'show' | 'movie' | 'anime', { readonly ids: SimklIds } | undefined>>> & {
  readonly ids?: SimklIds | undefined;
};

/** When something last changed: `null` for never, `undefined` where nothing is said. */
export interface Changes {
  readonly all?: string | null | undefined;
  readonly rated_at?: string | null | undefined;
  readonly removed_from_list?: string | null | undefined;
}

/** When what last changed. */
export interface Activities {
  readonly all?: string | null | undefined;
  readonly tv_shows?: Changes | null | undefined;
  readonly anime?: Changes | null | undefined;
  readonly movies?: Changes | null | undefined;
}

/** Whose account it is. */
export interface Settings {
  readonly user?: { readonly name?: string | undefined } | undefined;
  readonly account: { readonly id: string };
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
const id = z
  .union([z.string(), z.int().transform(String)])
  .nullish()
  .catch(undefined)
  .transform((value) => value || undefined);
/** A moment. What stands there and is no text must not pass for an unknown one. */
const moment = z
  .string()
  .nullish()
  .transform((value) => value || undefined);

const ids = z
  .object({ simkl: id, slug: text, imdb: id, tmdb: id, tvdb: id, mal: id, anidb: id })
  .nullish()
  .transform((known) => known ?? {});
const media: z.ZodType<SimklMedia | undefined> = z
  .object({ title: text, year: count, runtime: count, ids })
  .nullish()
  .transform((value) => value ?? undefined);

const entry: z.ZodType<Entry> = z.object({
  status: text,
  // Only what has no date of its own needs it: whatever else stands there must not cost those that have one.
  added_to_watchlist_at: text,
  last_watched_at: moment,
  user_rated_at: moment,
  user_rating: z
    .int()
    .min(1)
    .max(10)
    .nullish()
    .transform((value) => value ?? undefined),
  anime_type: text,
  show: media,
  movie: media,
  // Those that can be read were taken apart.
  seasons: z.null().optional(),
});

export const listed: z.ZodType<Listed> = z.object({
  kind: z.enum(['show', 'anime', 'movie']),
  entry,
  season: z.int().nonnegative().optional(),
  firstWatchedAt: z.string().optional(),
  episode: z.object({ number: z.int().nonnegative(), watched_at: moment }).optional(),
});

/** A show whose episodes can be told apart; each of them is checked by itself. */
export const withSeasons: z.ZodType<WithSeasons> = z.looseObject({
  seasons: z.array(z.object({ number: z.unknown(), episodes: z.array(z.unknown()).nullish() })),
});

const list = z.array(z.unknown()).nullish();
export const lists: z.ZodType<Lists | null | undefined> = z
  .object({ shows: list, anime: list, movies: list })
  .nullish();

const named = z
  .object({ ids })
  .nullish()
  .transform((value) => value ?? undefined);
export const listedId: z.ZodType<ListedId> = z.object({ show: named, movie: named, anime: named, ids: ids.optional() });

const stamp = z.string().nullish();
const changes: z.ZodType<Changes | null | undefined> = z
  .object({ all: stamp, rated_at: stamp, removed_from_list: stamp })
  .nullish();
export const activities: z.ZodType<Activities> = z.object({
  all: stamp,
  tv_shows: changes,
  anime: changes,
  movies: changes,
});

export const settings: z.ZodType<Settings> = z.object({
  user: z
    .object({ name: text })
    .nullish()
    .transform((value) => value ?? undefined),
  account: z.object({ id: z.union([z.int().transform(String), z.string().min(1)]) }),
});
