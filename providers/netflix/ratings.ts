import {
  cellOf,
  columnOf,
  csvFormat,
  eventId,
  type FileFormat,
  type FormatContext,
  type ImportFile,
  isPlausible,
  type PlausibleTimes,
  parseUtc,
  type RecordResult,
  readCsvHeader,
  reject,
  sampleRows,
  skip,
} from '@mca/core/provider-kit';
import { type Content, contentReader, TITLE_LENGTH_MAX } from './content.ts';
import { listed, PROFILE_LENGTH_MAX } from './profiles.ts';
import { readAhead } from './read-ahead.ts';
import type { ResolvedNetflixOptions } from './schemas.ts';

/** Where the columns stand; -1 for one the file lacks. */
interface Columns {
  readonly profile: number;
  readonly title: number;
  readonly time: number;
  readonly stars: number;
  readonly thumbs: number;
}

/** The newest rating of one title by one profile. */
interface Latest {
  readonly time: number;
  /** Given out already: of two rows of one second the first counts. */
  taken: boolean;
}

interface RatingsState {
  readonly columns: Columns;
  readonly latest: ReadonlyMap<string, Latest>;
  readonly contentOf: (rawTitle: string) => Content;
  readonly warnings: string[];
  readonly times: PlausibleTimes;
}

type Context = FormatContext<ResolvedNetflixOptions>;

/** Ratings remembered while looking for newer ones of the same title; people have given a few thousand. */
const RATINGS_MAX = 200_000;
/** Stars were given to DVDs years before anything was streamed. */
const RENTING_BEGAN = Date.UTC(1998, 0, 1);
/** Suggested by what Netflix shows (down, up, double up); no official word on the numbers was found. */
const thumbRatings: Readonly<Record<string, number>> = { 1: 2, 2: 8, 3: 10 };

/** `CONTENT_INTERACTION/Ratings.csv` of the full data request: the newest rating of each title by each profile. */
export const ratings: FileFormat<ResolvedNetflixOptions> = csvFormat<ResolvedNetflixOptions, RatingsState>({
  id: 'ratings',
  name: 'Ratings (full data request)',
  precision: 'second',
  rank: 3,
  names: /^Ratings.*\.csv$/i,
  recognise(sample) {
    const [header = []] = sampleRows(sample);
    const { title, time, stars, thumbs } = findColumns(header);
    return title >= 0 && time >= 0 && (stars >= 0 || thumbs >= 0) ? 0.95 : 0;
  },
  prepare,
  warnings: ({ warnings }) => warnings,
  record,
});

function findColumns(header: readonly string[]): Columns {
  return {
    profile: columnOf(header, 'profile name'),
    title: columnOf(header, 'title name'),
    time: columnOf(header, 'event utc ts'),
    stars: columnOf(header, 'star value'),
    thumbs: columnOf(header, 'thumbs value'),
  };
}

/** The first pass: which row of each title is the newest. A removed rating (0) counts, so it takes the older ones with it. */
async function prepare(file: ImportFile, context: Context): Promise<RatingsState> {
  const { columns: header } = await readCsvHeader(file, { signal: context.signal });
  const columns = findColumns(header);
  const latest = new Map<string, Latest>();
  const times = { earliest: RENTING_BEGAN, now: context.now() };
  const state = { columns, latest, contentOf: contentReader(new Set()), warnings: [] as string[], times };
  const missing = new Set(context.options.profiles);
  for await (const { rows } of readAhead(file, context.signal)) {
    for (const row of rows) {
      missing.delete(profileOf(row, columns) ?? '');
      const time = timeOf(row, columns);
      // A rating of the year 2099 would supersede all real ones.
      if (time === undefined || !isPlausible(time, times) || problemOf(row, columns)) continue;
      const key = keyOf(row, state);
      const before = latest.get(key);
      if (!before ? latest.size < RATINGS_MAX : before.time < time) latest.set(key, { time, taken: false });
    }
  }
  // Not an error: a profile that watches need not rate.
  if (missing.size > 0) state.warnings.push(`There are no ratings by ${listed([...missing])}.`);
  return state;
}

function record(row: readonly string[], context: Context, state: RatingsState): RecordResult {
  const { columns } = state;
  const { profiles } = context.options;
  const account = profileOf(row, columns);
  if (profiles && !profiles.includes(account ?? '')) return skip('other_profile');
  const problem = problemOf(row, columns);
  if (problem) return problem;
  const time = timeOf(row, columns);
  if (time === undefined) return reject('invalid_date', 'the time is not a possible date and time', 'Event Utc Ts');
  if (!isPlausible(time, state.times))
    return reject('implausible_date', 'the time is before 1998 or in the future', 'Event Utc Ts');
  const latest = state.latest.get(keyOf(row, state));
  if (latest && (latest.taken || latest.time !== time)) return skip('superseded');
  if (latest) latest.taken = true;
  const thumbs = cellOf(row, columns.thumbs);
  const stars = cellOf(row, columns.stars);
  const rating = thumbs === '' ? Number(stars) * 2 : (thumbRatings[thumbs] ?? 0);
  if (rating === 0) return skip('rating_removed');
  const content = state.contentOf(row[columns.title] ?? '');
  return {
    platform: 'netflix',
    externalId: eventId({ account, action: 'rated', content: content.id }),
    type: 'video',
    // Netflix rates whole shows, and the file does not tell a show from a film.
    subtype: undefined,
    action: 'rated',
    title: content.title,
    consumedAt: new Date(time),
    tags: [],
    contentId: content.id,
    ids: {},
    rating,
    source: 'ratings',
    precision: 'second',
    account,
    rawMetadata: thumbs === '' ? { stars: Number(stars) } : { thumbs: Number(thumbs) },
  };
}

function problemOf(row: readonly string[], columns: Columns): ReturnType<typeof reject> | undefined {
  const title = row[columns.title] ?? '';
  if (title.trim() === '') return reject('missing_title', 'the title is empty', 'Title Name');
  if (title.length > TITLE_LENGTH_MAX)
    return reject('title_too_long', 'the title is longer than any title', 'Title Name');
  if ((profileOf(row, columns)?.length ?? 0) > PROFILE_LENGTH_MAX) {
    return reject('invalid_profile', 'the profile name is too long', 'Profile Name');
  }
  const thumbs = cellOf(row, columns.thumbs);
  if (thumbs !== '')
    return /^[0-3]$/.test(thumbs) ? undefined : reject('invalid_rating', 'thumbs are not 0 to 3', 'Thumbs Value');
  const stars = cellOf(row, columns.stars);
  return /^[0-5]?$/.test(stars) ? undefined : reject('invalid_rating', 'stars are not 0 to 5', 'Star Value');
}

function profileOf(row: readonly string[], columns: Columns): string | undefined {
  return cellOf(row, columns.profile) || undefined;
}

function timeOf(row: readonly string[], columns: Columns): number | undefined {
  const text = cellOf(row, columns.time);
  return text.length >= 19 ? parseUtc(text) : undefined;
}

function keyOf(row: readonly string[], { columns, contentOf }: Pick<RatingsState, 'columns' | 'contentOf'>): string {
  return `${profileOf(row, columns) ?? ''}/${contentOf(row[columns.title] ?? '').id}`;
}
