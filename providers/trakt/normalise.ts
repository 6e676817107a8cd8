import {
  eventId,
  type Json,
  type MediaIds,
  type MediaItem,
  parseUtc,
  type RecordResult,
  reject,
  skip,
  UNDATED_MS,
} from '@mca/core/provider-kit';
import type { Play, Rating, TraktIds, TraktMedia, TraktRecord } from './schemas.ts';

const DIGITS = /^[1-9]\d*$/;
const IMDB = /^tt\d+$/;

/** What was watched or rated, in the terms of an item. */
interface Content extends Pick<MediaItem, 'subtype' | 'title' | 'creator' | 'url' | 'contentId' | 'ids'> {
  readonly metadata: Readonly<Record<string, Json>>;
}

/** A play as an item. Trakt's own id of the play is its name: a film seen twice is two plays. */
export function normalisePlay(play: Play, skipUndated: boolean): RecordResult {
  const content = contentOf(play);
  if ('skip' in content || 'reject' in content) return content;
  const at = play.watched_at ? parseUtc(play.watched_at) : UNDATED_MS;
  if (at === undefined) return reject('invalid_date', 'it is no date and time in UTC', 'watched_at');
  // Trakt itself has this instant for it.
  const isUndated = at === UNDATED_MS;
  if (isUndated && skipUndated) return skip('undated');
  const { action } = play;
  return {
    ...shared(content),
    externalId: eventId({ content: `history:${play.id}` }),
    action: 'consumed',
    consumedAt: new Date(at),
    source: 'history',
    // A day has no hour that time zones could move.
    precision: isUndated ? 'day' : 'minute',
    rawMetadata: { ...content.metadata, ...(action && { action }), ...(isUndated && { undated: true }) },
  };
}

/** A rating as an item. Rating the same thing again replaces it. */
export function normaliseRating(entry: Rating): RecordResult {
  const content = contentOf(entry);
  if ('skip' in content || 'reject' in content) return content;
  const { contentId, metadata } = content;
  if (contentId === undefined) return reject('no_id', 'it has no Trakt id', 'ids.trakt');
  const at = entry.rated_at ? parseUtc(entry.rated_at) : undefined;
  if (at === undefined) return reject('invalid_date', 'it is no date and time in UTC', 'rated_at');
  return {
    ...shared(content),
    externalId: eventId({ action: 'rated', content: contentId }),
    action: 'rated',
    rating: entry.rating,
    consumedAt: new Date(at),
    source: 'ratings',
    precision: 'minute',
    rawMetadata: metadata,
  };
}

function shared({ metadata: _, ...content }: Content): Pick<MediaItem, 'platform' | 'type' | 'tags'> & typeof content {
  return { platform: 'trakt', type: 'video', tags: [], ...content };
}

function contentOf(record: TraktRecord): Content | ReturnType<typeof skip> | ReturnType<typeof reject> {
  const { type, movie, show, season, episode } = record;
  switch (type) {
    case 'movie':
      return describe(movie, { type, subtype: 'movie', address: ['movies', movie?.ids.slug] });
    case 'show':
      return describe(show, { type, subtype: 'tv_show', address: ['shows', show?.ids.slug] });
    case 'season': {
      const address = ['shows', show?.ids.slug, 'seasons', season?.number];
      return describe(season, { type, subtype: 'tv_season', address, show, season: season?.number });
    }
    case 'episode': {
      const { season: of, number } = episode ?? {};
      const address = ['shows', show?.ids.slug, 'seasons', of, 'episodes', number];
      return describe(episode, { type, subtype: 'tv_episode', address, show, season: of, episode: number });
    }
    default:
      return reject('unexpected_type', 'it is neither movie, show, season nor episode', 'type');
  }
}

/** What tells one kind of record from the others. */
interface Kind extends Pick<MediaItem, 'subtype'> {
  readonly type: string;
  /** Parts of its address on the website; there is none while one of them is not known. */
  readonly address: readonly (string | number | undefined)[];
  /** The show that a season or an episode belongs to. */
  readonly show?: TraktMedia | null | undefined;
  readonly season?: number | undefined;
  readonly episode?: number | undefined;
}

function describe(thing: TraktMedia | null | undefined, kind: Kind): Content | ReturnType<typeof skip> {
  const { type, subtype, address, show, season, episode } = kind;
  const title = thing ? titleOf(type, thing) : undefined;
  // The catalogue has lost it: nobody could say what it was.
  if (!thing || title === undefined) return skip('no_content');
  const { ids, year } = thing;
  const showIds = show && { ...idsOf(show.ids) };
  return {
    subtype,
    title,
    ...(show?.title && { creator: show.title }),
    ...(ids.trakt && { contentId: `${type}:${ids.trakt}` }),
    ...(!address.includes(undefined) && { url: `https://trakt.tv/${address.join('/')}` }),
    ids: idsOf(ids),
    metadata: known<Json>({ year: show ? show.year : year, season, episode, showIds }),
  };
}

/** Small shows have episodes with numbers and no titles; seasons have none in lists. */
function titleOf(type: string, { title, number, ids }: TraktMedia): string | undefined {
  if (title !== undefined) return title;
  if (type === 'season' && number !== undefined) return number === 0 ? 'Specials' : `Season ${number}`;
  if (type === 'episode' && number !== undefined) return `Episode ${number}`;
  return ids.trakt && `Trakt ${type} ${ids.trakt}`;
}

/** Ids in the forms their catalogues print; whatever else stands there is none. */
function idsOf({ trakt, imdb, tmdb, tvdb }: TraktIds): Record<string, string> & MediaIds {
  const like = (form: RegExp, id: string | undefined): string | undefined =>
    id !== undefined && form.test(id) ? id : undefined;
  return known<string>({
    trakt: like(DIGITS, trakt),
    imdb: like(IMDB, imdb),
    tmdb: like(DIGITS, tmdb),
    tvdb: like(DIGITS, tvdb),
  });
}

function known<Value>(all: Readonly<Record<string, Value | null | undefined>>): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, Value] => entry[1] !== undefined && entry[1] !== null),
  );
}
