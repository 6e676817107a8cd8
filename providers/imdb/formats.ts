import { cellOf, csvFormat, eventId, type FileFormat, type MediaItem, reject, skip } from '@mca/core/provider-kit';
import { kindOf, prepare, type Table } from './columns.ts';
import type { ResolvedImdbOptions } from './schemas.ts';
import { dayOf, type Title, titleOf } from './title.ts';

type Format = FileFormat<ResolvedImdbOptions>;

/** "Your ratings", exported: what was rated, on which day, from 1 to 10. */
export const ratings: Format = csvFormat<ResolvedImdbOptions, Table>({
  id: 'ratings',
  name: 'Ratings',
  precision: 'day',
  rank: 1,
  names: /^ratings\b.*\.csv$/i,
  paths: /\.csv$/i,
  recognise: (sample) => (kindOf(sample) === 'ratings' ? 0.95 : 0),
  prepare,
  record(row, { options }, table) {
    if (!options.sections.ratings) return skip('section_off');
    const title = titleOf(row, table);
    if ('reject' in title || 'skip' in title) return title;
    const rating = cellOf(row, table.columns.rating);
    if (rating === '') return skip('not_rated');
    if (!/^(?:[1-9]|10)$/.test(rating)) return reject('invalid_rating', 'it is none of 1 to 10', 'Your Rating');
    const day = dayOf(cellOf(row, table.columns.ratedOn), table, 'Date Rated');
    if (typeof day !== 'number') return day;
    const item = itemOf(title, 'rated', day, 'ratings');
    return { ...item, rating: Number(rating), rawMetadata: { ...title.metadata, dateKind: 'rated' } };
  },
});

/** The watchlist, or any other list: nothing in the file tells which. */
export const lists: Format = csvFormat<ResolvedImdbOptions, Table>({
  id: 'lists',
  name: 'Watchlist and other lists',
  precision: 'day',
  rank: 1,
  names: /^watchlist\b.*\.csv$/i,
  recognise: (sample) => (kindOf(sample) === 'list' ? 0.95 : 0),
  prepare,
  record(row, { options }, table) {
    if (!options.sections.lists) return skip('section_off');
    const title = titleOf(row, table);
    if ('reject' in title || 'skip' in title) return title;
    const day = dayOf(cellOf(row, table.columns.createdOn), table, 'Created');
    return typeof day === 'number' ? itemOf(title, 'saved', day, 'lists') : day;
  },
});

/** An opinion about a title; giving another one replaces it. */
function itemOf({ id, metadata, ...title }: Title, action: 'rated' | 'saved', day: number, source: string): MediaItem {
  return {
    platform: 'imdb',
    externalId: eventId({ action, content: id }),
    ...title,
    action,
    consumedAt: new Date(day),
    source,
    precision: 'day',
    rawMetadata: metadata,
  };
}
