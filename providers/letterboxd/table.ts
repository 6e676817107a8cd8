import {
  columnOf,
  type FileSample,
  type FormatContext,
  type ImportFile,
  type PlausibleTimes,
  readCsvHeader,
  sampleRows,
} from '@mca/core/provider-kit';
import type { ResolvedLetterboxdOptions } from './schemas.ts';

/** What a format of this export works with while it reads. */
export type Context = FormatContext<ResolvedLetterboxdOptions>;

/** Where the columns stand; -1 for one that the file lacks. */
export interface Columns {
  readonly date: number;
  readonly name: number;
  readonly year: number;
  readonly uri: number;
  readonly rating: number;
  readonly rewatch: number;
  readonly review: number;
  readonly tags: number;
  readonly watchedDate: number;
}

/** What is known of a file before its rows are read. */
export interface Table {
  readonly columns: Columns;
  readonly times: PlausibleTimes;
}

/** Files of the export that are read. The last three have the same columns: only their names tell them apart. */
export type Section = 'diary' | 'ratings' | 'likes' | 'watched' | 'watchlist';

/** People enter what they saw as children; films are older. */
const FILMS_BEGAN = Date.UTC(1900, 0, 1);
const SURE = 0.95;

/** First look at a file: which columns it has. */
export async function prepare(file: ImportFile, context: Context): Promise<Table> {
  const { columns } = await readCsvHeader(file, { signal: context.signal });
  return { columns: findColumns(columns), times: { earliest: FILMS_BEGAN, now: context.now() } };
}

function findColumns(header: readonly string[]): Columns {
  return {
    date: columnOf(header, 'date'),
    name: columnOf(header, 'name'),
    year: columnOf(header, 'year'),
    uri: columnOf(header, 'letterboxd uri'),
    rating: columnOf(header, 'rating'),
    rewatch: columnOf(header, 'rewatch'),
    review: columnOf(header, 'review'),
    tags: columnOf(header, 'tags'),
    watchedDate: columnOf(header, 'watched date'),
  };
}

/** How sure a file is to be of this section. */
export function recogniseAs(section: Section): (sample: FileSample) => number {
  return (sample) => {
    if (isLeftOut(sample.path)) return section === 'diary' && isOfLetterboxd(sample) ? SURE : 0;
    return sectionOf(sample) === section ? SURE : 0;
  };
}

function sectionOf(sample: FileSample): Section | undefined {
  const [header = []] = sampleRows(sample);
  const { name, uri, watchedDate, review, rating } = findColumns(header);
  if (name < 0 || uri < 0) return undefined;
  // Reviews tell viewings of the diary once more.
  if (watchedDate >= 0 || review >= 0) return 'diary';
  if (rating >= 0) return 'ratings';
  return [...nameOfSection].find(([pattern]) => pattern.test(sample.name))?.[1];
}

/** Names as Letterboxd gives them; browsers number what is downloaded again. */
const NUMBER = '(?:[ _-]?\\(?\\d{1,3}\\)?)?';
export const WATCHED: RegExp = new RegExp(`^watched${NUMBER}\\.csv$`, 'i');
export const WATCHLIST: RegExp = new RegExp(`^watchlist${NUMBER}\\.csv$`, 'i');
export const LIKES: RegExp = new RegExp(`^films${NUMBER}\\.csv$`, 'i');

const nameOfSection: readonly (readonly [RegExp, Section])[] = [
  [WATCHED, 'watched'],
  [WATCHLIST, 'watchlist'],
  [LIKES, 'likes'],
];

/** Films of which only the name of the file could say what they have in common. */
export function isNamelessList(sample: FileSample): boolean {
  const [header = []] = sampleRows(sample);
  const { name, uri } = findColumns(header);
  return name >= 0 && uri >= 0 && sectionOf(sample) === undefined;
}

/** One of the user's lists of films: it begins with a line of its own, and says nothing of watching. */
export function isList({ text }: FileSample): boolean {
  return /^\s*"?Letterboxd list export\b/i.test(text);
}

function isOfLetterboxd(sample: FileSample): boolean {
  return isList(sample) || isNamelessList(sample) || sectionOf(sample) !== undefined;
}

/** Folders of the export with lists, with what the user deleted, and with what belongs to films that are gone. */
export function isLeftOut(path: string): boolean {
  return /(?:^|[/!])(?:lists|(?:deleted|orphaned)(?:\/(?:likes|lists|comments))?)\/[^/!]*$/i.test(path);
}
