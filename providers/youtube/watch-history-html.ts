import {
  closing,
  type FileFormat,
  type FormatContext,
  type ImportBatch,
  type ImportFile,
  isPlausible,
  McaError,
  type PlausibleTimes,
  type RecordResult,
  reject,
  skip,
  type Tally,
} from '@mca/core/provider-kit';
import { isMostlySearches, namesOf, pathsOf, promiseOf } from './file-names.ts';
import { ASK_FOR_JSON, CELL, cellsOf } from './html-cells.ts';
import { offsetOf, parseHtmlDate } from './html-dates.ts';
import { between, linkOf, textOf } from './html-text.ts';
import { isOwnProduct, itemOf, YOUTUBE_BEGAN } from './normalise.ts';
import type { ResolvedImportOptions } from './schemas.ts';
import { learnVerb, TITLES_LOOKED_AT, type Verb, withoutVerb } from './verbs.ts';

const HEADER = 'mdl-typography--title">';
const OWN_HEADER = /mdl-typography--title">\s*YouTube(?: Music)?\s*</;
const CELLS_PER_BATCH = 1_000;
/** Without an address only the words tell a removed video from surveys and the like. */
const REMOVED = /remov|entfern|verwijder|eliminad|kaldır/i;

/** Takeout's `watch-history.html`: one huge line of cells, read cell by cell. */
export const watchHistoryHtml: FileFormat<ResolvedImportOptions> = {
  id: 'takeout-html',
  name: 'Takeout watch history (HTML)',
  precision: 'second',
  // Both formats name events alike, so neither hides the other.
  rank: 1,
  names: namesOf('html'),
  paths: pathsOf('html'),
  recognise(sample) {
    const { text } = sample;
    const promise = promiseOf(sample);
    if (promise === 'searches') return 0;
    const isOwn = text.includes(CELL) && OWN_HEADER.test(text);
    if (promise !== 'watches') return isOwn && !isMostlySearches(text) ? 0.9 : 0;
    // The style sheet may be longer than the sample, so a page of this name need not show a cell yet.
    return isOwn ? 0.9 : text.includes(CELL) || /^\s*<(?:!doctype html|html)\b/i.test(text) ? 0.6 : 0;
  },
  read: (file, context) => closing('takeout-html', file, context, readCells),
};

async function* readCells(
  file: ImportFile,
  context: FormatContext<ResolvedImportOptions>,
  tally: Tally,
): AsyncGenerator<ImportBatch> {
  const page: Page = {
    file,
    verb: await verbOf(file, context.signal),
    times: { earliest: YOUTUBE_BEGAN, now: context.now() },
    options: context.options,
  };
  let record = 0;
  for await (const cells of cellsOf(file, context.signal)) {
    for (const cell of cells) {
      record += 1;
      tally.add(cellResult(cell, record, page), { record });
    }
    if (record % CELLS_PER_BATCH < cells.length) yield tally.take();
  }
}

/** What holds for all cells of a page. */
interface Page {
  readonly file: ImportFile;
  readonly verb: Verb;
  readonly times: PlausibleTimes;
  readonly options: ResolvedImportOptions;
}

async function verbOf(file: ImportFile, signal: AbortSignal): Promise<Verb> {
  const titles: string[] = [];
  try {
    for await (const cells of cellsOf(file, signal)) {
      for (const [first = '', second = ''] of cells.map((cell) => linesOf(cell) ?? [])) {
        if (linkOf(first) && linkOf(second)) titles.push(textOf(first));
      }
      if (titles.length >= TITLES_LOOKED_AT) break;
    }
  } catch (error) {
    // Whatever is wrong with the page is told when it is read, behind the cells that are sound.
    if (!McaError.isInstance(error) || error.code !== 'file_parse_error') throw error;
  }
  return learnVerb(titles);
}

function linesOf(cell: string): readonly string[] | undefined {
  return between(cell, '<div class="content-cell mdl-cell mdl-cell--6-col mdl-typography--body-1">', '</div>')
    ?.split(/<br\s*\/?>/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function cellResult(cell: string, record: number, { file, verb, times, options }: Page): RecordResult {
  const lines = linesOf(cell);
  if (!lines) return reject('malformed_cell', 'the cell has no content');
  const written = textOf(lines.at(-1) ?? '');
  const date = parseHtmlDate(written);
  if (!date) {
    // The first cell tells the language of all; later ones may be damaged by themselves.
    if (record === 1) throw unknownLanguage(file);
    return reject('invalid_date', 'the last line is no date in the language of the file', 'date');
  }
  const offset = offsetOf(date.zone) ?? options.utcOffsetMinutes;
  if (offset === undefined) throw ambiguousZone(file, date.zone, record);
  const time = date.wallTime - offset * 60_000;
  if (!isPlausible(time, times)) return reject('implausible_date', 'the date is before 2005 or in the future', 'date');
  const header = textOf(between(cell, HEADER, '</p>') ?? '');
  if (header !== '' && !isOwnProduct(header)) return skip('other_product');
  const [title, channel] = [linkOf(lines[0] ?? ''), linkOf(lines[1] ?? '')];
  const line = textOf(lines[0] ?? '');
  const caption = cell.slice(cell.indexOf('mdl-typography--caption'));
  return itemOf(
    {
      time,
      title: title?.text ?? line,
      url: title?.url,
      channel: channel?.text,
      channelUrl: channel?.url,
      // Products and the reason are always there; a third heading is where an advertisement came from.
      isAd: (caption.match(/<b>/g)?.length ?? 0) > 2,
      isMusic: header === 'YouTube Music',
      isOtherVerb: withoutVerb(line, verb) === undefined && !/^https?:\/\//.test(line),
      isRemoved: title === undefined && REMOVED.test(lines[0] ?? ''),
      source: 'takeout-html',
    },
    options,
  );
}

function unknownLanguage(file: ImportFile): McaError {
  return new McaError({
    code: 'file_parse_error',
    reason: 'unsupported_language',
    provider: 'youtube',
    message: `The dates of ${file.name} are in a language that is not supported in HTML (English, German, Dutch, Spanish, Turkish and Chinese are).`,
    hint: ASK_FOR_JSON,
    position: { file: file.name, record: 1 },
  });
}

function ambiguousZone(file: ImportFile, zone: string, record: number): McaError {
  return new McaError({
    code: 'file_parse_error',
    reason: 'ambiguous_time_zone',
    provider: 'youtube',
    message: `The dates of ${file.name} are in a time zone "${zone.slice(0, 12)}", which is not one zone.`,
    hint: `Say which with the option utcOffsetMinutes (60 is one hour ahead of UTC). ${ASK_FOR_JSON}`,
    position: { file: file.name, record },
  });
}
