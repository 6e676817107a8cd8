import {
  type FileFormat,
  type ImportFile,
  isPlausible,
  type JsonRow,
  jsonFormat,
  McaError,
  type PlausibleTimes,
  parseUtc,
  type RecordResult,
  readJsonRecords,
  reject,
  skip,
} from '@mca/core/provider-kit';
import { isMostlySearches, namesOf, pathsOf, promiseOf } from './file-names.ts';
import { isOwnProduct, itemOf, YOUTUBE_BEGAN } from './normalise.ts';
import type { ResolvedImportOptions } from './schemas.ts';
import { learnVerb, TITLES_LOOKED_AT, type Verb, withoutVerb } from './verbs.ts';

/** What holds for all records of a file. */
interface LogState {
  readonly verb: Verb;
  readonly times: PlausibleTimes;
}

const OWN_PRODUCT = /"(?:header"\s*:|products"\s*:\s*\[)\s*"YouTube(?: Music)?"/;

/** Takeout's `watch-history.json`, and My Activity in the same shape; a list, newest first. */
export const watchHistoryJson: FileFormat<ResolvedImportOptions> = jsonFormat<ResolvedImportOptions, LogState>({
  id: 'takeout-json',
  name: 'Takeout watch history (JSON)',
  precision: 'second',
  // Both formats name events alike, so neither hides the other.
  rank: 1,
  names: namesOf('json'),
  paths: pathsOf('json'),
  recognise(sample) {
    const { text } = sample;
    const promise = promiseOf(sample);
    if (promise === 'searches') return 0;
    const isLog = /"(header|snippet)"\s*:/.test(text) && /"(time|publishedAt)"\s*:/.test(text);
    if (!isLog) return text.trim() === '[]' && promise !== 'nothing' ? 0.6 : 0;
    const isOwn = OWN_PRODUCT.test(text);
    // Without a header it is the form of before 2017, which lists of likes have, too: there only the name tells.
    if (promise === 'watches') return isOwn || !/"header"\s*:/.test(text) ? 0.95 : 0;
    if (!isOwn || isMostlySearches(text)) return 0;
    return /watch\?v|\/shorts\//.test(text) ? 0.95 : 0.7;
  },
  prepare: async (file, context) => ({
    verb: await verbOf(file, context.signal),
    times: { earliest: YOUTUBE_BEGAN, now: context.now() },
  }),
  record: (row, { options }, state) => activity(row, state, options),
});

async function verbOf(file: ImportFile, signal: AbortSignal): Promise<Verb> {
  const titles: string[] = [];
  try {
    for await (const { records } of readJsonRecords(file, { root: 'array', signal })) {
      for (const row of records as readonly JsonRow[]) {
        if (typeof row?.title === 'string' && typeof row.titleUrl === 'string' && Array.isArray(row.subtitles))
          titles.push(row.title);
      }
      if (titles.length >= TITLES_LOOKED_AT) break;
    }
  } catch (error) {
    // Whatever is wrong with the file is told when it is read, behind the records that are sound.
    if (!McaError.isInstance(error) || error.code !== 'file_parse_error') throw error;
  }
  return learnVerb(titles);
}

function activity(row: JsonRow, { verb, times }: LogState, options: ResolvedImportOptions): RecordResult {
  if (row.snippet !== undefined) return before2017(row, times, options);
  const products = Array.isArray(row.products) ? (row.products as unknown[]) : [];
  if (!isOwnProduct(row.header) && !products.some(isOwnProduct)) return skip('other_product');
  const time = typeof row.time === 'string' ? parseUtc(row.time) : undefined;
  if (time === undefined) return reject('invalid_date', 'time is no date and time in UTC', 'time');
  if (!isPlausible(time, times)) return reject('implausible_date', 'time is before 2005 or in the future', 'time');
  if (typeof row.title !== 'string') return reject('no_title', 'title is no text', 'title');
  const [channel] = Array.isArray(row.subtitles) ? (row.subtitles as unknown[]).filter(isObject) : [];
  const bare = withoutVerb(row.title, verb);
  return itemOf(
    {
      time,
      title: bare ?? row.title,
      url: text(row.titleUrl),
      channel: text(channel?.name),
      channelUrl: text(channel?.url),
      isAd: isFilled(row.details) || (channel === undefined && text(row.description) !== undefined),
      isMusic: row.header === 'YouTube Music',
      isOtherVerb: bare === undefined && !BARE_ADDRESS.test(row.title),
      isRemoved: bare !== undefined && (verb.prefix !== '' || verb.suffix !== ''),
      source: 'takeout-json',
    },
    options,
  );
}

/** What Takeout writes, without any verb, when it does not know the title. */
const BARE_ADDRESS = /^https?:\/\//;

/** Exports before 2017 are lists of the API's playlist items. */
function before2017(
  { snippet, contentDetails }: JsonRow,
  times: PlausibleTimes,
  options: ResolvedImportOptions,
): RecordResult {
  if (!isObject(snippet)) return reject('not_an_object', 'snippet is no object', 'snippet');
  const time = typeof snippet.publishedAt === 'string' ? parseUtc(snippet.publishedAt) : undefined;
  if (time === undefined)
    return reject('invalid_date', 'publishedAt is no date and time in UTC', 'snippet.publishedAt');
  if (!isPlausible(time, times))
    return reject('implausible_date', 'publishedAt is before 2005 or in the future', 'snippet.publishedAt');
  const resource = isObject(snippet.resourceId) ? text(snippet.resourceId.videoId) : undefined;
  const id = resource ?? (isObject(contentDetails) ? text(contentDetails.videoId) : undefined);
  return itemOf(
    {
      time,
      title: text(snippet.title) ?? '',
      url: id && `https://www.youtube.com/watch?v=${id}`,
      isAd: false,
      isMusic: false,
      isOtherVerb: false,
      isRemoved: id === undefined,
      source: 'takeout-json',
    },
    options,
  );
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}

function isObject(value: unknown): value is JsonRow {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
