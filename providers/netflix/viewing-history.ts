import {
  columnOf,
  csvFormat,
  eventId,
  type FileFormat,
  type FileSample,
  type FormatContext,
  type ImportFile,
  type MediaItem,
  type RecordResult,
  readCsvHeader,
  reject,
  sampleRows,
  skip,
} from '@mca/core/provider-kit';
import { type Content, contentReader, showCollector, TITLE_LENGTH_MAX } from './content.ts';
import { type DateReading, dateEvidence } from './date-order.ts';
import { anyDayOf, lastPossibleDay, STREAMING_BEGAN, splitDate } from './dates.ts';
import { readAhead } from './read-ahead.ts';
import type { ResolvedNetflixOptions } from './schemas.ts';

/** What the first pass over a file finds out. */
interface HistoryState {
  readonly titleAt: number;
  readonly dateAt: number;
  readonly reading: DateReading;
  readonly lastDay: number;
  readonly contentOf: (rawTitle: string) => Content;
}

type Context = FormatContext<ResolvedNetflixOptions>;

/** `NetflixViewingHistory.csv`, "Download all" on the viewing activity page: title and local day, one profile. */
export const viewingHistory: FileFormat<ResolvedNetflixOptions> = csvFormat<ResolvedNetflixOptions, HistoryState>({
  id: 'viewing-history',
  name: 'Viewing history (download of one profile)',
  precision: 'day',
  rank: 1,
  names: /^NetflixViewingHistory.*\.csv$/i,
  recognise,
  prepare,
  warnings: ({ reading }) => reading.warnings,
  record,
});

// The English header was seen; the others are likely. Any header passes whose column below holds dates.
const titleNames = ['title', 'titel', 'titre', 'título', 'titolo'];
const dateNames = ['date', 'datum', 'fecha', 'data'];

function recognise(sample: FileSample): number {
  const [header = [], ...rows] = sampleRows(sample);
  if (header.length !== 2) return 0;
  if (columnOf(header, ...titleNames) >= 0 && columnOf(header, ...dateNames) >= 0) return 0.95;
  const dated = rows.filter((row) => splitDate(row[1] ?? '') !== undefined).length;
  return splitDate(header[1] ?? '') === undefined && dated > rows.length * 0.9 ? 0.6 : 0;
}

async function prepare(file: ImportFile, context: Context): Promise<HistoryState> {
  const { columns } = await readCsvHeader(file, { signal: context.signal });
  // By name where the names are known, else by position: a localised header keeps the order.
  const named = [columnOf(columns, ...titleNames), columnOf(columns, ...dateNames)] as const;
  const [titleAt, dateAt] = named.includes(-1) ? [0, 1] : named;
  const lastDay = lastPossibleDay(context.now());
  const dates = dateEvidence(file.name, columns[dateAt] ?? 'Date', lastDay);
  const collector = showCollector();
  for await (const { first, rows, lines } of readAhead(file, context.signal)) {
    for (const [index, row] of rows.entries()) {
      collector.add(row[titleAt] ?? '');
      dates.add((row[dateAt] ?? '').trim(), { record: first + index, line: lines[index] });
    }
  }
  const reading = dates.decide(context.options);
  return { titleAt, dateAt, reading, lastDay, contentOf: contentReader(collector.shows) };
}

function record(row: readonly string[], context: Context, state: HistoryState): RecordResult {
  const rawTitle = row[state.titleAt] ?? '';
  if (rawTitle.trim() === '') return reject('missing_title', 'the title is empty', 'Title');
  if (rawTitle.length > TITLE_LENGTH_MAX)
    return reject('title_too_long', 'the title is longer than any title', 'Title');
  const parts = splitDate((row[state.dateAt] ?? '').trim());
  if (parts?.shape !== state.reading.shape)
    return reject('invalid_date', 'the date is not written like the others', 'Date');
  const day = anyDayOf(parts, state.reading.order);
  if (day === undefined) return reject('invalid_date', 'there is no such day', 'Date');
  // A day, not a moment: tomorrow is the last one possible, which is stricter than `isPlausible`.
  if (day < STREAMING_BEGAN || day > state.lastDay)
    return reject('implausible_date', 'the day is before 2007 or in the future', 'Date');
  const content = state.contentOf(rawTitle);
  const { skip: leaveOut, profile } = context.options;
  if (leaveOut.trailers && content.isTrailer) return skip('trailer');
  return toItem(content, day, profile, context);
}

function toItem(content: Content, day: number, account: string | undefined, context: Context): MediaItem {
  const event = { account, at: day, content: content.id };
  // A day can hold the same title twice: two viewings stay two.
  const occurrence = context.occurrences.next(eventId(event));
  return {
    platform: 'netflix',
    externalId: eventId({ ...event, occurrence }),
    type: 'video',
    subtype: content.subtype,
    action: 'consumed',
    title: content.title,
    creator: content.creator,
    consumedAt: new Date(day),
    tags: [],
    contentId: content.id,
    ids: {},
    source: 'viewing-history',
    precision: 'day',
    account,
    rawMetadata: content.metadata,
  };
}
