import {
  cellOf,
  csvFormat,
  eventId,
  type FileFormat,
  type MediaAction,
  type MediaItem,
  type RecordResult,
  reject,
  skip,
  UNDATED_MS,
} from '@mca/core/provider-kit';
import { basicsOf, dayOf, type Film, filmKey, filmOf, isRejected, starsOf } from './film.ts';
import type { ResolvedLetterboxdOptions } from './schemas.ts';
import { type Context, LIKES, prepare, recogniseAs, type Table, WATCHED, WATCHLIST } from './table.ts';

type Format = FileFormat<ResolvedLetterboxdOptions>;

/** `ratings.csv`: the rating of each film that counts now, of the day it was given. */
export const ratings: Format = csvFormat<ResolvedLetterboxdOptions, Table>({
  id: 'ratings',
  name: 'Ratings',
  precision: 'day',
  rank: 1,
  names: /^ratings\b.*\.csv$/i,
  recognise: recogniseAs('ratings'),
  prepare,
  record(row, { options }, table) {
    if (!options.sections.ratings) return skip('section_off');
    const film = filmOf(row, table);
    if (isRejected(film)) return film;
    const stars = starsOf(cellOf(row, table.columns.rating));
    if (stars === undefined) return reject('invalid_rating', 'there is no rating', 'Rating');
    if (isRejected(stars)) return stars;
    const item = opinion(row, film, table, 'rated', 'ratings');
    return isRejected(item) ? item : { ...item, rating: stars * 2, rawMetadata: { ...film.metadata, stars } };
  },
});

/** `likes/films.csv`: films with a heart. */
export const likes: Format = csvFormat<ResolvedLetterboxdOptions, Table>({
  id: 'likes',
  name: 'Liked films',
  precision: 'day',
  rank: 1,
  names: LIKES,
  recognise: recogniseAs('likes'),
  prepare,
  record(row, { options }, table) {
    if (!options.sections.likes) return skip('section_off');
    const film = filmOf(row, table);
    return isRejected(film) ? film : opinion(row, film, table, 'liked', 'likes');
  },
});

/** `watchlist.csv`: films to see. */
export const watchlist: Format = csvFormat<ResolvedLetterboxdOptions, Table>({
  id: 'watchlist',
  name: 'Watchlist',
  precision: 'day',
  rank: 1,
  names: WATCHLIST,
  recognise: recogniseAs('watchlist'),
  prepare,
  record(row, { options }, table) {
    if (!options.sections.watchlist) return skip('section_off');
    const film = filmOf(row, table);
    return isRejected(film) ? film : opinion(row, film, table, 'saved', 'watchlist');
  },
});

/** `watched.csv`: every film ever seen, without saying when. Coarser than the diary, hence its rank. */
export const watched: Format = csvFormat<ResolvedLetterboxdOptions, Table>({
  id: 'watched',
  name: 'Watched films',
  precision: 'day',
  rank: 1,
  names: WATCHED,
  recognise: recogniseAs('watched'),
  prepare,
  record: recordWatched,
});

function recordWatched(row: readonly string[], { options }: Context, table: Table): RecordResult {
  if (!options.sections.watched) return skip('section_off');
  const film = filmOf(row, table);
  if (isRejected(film)) return film;
  const text = cellOf(row, table.columns.date);
  const marked = dayOf(text, table, 'Date');
  if (isRejected(marked)) return marked;
  if (isInDiary(film, options)) return skip('in_diary');
  if (options.skip.undated) return skip('undated');
  return {
    ...basicsOf(film),
    externalId: eventId({ content: filmKey(film) }),
    action: 'consumed',
    // The day of the mark is not the day of watching: people mark hundreds of films on the day they join.
    consumedAt: new Date(UNDATED_MS),
    url: film.url,
    source: 'watched',
    rawMetadata: { ...film.metadata, undated: true, ...(marked === undefined ? {} : { markedOn: text }) },
  };
}

/** A first viewing is that of one film: another one of the same name and year has none. */
function isInDiary(film: Film, { firstViewings }: ResolvedLetterboxdOptions): boolean {
  if (!firstViewings?.has(film.id)) return false;
  const key = filmKey(film);
  const known = firstViewings.get(film.id) ?? key;
  firstViewings.set(film.id, known);
  return known === key;
}

/** An item that says what somebody thinks of a film; doing so again replaces it. */
function opinion(
  row: readonly string[],
  film: Film,
  table: Table,
  action: MediaAction,
  source: string,
): MediaItem | ReturnType<typeof reject> {
  const day = dayOf(cellOf(row, table.columns.date), table, 'Date');
  if (day === undefined) return reject('invalid_date', 'the date is empty', 'Date');
  if (isRejected(day)) return day;
  return {
    ...basicsOf(film),
    externalId: eventId({ action, content: filmKey(film) }),
    action,
    consumedAt: new Date(day),
    url: film.url,
    source,
  };
}
