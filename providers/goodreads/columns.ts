import {
  columnOf,
  type FileSample,
  type ImportFile,
  type PlausibleTimes,
  readCsvHeader,
  sampleRows,
} from '@mca/core/provider-kit';

/** Where the columns stand; -1 for one that the file lacks. */
export interface Columns {
  readonly id: number;
  readonly title: number;
  readonly author: number;
  readonly moreAuthors: number;
  readonly isbn: number;
  readonly isbn13: number;
  readonly rating: number;
  readonly binding: number;
  readonly pages: number;
  readonly publishedIn: number;
  readonly firstPublishedIn: number;
  readonly readOn: number;
  readonly addedOn: number;
  readonly shelves: number;
  readonly shelf: number;
  readonly readCount: number;
}

/** What is known of a file before its rows are read. */
export interface Table {
  readonly columns: Columns;
  readonly times: PlausibleTimes;
}

/** People enter what they read as children. */
const READERS_BEGAN = Date.UTC(1900, 0, 1);

/** First look at a file: which columns it has. */
export async function prepare(
  file: ImportFile,
  { signal, now }: { readonly signal: AbortSignal; readonly now: () => number },
): Promise<Table> {
  const { columns } = await readCsvHeader(file, { signal });
  return { columns: findColumns(columns), times: { earliest: READERS_BEGAN, now: now() } };
}

function findColumns(header: readonly string[]): Columns {
  return {
    id: columnOf(header, 'book id'),
    title: columnOf(header, 'title'),
    author: columnOf(header, 'author'),
    moreAuthors: columnOf(header, 'additional authors'),
    isbn: columnOf(header, 'isbn'),
    isbn13: columnOf(header, 'isbn13'),
    rating: columnOf(header, 'my rating'),
    binding: columnOf(header, 'binding'),
    pages: columnOf(header, 'number of pages'),
    publishedIn: columnOf(header, 'year published'),
    firstPublishedIn: columnOf(header, 'original publication year'),
    readOn: columnOf(header, 'date read'),
    addedOn: columnOf(header, 'date added'),
    shelves: columnOf(header, 'bookshelves'),
    shelf: columnOf(header, 'exclusive shelf'),
    readCount: columnOf(header, 'read count'),
  };
}

/** Whether a file is a library, by its columns. */
export function isLibrary(sample: FileSample): boolean {
  const [header = []] = sampleRows(sample);
  const { id, title, shelf, readOn } = findColumns(header);
  return id >= 0 && title >= 0 && shelf >= 0 && readOn >= 0;
}
