import {
  closing,
  columnOf,
  csvFormat,
  eventId,
  type FileFormat,
  type FileSample,
  type FormatContext,
  type ImportBatch,
  type ImportFile,
  isPlausible,
  type Json,
  type MediaItem,
  type PlausibleTimes,
  parseUtc,
  type RecordResult,
  readCsvHeader,
  reject,
  sampleRows,
  skip,
  type Tally,
} from '@mca/core/provider-kit';
import { cellAt, linesOf } from './columns.ts';
import { type Content, contentReader, showCollector, TITLE_LENGTH_MAX } from './content.ts';
import { STREAMING_BEGAN } from './dates.ts';
import { checkProfiles, PROFILE_LENGTH_MAX } from './profiles.ts';
import type { ResolvedNetflixOptions } from './schemas.ts';

/** Where the columns stand. The ten of them were English in every export seen, and always in this order. */
interface Columns {
  readonly profile: number;
  readonly start: number;
  readonly duration: number;
  readonly attributes: number;
  readonly title: number;
  readonly supplemental: number;
}

interface ActivityState {
  readonly columns: Columns;
  readonly profiles: ReadonlySet<string> | undefined;
  readonly times: PlausibleTimes;
  readonly contentOf: (rawTitle: string) => Content;
  readonly attributesOf: (text: string) => Attributes;
}

/** What the `Attributes` cell says. */
interface Attributes {
  readonly nobodyPressedPlay: boolean;
  readonly hidden: boolean;
  readonly metadata: Readonly<Record<string, Json>> | undefined;
}

type Context = FormatContext<ResolvedNetflixOptions>;

const byPosition: Columns = { profile: 0, start: 1, duration: 2, attributes: 3, title: 4, supplemental: 5 };
const COLUMN_COUNT = 10;
const durationPattern = /^\d{1,4}:[0-5]\d:[0-5]\d$/;
/** Accounts have five profiles; the names of a damaged file must not fill the memory. */
const PROFILES_MAX = 1_000;
/** Longer cells are read anew each time. */
const ATTRIBUTES_REMEMBERED_LENGTH = 500;
const noTags: readonly string[] = Object.freeze([]);
const noIds = Object.freeze({});

const rows: FileFormat<ResolvedNetflixOptions> = csvFormat<ResolvedNetflixOptions, ActivityState>({
  id: 'viewing-activity',
  name: 'Viewing activity (full data request)',
  precision: 'second',
  rank: 2,
  names: /^ViewingActivity.*\.(?:csv|txt)$/i,
  recognise,
  prepare,
  record,
});

/** `CONTENT_INTERACTION/ViewingActivity.csv` of the full data request: all profiles, to the second, with time spent. */
export const viewingActivity: FileFormat<ResolvedNetflixOptions> = {
  ...rows,
  read: (file, context) => (isNote(file.name) ? closing(rows.id, file, context, readNote) : rows.read(file, context)),
};

/** In place of a table without rows Netflix may send a sentence in a `.txt` file. */
const isNote = (name: string): boolean => /ViewingActivity[^/!]*\.txt$/i.test(name);

async function* readNote(_file: ImportFile, _context: Context, tally: Tally): AsyncGenerator<ImportBatch> {
  tally.warn('Netflix sent a note in place of the viewing activity: there is no data in it.');
  yield tally.take();
}

function recognise(sample: FileSample): number {
  if (isNote(sample.name)) return 0.6;
  const [header = [], row = []] = sampleRows(sample);
  if (columnOf(header, 'start time') >= 0 && columnOf(header, 'title') >= 0) return 0.95;
  return header.length === COLUMN_COUNT && parseTime(row[byPosition.start] ?? '') !== undefined ? 0.6 : 0;
}

function findColumns(header: readonly string[]): Columns {
  const start = columnOf(header, 'start time');
  const title = columnOf(header, 'title');
  if (start < 0 || title < 0) return byPosition;
  return {
    profile: columnOf(header, 'profile name'),
    start,
    duration: columnOf(header, 'duration'),
    attributes: columnOf(header, 'attributes'),
    title,
    supplemental: columnOf(header, 'supplemental video type'),
  };
}

/** The first pass: which profiles there are, and which shows have seasons. A CSV parser would double the import time. */
async function prepare(file: ImportFile, context: Context): Promise<ActivityState> {
  const { columns: header, delimiter } = await readCsvHeader(file, { signal: context.signal });
  const columns = findColumns(header);
  const wanted = context.options.profiles;
  const found = new Set<string>();
  const collector = showCollector();
  let isHeader = true;
  for await (const lines of linesOf(file, context.signal)) {
    for (const line of lines) {
      const title = cellAt(line, delimiter, columns.title);
      if (title !== undefined && !isHeader) collector.add(title);
      const profile = wanted && !isHeader ? (cellAt(line, delimiter, columns.profile) ?? '').trim() : undefined;
      if (profile !== undefined && (found.size < PROFILES_MAX || wanted?.includes(profile))) found.add(profile);
      isHeader = false;
    }
  }
  if (wanted) checkProfiles(file.name, wanted, found);
  return {
    columns,
    profiles: wanted && new Set(wanted),
    times: { earliest: STREAMING_BEGAN, now: context.now() },
    contentOf: contentReader(collector.shows),
    attributesOf: attributesReader(),
  };
}

function record(row: readonly string[], context: Context, state: ActivityState): RecordResult {
  const { columns, profiles } = state;
  const { skip: leaveOut } = context.options;
  const profile = (row[columns.profile] ?? '').trim();
  if (profiles && !profiles.has(profile)) return skip('other_profile');
  const supplemental = row[columns.supplemental] ?? '';
  if (supplemental !== '' && leaveOut.trailers) return skip('trailer');
  const attributes = state.attributesOf(row[columns.attributes] ?? '');
  if (attributes.nobodyPressedPlay && leaveOut.autoplayed) return skip('autoplay_preview');
  if (attributes.hidden && leaveOut.hidden) return skip('hidden');

  const rawTitle = row[columns.title] ?? '';
  if (rawTitle.trim() === '') return reject('missing_title', 'the title is empty', 'Title');
  if (rawTitle.length > TITLE_LENGTH_MAX)
    return reject('title_too_long', 'the title is longer than any title', 'Title');
  if (profile.length > PROFILE_LENGTH_MAX)
    return reject('invalid_profile', 'the profile name is too long', 'Profile Name');
  const content = state.contentOf(rawTitle);
  if (content.isTrailer && leaveOut.trailers) return skip('trailer');
  const at = parseTime(row[columns.start] ?? '');
  if (at === undefined) return reject('invalid_date', 'the start time is not a possible date and time', 'Start Time');
  if (!isPlausible(at, state.times))
    return reject('implausible_date', 'the start time is before 2007 or in the future', 'Start Time');
  const duration = row[columns.duration] ?? '';
  const timeSpentMs = duration === '' ? undefined : parseDuration(duration.trim());
  if (timeSpentMs === undefined && duration !== '')
    return reject('invalid_duration', 'the duration is not h:mm:ss', 'Duration');
  if (timeSpentMs !== undefined && timeSpentMs < leaveOut.shorterThanMs) return skip('too_short');
  return toItem(content, at, profile, timeSpentMs, supplemental, attributes);
}

function toItem(
  content: Content,
  at: number,
  profile: string,
  timeSpentMs: number | undefined,
  supplemental: string,
  attributes: Attributes,
): MediaItem {
  const account = profile === '' ? undefined : profile;
  const more =
    supplemental === ''
      ? attributes.metadata
      : { ...attributes.metadata, supplementalType: supplemental.slice(0, 100) };
  return {
    platform: 'netflix',
    externalId: eventId({ account, at, content: content.id }),
    type: 'video',
    subtype: supplemental === '' && !content.isTrailer ? content.subtype : 'trailer',
    action: 'consumed',
    title: content.title,
    creator: content.creator,
    consumedAt: new Date(at),
    durationMs: undefined,
    timeSpentMs,
    tags: noTags,
    contentId: content.id,
    ids: noIds,
    source: 'viewing-activity',
    precision: 'second',
    account,
    rawMetadata: more ? { ...content.metadata, ...more } : content.metadata,
  };
}

/** Seconds or nothing: a spreadsheet that cut them would make different views equal. */
function parseTime(text: string): number | undefined {
  return text.length >= 19 ? parseUtc(text) : undefined;
}

/** `h:mm:ss`, up to four digits of hours. */
function parseDuration(text: string): number | undefined {
  if (!durationPattern.test(text)) return undefined;
  // All but the hours stand at fixed places from the end; cutting groups out costs more than reading digits.
  const digit = (fromEnd: number): number => text.charCodeAt(text.length - fromEnd) - 48;
  const hours = text.length === 8 ? digit(8) * 10 + digit(7) : Number(text.slice(0, -6));
  return (hours * 3600 + (digit(5) * 10 + digit(4)) * 60 + digit(2) * 10 + digit(1)) * 1000;
}

/** Few different cells occur, hundreds of thousands of times. */
function attributesReader(): (text: string) => Attributes {
  const known = new Map<string, Attributes>();
  return (text) => {
    const before = known.get(text);
    if (before) return before;
    const attributes = readAttributes(text);
    if (text.length > ATTRIBUTES_REMEMBERED_LENGTH) return attributes;
    if (known.size >= 1000) known.clear();
    known.set(text, attributes);
    return attributes;
  };
}

function readAttributes(text: string): Attributes {
  const autoplayed = /Autoplayed: user action: (\w{1,40})/.exec(text)?.[1];
  const metadata: Record<string, Json> = {};
  const hidden = text.includes('View was hidden');
  if (autoplayed !== undefined) metadata.autoplayed = autoplayed;
  if (hidden) metadata.hidden = true;
  if (text.includes('Has branched playback')) metadata.branched = true;
  const isPlain = Object.keys(metadata).length === 0;
  return { nobodyPressedPlay: autoplayed === 'None', hidden, metadata: isPlain ? undefined : Object.freeze(metadata) };
}
