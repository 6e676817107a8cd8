import {
  cellOf,
  isPlausible,
  type Json,
  listOf,
  type MediaItem,
  parseUtc,
  type Rejected,
  reject,
  type Skipped,
  skip,
} from '@mca/core/provider-kit';
import type { Table } from './columns.ts';

/** A title of IMDb as one row describes it. */
export interface Title
  extends Pick<MediaItem, 'type' | 'subtype' | 'title' | 'durationMs' | 'tags' | 'url' | 'contentId' | 'ids'> {
  /** IMDb's id, `tt0111161`. */
  readonly id: string;
  readonly metadata: Readonly<Record<string, Json>>;
}

const TITLE_LENGTH_MAX = 1_000;
/** A title has a few genres; a longer cell is a missing quote. */
const GENRES_LENGTH_MAX = 4_000;
/** What is longer is left out: metadata has its limit, and control characters take six places each in it. */
const ORIGINAL_LENGTH_MAX = 500;
const DIRECTORS_LENGTH_MAX = 2_000;
const DAY_MS = 86_400_000;

/** Kinds of titles without spaces and in lower case, as old exports write them. The rest is of no finer kind. */
const subtypes: Readonly<Record<string, string>> = {
  movie: 'movie',
  tvmovie: 'movie',
  tvseries: 'tv_show',
  tvminiseries: 'tv_show',
  tvepisode: 'tv_episode',
  tvspecial: 'tv_special',
  short: 'short',
  tvshort: 'short',
  musicvideo: 'music_video',
  podcastseries: 'podcast_show',
  podcastepisode: 'podcast_episode',
};

/** The title of a row, or why there is none. */
export function titleOf(row: readonly string[], { columns }: Table): Title | Rejected | Skipped {
  const id = cellOf(row, columns.id);
  if (!/^tt\d{7,12}$/.test(id)) return reject('invalid_id', 'it is no id of a title', 'Const');
  const kind = cellOf(row, columns.kind);
  const plainKind = kind.slice(0, 40).toLowerCase().replace(/[\s-]/g, '');
  if (plainKind === 'videogame') return skip('video_game');
  const title = cellOf(row, columns.title);
  if (title === '') return reject('missing_title', 'the title is empty', 'Title');
  const originalTitle = cellOf(row, columns.originalTitle);
  if (title.length > TITLE_LENGTH_MAX) return reject('too_long', 'the title is longer than any', 'Title');
  const genres = cellOf(row, columns.genres);
  const directors = cellOf(row, columns.directors);
  if (genres.length > GENRES_LENGTH_MAX) return reject('too_long', 'the genres are longer than any', 'Genres');
  const metadata: Record<string, Json> = {};
  const year = cellOf(row, columns.year);
  if (/^[12]\d{3}$/.test(year)) metadata.year = Number(year);
  if (originalTitle !== '' && originalTitle !== title && originalTitle.length <= ORIGINAL_LENGTH_MAX)
    metadata.originalTitle = originalTitle;
  if (directors !== '' && directors.length <= DIRECTORS_LENGTH_MAX) metadata.directors = listOf(directors);
  if (kind !== '' && kind.length <= 40) metadata.titleType = kind;
  const minutes = cellOf(row, columns.runtime);
  return {
    id,
    type: plainKind.startsWith('podcast') ? 'podcast' : 'video',
    subtype: subtypes[plainKind],
    title,
    durationMs: /^\d{1,5}$/.test(minutes) ? Number(minutes) * 60_000 : undefined,
    tags: listOf(genres),
    url: `https://www.imdb.com/title/${id}/`,
    contentId: id,
    ids: { imdb: id },
    metadata,
  };
}

/** Midnight of the day in a cell, or what is wrong with it. */
export function dayOf(text: string, { times }: Table, field: string): number | Rejected {
  const at = parseUtc(text);
  if (at === undefined) return reject('invalid_date', 'it is no day written as year-month-day', field);
  if (!isPlausible(at, times)) return reject('implausible_date', 'the day is before 1990 or in the future', field);
  return Math.floor(at / DAY_MS) * DAY_MS;
}
