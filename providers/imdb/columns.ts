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
  readonly originalTitle: number;
  readonly kind: number;
  readonly runtime: number;
  readonly year: number;
  readonly genres: number;
  readonly directors: number;
  readonly rating: number;
  readonly ratedOn: number;
  readonly position: number;
  readonly createdOn: number;
}

/** What is known of a file before its rows are read. */
export interface Table {
  readonly columns: Columns;
  readonly times: PlausibleTimes;
}

/** IMDb went online in 1990. */
const IMDB_BEGAN = Date.UTC(1990, 0, 1);

/** First look at a file: which columns it has. */
export async function prepare(
  file: ImportFile,
  { signal, now }: { readonly signal: AbortSignal; readonly now: () => number },
): Promise<Table> {
  const { columns } = await readCsvHeader(file, { signal });
  return { columns: findColumns(columns), times: { earliest: IMDB_BEGAN, now: now() } };
}

function findColumns(header: readonly string[]): Columns {
  return {
    id: columnOf(header, 'const'),
    title: columnOf(header, 'title'),
    originalTitle: columnOf(header, 'original title'),
    kind: columnOf(header, 'title type'),
    runtime: columnOf(header, 'runtime (mins)'),
    year: columnOf(header, 'year'),
    genres: columnOf(header, 'genres'),
    directors: columnOf(header, 'directors'),
    rating: columnOf(header, 'your rating'),
    ratedOn: columnOf(header, 'date rated'),
    position: columnOf(header, 'position'),
    createdOn: columnOf(header, 'created'),
  };
}

/** Which of IMDb's exports a file is, by its columns. */
export function kindOf(sample: FileSample): 'ratings' | 'list' | 'before-2017' | undefined {
  const [header = []] = sampleRows(sample);
  const { id, title, rating, ratedOn, position, createdOn } = findColumns(header);
  if (id < 0 || title < 0) return undefined;
  // Its dates are written as `Mon Jan 7 00:00:00 2013`, in a time zone of its own.
  if (columnOf(header, 'you rated') >= 0) return 'before-2017';
  const isRated = rating >= 0 && ratedOn >= 0;
  const isList = position >= 0 && createdOn >= 0;
  // Lists have the columns of ratings at their end; a file of ratings with the columns of lists is told by its name.
  if (isRated && (!isList || /^ratings\b/i.test(sample.name))) return 'ratings';
  return isList ? 'list' : undefined;
}
