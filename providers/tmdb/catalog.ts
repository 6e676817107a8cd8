import {
  type CatalogEntry,
  type CatalogLookup,
  type HttpRequest,
  McaError,
  type MediaIds,
  type ProviderContext,
} from '@mca/core/provider-kit';
import { entryOf, type Kind, type Place, placeIn } from './normalise.ts';
import { type Described, episode, found, movie, show } from './schemas.ts';

/** Catalogues whose ids TMDB can be asked for. */
const SOURCES = [
  { name: 'imdb', source: 'imdb_id', form: /^tt\d+$/ },
  { name: 'tvdb', source: 'tvdb_id', form: /^[1-9]\d*$/ },
] as const;

/** Lookups by the ids of other catalogues, and what stands behind an id of TMDB's. Titles and tags are in `language`. */
export function catalog(language: string): CatalogLookup {
  return {
    async lookup(context, ids, subtype) {
      const direct = await byOwnId(context, ids, subtype, language);
      if (direct) return direct;
      for (const { name, source, form } of SOURCES) {
        const id = ids[name];
        if (id === undefined || !form.test(id)) continue;
        const places = (await find(context, source, id, language)).filter(({ kind }) => kind === (subtype ?? kind));
        const [only, ...others] = places;
        // Numbers of TheTVDB overlap: which of several is meant nobody can say.
        if (!only || others.length > 0) continue;
        const entry = await describe(context, only, language);
        if (entry) return { ...entry, ids: { ...entry.ids, [name]: id } };
      }
      return undefined;
    },
    async details(context, id) {
      const place = placeIn(id);
      return place && describe(context, place, language);
    },
  };
}

/** Films and shows are numbered apart, so that a number says nothing without its kind; episodes have no address of their own. */
async function byOwnId(
  context: ProviderContext,
  { tmdb = '' }: MediaIds,
  subtype: string | undefined,
  language: string,
): Promise<CatalogEntry | undefined> {
  const prefix = subtype === 'movie' ? 'movie' : subtype === 'tv_show' ? 'tv' : undefined;
  const place = prefix && placeIn(`${prefix}:${tmdb}`);
  return place && describe(context, place, language);
}

async function find(
  { http }: ProviderContext,
  source: string,
  id: string,
  language: string,
): Promise<readonly Place[]> {
  const {
    movie_results: movies,
    tv_results: shows,
    tv_episode_results: episodes,
  } = await http.request({
    path: `find/${id}`,
    operation: 'find',
    query: { external_source: source, language },
    schema: found,
  });
  return [
    ...movies.map(({ id }) => ({ kind: 'movie' as const, id })),
    ...shows.map(({ id }) => ({ kind: 'tv_show' as const, id })),
    ...episodes.map(({ show_id: id, season_number: season, episode_number: number }) => ({
      kind: 'tv_episode' as const,
      id,
      season,
      number,
    })),
  ];
}

/** What stands at a place, with everything appended in one request; an episode takes its tags from its show. */
async function describe(context: ProviderContext, place: Place, language: string): Promise<CatalogEntry | undefined> {
  const { kind, id } = place;
  const ask = (what: Kind, path: string, appended: string) =>
    unlessGone(
      context.http.request({
        path,
        operation: what,
        query: { append_to_response: appended, language },
        schema: SCHEMAS[what],
      }),
    );
  if (kind === 'movie') return entryOf(place, await ask(kind, `movie/${id}`, 'keywords,external_ids'));
  const whole = await ask('tv_show', `tv/${id}`, 'keywords,external_ids');
  if (kind === 'tv_show' || !whole) return entryOf(place, whole);
  const path = `tv/${id}/season/${place.season}/episode/${place.number}`;
  return entryOf(place, await ask(kind, path, 'external_ids'), whole);
}

const SCHEMAS: Readonly<Record<Kind, HttpRequest<Described>['schema']>> = {
  movie,
  tv_show: show,
  tv_episode: episode,
};

/** What was deleted at TMDB is nothing to look at, and no error. */
async function unlessGone<Answer>(asked: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (McaError.isInstance(error) && error.code === 'not_found') return undefined;
    throw error;
  }
}
