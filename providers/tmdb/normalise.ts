import type { CatalogEntry, MediaIds } from '@mca/core/provider-kit';
import type { Described } from './schemas.ts';

/** What TMDB describes, as `MediaItem.subtype` has it. */
export type Kind = 'movie' | 'tv_show' | 'tv_episode';

/** Where something stands at TMDB: a film or a show by its number, an episode by its place in its show. */
export type Place =
  | { readonly kind: 'movie'; readonly id: string }
  | { readonly kind: 'tv_show'; readonly id: string }
  | { readonly kind: 'tv_episode'; readonly id: string; readonly season: number; readonly number: number };

/** The place that the `id` of an entry names: `movie:296`, `tv:8592`, `tv:8592:s1e1`. */
export function placeIn(entryId: string): Place | undefined {
  const [, film, show = '', season, number] =
    /^(?:movie:([1-9]\d{0,9})|tv:([1-9]\d{0,9})(?::s(\d{1,5})e(\d{1,5}))?)$/.exec(entryId) ?? [];
  if (film !== undefined) return { kind: 'movie', id: film };
  if (show === '') return undefined;
  if (season === undefined) return { kind: 'tv_show', id: show };
  return { kind: 'tv_episode', id: show, season: Number(season), number: Number(number) };
}

/** What was described, as an entry. `show` is the one that an episode belongs to. */
export function entryOf(
  place: Place,
  described: Described | undefined,
  show?: Described | undefined,
): CatalogEntry | undefined {
  if (!described) return undefined;
  const { title, year, runtime = show?.runtime, tags } = described;
  return {
    id: idOf(place),
    type: 'video',
    subtype: place.kind,
    title: title ?? nameless(place),
    ...(show?.title !== undefined && { creator: show.title }),
    ...(year !== undefined && { year }),
    ...(runtime !== undefined && { durationMs: runtime * 60_000 }),
    tags: show?.tags ?? tags,
    url: `https://www.themoviedb.org/${pathOf(place)}`,
    ids: idsOf(described),
  };
}

function idOf(place: Place): string {
  if (place.kind === 'movie') return `movie:${place.id}`;
  return place.kind === 'tv_show' ? `tv:${place.id}` : `tv:${place.id}:s${place.season}e${place.number}`;
}

function pathOf(place: Place): string {
  if (place.kind === 'movie') return `movie/${place.id}`;
  const show = `tv/${place.id}`;
  return place.kind === 'tv_show' ? show : `${show}/season/${place.season}/episode/${place.number}`;
}

function nameless(place: Place): string {
  return place.kind === 'tv_episode' ? `Episode ${place.number}` : `TMDB ${idOf(place)}`;
}

function idsOf({ id: tmdb, imdb, tvdb }: Described): MediaIds {
  return { tmdb, ...(imdb !== undefined && { imdb }), ...(tvdb !== undefined && { tvdb }) };
}
