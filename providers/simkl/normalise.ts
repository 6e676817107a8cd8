import {
  eventId,
  type Json,
  type MediaIds,
  type MediaItem,
  parseUtc,
  type RecordResult,
  type Rejected,
  reject,
  type Skipped,
  skip,
} from '@mca/core/provider-kit';
import type { Kind, Listed, SimklIds, SimklMedia } from './schemas.ts';

const DAY_MS = 86_400_000;
/** What ids of most catalogues look like. */
export const DIGITS: RegExp = /^[1-9]\d*$/;
const IMDB = /^tt\d+$/;

/** Parts of Simkl's website. */
const SITE: Readonly<Record<Kind, string>> = { show: 'tv', anime: 'anime', movie: 'movies' };

/** A film or an episode that was watched. */
export function normaliseWatched(record: Listed): RecordResult {
  const { kind, entry, episode } = record;
  const thing = thingOf(record);
  if ('skip' in thing || 'reject' in thing) return thing;
  const isFilm = kind === 'movie' || (entry.anime_type === 'movie' && !episode);
  if (!isFilm && !episode) return skip(entry.status === 'plantowatch' ? 'not_watched' : 'no_episodes');
  if (isFilm && entry.status === 'plantowatch' && !entry.last_watched_at) return skip('not_watched');
  const own = isFilm ? entry.last_watched_at : episode?.watched_at;
  const when = own === undefined ? dayOf(record) : momentOf(own);
  if ('skip' in when || 'reject' in when) return when;
  const content = episode ? `${thing.contentId}:s${record.season ?? 1}e${episode.number}` : thing.contentId;
  return {
    ...(episode ? episodeOf(record, episode.number, thing) : filmOf(thing)),
    platform: 'simkl',
    externalId: eventId({ ...(!when.isUndated && { at: when.at }), content }),
    contentId: content,
    type: 'video',
    action: 'consumed',
    consumedAt: new Date(when.at),
    tags: [],
    source: 'all-items',
    precision: when.isUndated ? 'day' : 'second',
    rawMetadata: { ...metadataOf(record, thing), ...(when.isUndated && { undated: true }) },
  };
}

/** A rating of something whole. Rating it again replaces the rating. */
export function normaliseRating(record: Listed): RecordResult {
  const { kind, entry } = record;
  const thing = thingOf(record);
  if ('skip' in thing || 'reject' in thing) return thing;
  if (entry.user_rating === undefined) return skip('not_rated');
  if (entry.user_rated_at === undefined) return skip('undated');
  const at = parseUtc(entry.user_rated_at);
  if (at === undefined) return reject('invalid_date', 'it is no date and time in UTC', 'user_rated_at');
  const isFilm = kind === 'movie' || entry.anime_type === 'movie';
  const { title, url, ids } = thing;
  return {
    ...(isFilm ? filmOf(thing) : { subtype: 'tv_show', title, url, ids: idsOf(ids) }),
    platform: 'simkl',
    externalId: eventId({ action: 'rated', content: thing.contentId }),
    contentId: thing.contentId,
    type: 'video',
    action: 'rated',
    rating: entry.user_rating,
    consumedAt: new Date(at),
    tags: [],
    source: 'ratings',
    precision: 'second',
    rawMetadata: metadataOf(record, thing),
  };
}

/** What a record is about, with an id that is told apart from those of other parts of the catalogue. */
interface Thing extends SimklMedia {
  readonly contentId: string;
  readonly title: string;
  readonly url: string;
}

/** Name of a film or a show among all that Simkl has. */
export function contentIdOf(kind: Kind, id: string): string {
  return `${kind}:${id}`;
}

function thingOf({ kind, entry }: Listed): Thing | Rejected | Skipped {
  const media = kind === 'movie' ? entry.movie : entry.show;
  const { simkl = '', slug } = media?.ids ?? {};
  if (!media || !DIGITS.test(simkl)) return reject('no_id', 'it has no Simkl id', 'ids.simkl');
  return {
    ...media,
    contentId: contentIdOf(kind, simkl),
    title: media.title ?? `Simkl ${kind} ${simkl}`,
    url: `https://simkl.com/${[SITE[kind], simkl, ...(slug ? [encodeURIComponent(slug)] : [])].join('/')}`,
  };
}

interface When {
  readonly at: number;
  readonly isUndated: boolean;
}

function momentOf(said: string): When | Rejected {
  const at = parseUtc(said);
  if (at === undefined) return reject('invalid_date', 'it is no date and time in UTC', 'watched_at');
  return { at, isUndated: false };
}

/**
 * The day of what was marked without a date. Not of what was watched last of the show: that moves with every episode, and
 * would take with it what is stored, and past the instant from which on things are new. When the show came to the lists
 * stays as it is, as does when the first of its episodes was watched, until that one is watched again: so it has no place
 * in the id.
 */
function dayOf({ entry, firstWatchedAt }: Listed): When | Rejected | Skipped {
  const said = entry.added_to_watchlist_at ?? firstWatchedAt;
  // Of a show without any date nothing says that it was watched and not only put on a list.
  if (said === undefined || (entry.last_watched_at ?? firstWatchedAt) === undefined) return skip('undated');
  const at = parseUtc(said);
  if (at === undefined) return reject('invalid_date', 'it is no date and time in UTC', 'added_to_watchlist_at');
  return { at: Math.floor(at / DAY_MS) * DAY_MS, isUndated: true };
}

function filmOf({
  title,
  url,
  runtime,
  ids,
}: Thing): Pick<MediaItem, 'subtype' | 'title' | 'url' | 'durationMs' | 'ids'> {
  return { subtype: 'movie', title, url, ...(runtime && { durationMs: runtime * 60_000 }), ids: idsOf(ids) };
}

/** Lists name no episodes, and have ids of their shows only. */
function episodeOf(
  { entry }: Listed,
  number: number,
  { title: creator, url }: Thing,
): Pick<MediaItem, 'subtype' | 'title' | 'creator' | 'url' | 'ids'> {
  if (entry.anime_type === 'movie') return { subtype: 'movie', title: creator, url, ids: {} };
  return { subtype: 'tv_episode', title: `Episode ${number}`, creator, url, ids: {} };
}

function metadataOf({ entry, season, episode }: Listed, { year, ids }: Thing): Record<string, Json> {
  const animeIds = { mal: like(DIGITS, ids.mal), anidb: like(DIGITS, ids.anidb) };
  return known<Json>({
    year,
    animeType: entry.anime_type,
    season: episode && (season ?? 1),
    episode: episode?.number,
    ...(episode ? { showIds: { ...idsOf(ids), ...known<string>(animeIds) } } : animeIds),
  });
}

/** Ids in the forms their catalogues print; whatever else stands there is none. */
function idsOf({ simkl, imdb, tmdb, tvdb }: SimklIds): Record<string, string> & MediaIds {
  return known<string>({ simkl, imdb: like(IMDB, imdb), tmdb: like(DIGITS, tmdb), tvdb: like(DIGITS, tvdb) });
}

function like(form: RegExp, id: string | undefined): string | undefined {
  return id !== undefined && form.test(id) ? id : undefined;
}

function known<Value>(all: Readonly<Record<string, Value | undefined>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(all).filter((each): each is [string, Value] => each[1] !== undefined));
}
