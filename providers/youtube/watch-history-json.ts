import {
  type FileFormat,
  type ImportFile,
  type JsonRow,
  jsonFormat,
  parseUtc,
  type RecordResult,
  readJsonRecords,
  reject,
} from '@mca/core/provider-kit';
import { namesOf, pathsOf } from './file-names.ts';
import { itemOf } from './normalise.ts';
import type { ResolvedImportOptions } from './schemas.ts';
import { learnVerb, type Verb, withoutVerb } from './verbs.ts';

/** Takeout's `watch-history.json`, and My Activity in the same shape; a list, newest first. */
export const watchHistoryJson: FileFormat<ResolvedImportOptions> = jsonFormat<ResolvedImportOptions, Verb>({
  id: 'takeout-json',
  name: 'Takeout watch history (JSON)',
  precision: 'second',
  // Both formats name events alike, so neither hides the other.
  rank: 1,
  names: namesOf('json'),
  paths: pathsOf('json'),
  recognise({ name, text }) {
    const isLog = /"(header|snippet)"\s*:/.test(text) && /"(time|publishedAt)"\s*:/.test(text);
    if (!isLog) return text.trim() === '[]' && namesOf('json').test(name) ? 0.6 : 0;
    if (/watch\?v|\/shorts\//.test(text)) return 0.95;
    return /"header"\s*:\s*"YouTube/.test(text) && !/results\?search_query/.test(text) ? 0.7 : 0;
  },
  prepare: (file) => verbOf(file),
  record: (row, { options }, verb) => activity(row, verb, options),
});

/** Watches looked at to learn the verb of the language. */
const TITLES_LOOKED_AT = 500;

async function verbOf(file: ImportFile): Promise<Verb> {
  const titles: string[] = [];
  for await (const { records } of readJsonRecords(file, { root: 'array' })) {
    for (const row of records as readonly JsonRow[]) {
      if (typeof row?.title === 'string' && typeof row.titleUrl === 'string' && Array.isArray(row.subtitles))
        titles.push(row.title);
    }
    if (titles.length >= TITLES_LOOKED_AT) break;
  }
  return learnVerb(titles);
}

function activity(row: JsonRow, verb: Verb, options: ResolvedImportOptions): RecordResult {
  if (row.snippet !== undefined) return before2017(row, options);
  const time = typeof row.time === 'string' ? parseUtc(row.time) : undefined;
  if (time === undefined) return reject('invalid_date', 'time is no date and time in UTC', 'time');
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
      isRemoved: bare !== undefined && (verb.prefix !== '' || verb.suffix !== ''),
      source: 'takeout-json',
    },
    options,
  );
}

/** Exports before 2017 are lists of the API's playlist items. */
function before2017({ snippet, contentDetails }: JsonRow, options: ResolvedImportOptions): RecordResult {
  if (!isObject(snippet)) return reject('not_an_object', 'snippet is no object', 'snippet');
  const time = typeof snippet.publishedAt === 'string' ? parseUtc(snippet.publishedAt) : undefined;
  if (time === undefined)
    return reject('invalid_date', 'publishedAt is no date and time in UTC', 'snippet.publishedAt');
  const resource = isObject(snippet.resourceId) ? text(snippet.resourceId.videoId) : undefined;
  const id = resource ?? (isObject(contentDetails) ? text(contentDetails.videoId) : undefined);
  return itemOf(
    {
      time,
      title: text(snippet.title) ?? '',
      url: id && `https://www.youtube.com/watch?v=${id}`,
      isAd: false,
      isMusic: false,
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
