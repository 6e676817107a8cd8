import {
  cellOf,
  closing,
  eventId,
  type FileFormat,
  type FormatContext,
  type ImportBatch,
  type ImportFile,
  type Json,
  type MediaItem,
  type RecordResult,
  type Rejected,
  readCsv,
  reject,
  type Skipped,
  skip,
  type Tally,
  UNDATED_MS,
} from '@mca/core/provider-kit';
import { type Book, bookOf, shelfOf, type When, whenOf } from './book.ts';
import { isLibrary, prepare, type Table } from './columns.ts';
import type { ResolvedGoodreadsOptions } from './schemas.ts';

type Context = FormatContext<ResolvedGoodreadsOptions>;

/** Nobody has read a book more often; a larger number is none. */
const READ_COUNT_MAX = 9_999;
const ID = 'library';

/**
 * `goodreads_library_export.csv`. A row tells up to two things: where the book stands, and how it was rated. Each is a
 * record by itself, which is why this is no `csvFormat`.
 */
export const library: FileFormat<ResolvedGoodreadsOptions> = {
  id: ID,
  name: 'Library',
  precision: 'day',
  rank: 1,
  names: /^goodreads.*\.csv$/i,
  // Under any other name, too; a file of somebody else is left alone.
  paths: /\.csv$/i,
  recognise: (sample) => (isLibrary(sample) ? 0.95 : 0),
  read: (file, context) => closing(ID, file, context, readRows),
};

async function* readRows(file: ImportFile, context: Context, tally: Tally): AsyncGenerator<ImportBatch> {
  const table = await prepare(file, context);
  for await (const { first, rows, lines, malformed } of readCsv(file, { signal: context.signal })) {
    for (const [index, row] of rows.entries()) {
      const place = { record: first + index, line: lines[index] };
      for (const result of recordsOf(row, context, table)) tally.add(result, place);
    }
    for (const { record, line, column, message } of malformed)
      tally.add(reject('malformed_row', message), { record, line, column });
    yield tally.take();
  }
}

/** What a row tells of its book, and what it tells of the rating where there is one. */
function recordsOf(row: readonly string[], context: Context, table: Table): readonly RecordResult[] {
  const { columns } = table;
  const book = bookOf(row, table);
  if ('reject' in book) return [book];
  const read = whenOf(cellOf(row, columns.readOn), table, 'Date Read');
  const added = whenOf(cellOf(row, columns.addedOn), table, 'Date Added');
  for (const date of [read, added]) if (date && 'reject' in date) return [date];
  const dates = { read: read as When | undefined, added: added as When | undefined };
  const rating = cellOf(row, columns.rating);
  const shelved = ofShelf(row, book, dates, context, table);
  return rating === '' || rating === '0' ? [shelved] : [shelved, ofRating(rating, book, dates, context)];
}

interface Dates {
  readonly read: When | undefined;
  readonly added: When | undefined;
}

function ofShelf(
  row: readonly string[],
  book: Book,
  { read, added }: Dates,
  { options }: Context,
  { columns }: Table,
): MediaItem | Skipped | Rejected {
  const { shelves, skip: leave } = options;
  const shelf = shelfOf(row, columns.shelf);
  if (shelves.read.includes(shelf)) {
    if (read === undefined && leave.undated) return skip('undated');
    const count = Math.max(1, readCountOf(cellOf(row, columns.readCount)));
    return {
      ...basicsOf(book),
      // Goodreads gives the last reading and says which it was: so a date that is filled in or corrected makes no other one.
      externalId: eventId({ content: book.contentId, occurrence: count }),
      action: 'consumed',
      consumedAt: new Date(read?.at ?? UNDATED_MS),
      rawMetadata: {
        ...book.metadata,
        ...(count > 1 && { readCount: count }),
        ...(read ? roughness(read) : undated(added)),
      },
    };
  }
  if (!shelves.saved.includes(shelf)) return skip(shelf === 'currently-reading' ? 'currently_reading' : 'other_shelf');
  return {
    ...basicsOf(book),
    externalId: eventId({ action: 'saved', content: book.contentId }),
    action: 'saved',
    consumedAt: new Date(added?.at ?? UNDATED_MS),
    rawMetadata: { ...book.metadata, ...(added ? roughness(added) : { undated: true }) },
  };
}

/** When a book was rated Goodreads does not say: the day it was read is nearest, that of adding it next. */
function ofRating(rating: string, book: Book, { read, added }: Dates, { options }: Context): RecordResult {
  if (options.skip.ratings) return skip('rating_off');
  if (!/^[1-5]$/.test(rating)) return reject('invalid_rating', 'stars are none of 0 to 5', 'My Rating');
  const when = read ?? added;
  const dateKind = when && (when === read ? 'read' : 'added');
  return {
    ...basicsOf(book),
    externalId: eventId({ action: 'rated', content: book.contentId }),
    action: 'rated',
    consumedAt: new Date(when?.at ?? UNDATED_MS),
    rating: Number(rating) * 2,
    rawMetadata: {
      ...book.metadata,
      stars: Number(rating),
      ...(when && dateKind ? { dateKind, ...roughness(when) } : { undated: true }),
    },
  };
}

function basicsOf({
  metadata: _,
  ...book
}: Book): Omit<MediaItem, 'externalId' | 'action' | 'consumedAt' | 'rawMetadata'> {
  return { platform: 'goodreads', ...book, source: ID, precision: 'day' };
}

/** Of dates without a day, the first one is taken; this says so. */
function roughness({ datePrecision }: When): Record<string, Json> {
  return datePrecision === 'day' ? {} : { datePrecision };
}

/** The day a book was added is not the day it was read: it may have been a wish, or one of hundreds on the day of joining. */
function undated(added: When | undefined): Record<string, Json> {
  return { undated: true, ...(added && { addedOn: added.text }) };
}

function readCountOf(text: string): number {
  return /^\d{1,4}$/.test(text) ? Math.min(Number(text), READ_COUNT_MAX) : 1;
}
