import {
  cellOf,
  isPlausible,
  type Json,
  listOf,
  type MediaIds,
  type MediaItem,
  type Rejected,
  reject,
  utcTime,
} from '@mca/core/provider-kit';
import type { Table } from './columns.ts';
import { isbn13Of, withoutFormula } from './isbn.ts';

/** A book as one row describes it. */
export interface Book extends Pick<MediaItem, 'type' | 'title' | 'creator' | 'tags' | 'url' | 'contentId' | 'ids'> {
  /** Name of the book among all of Goodreads, `book:234225`. */
  readonly contentId: string;
  readonly metadata: Readonly<Record<string, Json>>;
}

/** A day, or the first day of a month or year, as Goodreads knew no better. */
export interface When {
  readonly at: number;
  /** As it stands in the file, with dashes: `2024-03`. */
  readonly text: string;
  readonly datePrecision: 'day' | 'month' | 'year';
}

const TEXT_LENGTH_MAX = 1_000;
/** Shelves of one book; a longer cell is a missing quote. */
const SHELVES_LENGTH_MAX = 4_000;
/** What is longer is left out: metadata has its limit, and control characters take six places each in it. */
const AUTHORS_LENGTH_MAX = 2_000;

/** The book of a row, or what is wrong with it. */
export function bookOf(row: readonly string[], { columns }: Table): Book | Rejected {
  const id = withoutFormula(cellOf(row, columns.id));
  if (!/^[1-9]\d{0,14}$/.test(id)) return reject('invalid_id', 'it is no id of a book', 'Book Id');
  const title = cellOf(row, columns.title);
  if (title === '') return reject('missing_title', 'the title is empty', 'Title');
  const creator = cellOf(row, columns.author);
  if (Math.max(title.length, creator.length) > TEXT_LENGTH_MAX)
    return reject('too_long', 'title or author is longer than any', 'Title');
  const shelves = cellOf(row, columns.shelves);
  if (shelves.length > SHELVES_LENGTH_MAX) return reject('too_long', 'the shelves are longer than any', 'Bookshelves');
  const shelf = shelfOf(row, columns.shelf);
  return {
    // Spoken ones are told by how they are bound.
    type: /^(?:audio|audible|mp3)/i.test(cellOf(row, columns.binding)) ? 'audiobook' : 'book',
    title,
    creator: creator === '' ? undefined : withPlainSpaces(creator),
    tags: listOf(shelves).filter((each) => each.toLowerCase() !== shelf),
    url: `https://www.goodreads.com/book/show/${id}`,
    contentId: `book:${id}`,
    ids: idsOf(row, columns, id),
    metadata: metadataOf(row, columns),
  };
}

/** The one shelf of its kind that a book stands on, in lower case. */
export function shelfOf(row: readonly string[], column: number): string {
  return cellOf(row, column).slice(0, TEXT_LENGTH_MAX).toLowerCase();
}

function idsOf(row: readonly string[], columns: Table['columns'], id: string): MediaIds {
  const known = [columns.isbn13, columns.isbn].map((column) => isbn13Of(withoutFormula(cellOf(row, column))));
  const isbn13 = known.find((each) => each !== undefined);
  return { goodreads: id, ...(isbn13 === undefined ? {} : { isbn13 }) };
}

function metadataOf(row: readonly string[], columns: Table['columns']): Record<string, Json> {
  const metadata: Record<string, Json> = {};
  const year = cellOf(row, columns.firstPublishedIn) || cellOf(row, columns.publishedIn);
  // Of what was written before our era, too.
  if (/^-?\d{1,4}$/.test(year)) metadata.year = Number(year);
  const pages = cellOf(row, columns.pages);
  if (/^[1-9]\d{0,5}$/.test(pages)) metadata.pages = Number(pages);
  const binding = cellOf(row, columns.binding);
  if (binding !== '' && binding.length <= 100) metadata.binding = binding;
  const moreAuthors = cellOf(row, columns.moreAuthors);
  if (moreAuthors !== '' && moreAuthors.length <= AUTHORS_LENGTH_MAX)
    metadata.moreAuthors = listOf(withPlainSpaces(moreAuthors));
  return metadata;
}

/** Several spaces between names are Goodreads' own slip of the pen. */
function withPlainSpaces(names: string): string {
  return names.replace(/ {2,}/g, ' ');
}

/** What a cell says of a date: `2024/03/09`, `2024/03` or `2024`; nothing for an empty one, or what is wrong with it. */
export function whenOf(cell: string, { times }: Table, field: string): When | undefined | Rejected {
  if (cell === '') return undefined;
  const [, year, month, day] = cell.length <= 10 ? (/^(\d{4})(?:[/-](\d\d?)(?:[/-](\d\d?))?)?$/.exec(cell) ?? []) : [];
  const at = year === undefined ? undefined : utcTime(Number(year), Number(month ?? 1), Number(day ?? 1));
  if (at === undefined) return reject('invalid_date', 'it is no date written as year/month/day', field);
  if (!isPlausible(at, times)) return reject('implausible_date', 'the date is before 1900 or in the future', field);
  const datePrecision = day !== undefined ? 'day' : month !== undefined ? 'month' : 'year';
  const text = new Date(at).toISOString().slice(0, { day: 10, month: 7, year: 4 }[datePrecision]);
  return { at, text, datePrecision };
}
