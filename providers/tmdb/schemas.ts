import { z } from 'zod';

/** A film, show or episode, with what is appended to it. Unknown dates are empty, unknown lengths 0 or null. */
export interface Described {
  readonly id: string;
  readonly title?: string | undefined;
  readonly year?: number | undefined;
  /** Minutes. */
  readonly runtime?: number | undefined;
  readonly tags: readonly string[];
  readonly imdb?: string | undefined;
  readonly tvdb?: string | undefined;
}

/** What an id of another catalogue names; a list for each kind, mostly empty. */
export interface Found {
  readonly movie_results: readonly { readonly id: string }[];
  readonly tv_results: readonly { readonly id: string }[];
  readonly tv_episode_results: readonly FoundEpisode[];
}

/** An episode is asked for by its place in its show. */
export interface FoundEpisode {
  readonly show_id: string;
  readonly season_number: number;
  readonly episode_number: number;
}

const number = z.int().positive().transform(String);
const text = z
  .string()
  .nullish()
  .catch(undefined)
  .transform((value) => value?.trim() || undefined);
const minutes = z
  .int()
  .positive()
  .nullish()
  .catch(undefined)
  .transform((value) => value ?? undefined);
const year = text.transform((date) => {
  const [, found] = /^([12]\d{3})-/.exec(date ?? '') ?? [];
  return found === undefined ? undefined : Number(found);
});
const imdb = text.transform((id) => (/^tt\d+$/.test(id ?? '') ? id : undefined));
const tvdb = number.nullish().catch(undefined);
const names = z
  .array(z.object({ name: text }))
  .nullish()
  .catch(undefined)
  .transform((all) => (all ?? []).map(({ name }) => name?.toLowerCase()).filter((name) => name !== undefined));

// What is appended is left out without a word where TMDB could not get it.
const external = z.object({ imdb_id: imdb, tvdb_id: tvdb }).nullish().catch(undefined);

export const movie: z.ZodType<Described> = z
  .object({
    id: number,
    title: text,
    original_title: text,
    release_date: year,
    runtime: minutes,
    imdb_id: imdb,
    genres: names,
    keywords: z.object({ keywords: names }).nullish().catch(undefined),
    external_ids: external,
  })
  .transform(({ id, title, original_title: original, release_date: released, runtime, ...rest }) => ({
    id,
    title: title ?? original,
    year: released,
    runtime,
    tags: distinct([...rest.genres, ...(rest.keywords?.keywords ?? [])]),
    imdb: rest.imdb_id ?? rest.external_ids?.imdb_id,
    tvdb: rest.external_ids?.tvdb_id ?? undefined,
  }));

export const show: z.ZodType<Described> = z
  .object({
    id: number,
    name: text,
    original_name: text,
    first_air_date: year,
    episode_run_time: z.array(minutes).nullish().catch(undefined),
    genres: names,
    // Of films they are called `keywords`.
    keywords: z.object({ results: names }).nullish().catch(undefined),
    external_ids: external,
  })
  .transform(({ id, name, original_name: original, first_air_date: aired, ...rest }) => ({
    id,
    title: name ?? original,
    year: aired,
    runtime: rest.episode_run_time?.[0],
    tags: distinct([...rest.genres, ...(rest.keywords?.results ?? [])]),
    imdb: rest.external_ids?.imdb_id,
    tvdb: rest.external_ids?.tvdb_id ?? undefined,
  }));

export const episode: z.ZodType<Described> = z
  .object({ id: number, name: text, air_date: year, runtime: minutes, external_ids: external })
  .transform(({ id, name, air_date: aired, runtime, external_ids: ids }) => ({
    id,
    title: name,
    year: aired,
    runtime,
    tags: [],
    imdb: ids?.imdb_id,
    tvdb: ids?.tvdb_id ?? undefined,
  }));

function list<Entry>(entry: z.ZodType<Entry>): z.ZodType<readonly Entry[]> {
  return z
    .array(entry)
    .nullish()
    .transform((all) => all ?? []);
}
const place = z.int().nonnegative();

export const found: z.ZodType<Found> = z.object({
  movie_results: list(z.object({ id: number })),
  tv_results: list(z.object({ id: number })),
  tv_episode_results: list(z.object({ show_id: number, season_number: place, episode_number: place })),
});

/** What is answered to a good key. */
export const authentication: z.ZodType<{ readonly success: boolean }> = z.object({ success: z.boolean() });

function distinct(all: readonly string[]): readonly string[] {
  return [...new Set(all)];
}
