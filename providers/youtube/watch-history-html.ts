import {
  closing,
  decodeText,
  type FileFormat,
  type FormatContext,
  type ImportBatch,
  type ImportFile,
  McaError,
  type RecordResult,
  reject,
  type Tally,
} from '@mca/core/provider-kit';
import { namesOf, pathsOf } from './file-names.ts';
import { offsetOf, parseHtmlDate } from './html-dates.ts';
import { itemOf } from './normalise.ts';
import type { ResolvedImportOptions } from './schemas.ts';

const CELL = '<div class="outer-cell';
const CELLS_PER_BATCH = 1_000;
/** Without an address only the words tell a removed video from surveys and the like. */
const REMOVED = /remov|entfern|verwijder|eliminad|kaldır/i;
/** A cell is about a kilobyte; one this long is no cell. */
const LONGEST_CELL = 1024 * 1024;

/** Takeout's `watch-history.html`: one huge line of cells, read cell by cell. */
export const watchHistoryHtml: FileFormat<ResolvedImportOptions> = {
  id: 'takeout-html',
  name: 'Takeout watch history (HTML)',
  precision: 'second',
  // Both formats name events alike, so neither hides the other.
  rank: 1,
  names: namesOf('html'),
  paths: pathsOf('html'),
  recognise: ({ text }) =>
    text.includes(CELL) && /youtube\.com|>YouTube/i.test(text) && !/results\?search_query/.test(text) ? 0.9 : 0,
  read: (file, context) => closing('takeout-html', file, context, readCells),
};

async function* readCells(
  file: ImportFile,
  context: FormatContext<ResolvedImportOptions>,
  tally: Tally,
): AsyncGenerator<ImportBatch> {
  let rest = '';
  let record = 0;
  let begun = false;
  for await (const text of decodeText(file, { signal: context.signal })) {
    const cells = (rest + text).split(CELL);
    rest = cells.pop() ?? '';
    for (const cell of cells) {
      if (begun) {
        record += 1;
        tally.add(cellResult(cell, record, file, context), { record });
      }
      begun = true;
    }
    if (rest.length > LONGEST_CELL && begun) throw tooLong(file, record + 1);
    // Before the first cell there is a style sheet; only its end may matter.
    if (!begun) rest = rest.slice(-CELL.length);
    if (record % CELLS_PER_BATCH < cells.length) yield tally.take();
  }
  if (begun) tally.add(cellResult(rest, record + 1, file, context), { record: record + 1 });
}

function cellResult(
  cell: string,
  record: number,
  file: ImportFile,
  { options }: FormatContext<ResolvedImportOptions>,
): RecordResult {
  const content = between(cell, '<div class="content-cell mdl-cell mdl-cell--6-col mdl-typography--body-1">', '</div>');
  if (content === undefined) return reject('malformed_cell', 'the cell has no content');
  const lines = content
    .split(/<br\s*\/?>/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const written = textOf(lines.at(-1) ?? '');
  const date = parseHtmlDate(written);
  if (!date) {
    // The first cell tells the language of all; later ones may be damaged by themselves.
    if (record === 1) throw unknownLanguage(file);
    return reject('invalid_date', 'the last line is no date in the language of the file');
  }
  const offset = offsetOf(date.zone) ?? options.utcOffsetMinutes;
  if (offset === undefined) throw ambiguousZone(file, date.zone, record);
  const [title, channel] = [linkOf(lines[0] ?? ''), linkOf(lines[1] ?? '')];
  const header = textOf(between(cell, 'mdl-typography--title">', '</p>') ?? '');
  const caption = cell.slice(cell.indexOf('mdl-typography--caption'));
  return itemOf(
    {
      time: date.wallTime - offset * 60_000,
      title: title?.text ?? textOf(lines[0] ?? ''),
      url: title?.url,
      channel: channel?.text,
      channelUrl: channel?.url,
      // Products and the reason are always there; a third heading is where an advertisement came from.
      isAd: (caption.match(/<b>/g)?.length ?? 0) > 2,
      isMusic: header === 'YouTube Music',
      isRemoved: title === undefined && REMOVED.test(lines[0] ?? ''),
      source: 'takeout-html',
    },
    options,
  );
}

function between(text: string, start: string, end: string): string | undefined {
  const from = text.indexOf(start);
  if (from === -1) return undefined;
  const to = text.indexOf(end, from + start.length);
  return to === -1 ? undefined : text.slice(from + start.length, to);
}

function linkOf(line: string): { readonly url: string; readonly text: string } | undefined {
  const match = /<a href="([^"]*)"[^>]*>(.*?)<\/a>/s.exec(line);
  return match ? { url: textOf(match[1] ?? ''), text: textOf(match[2] ?? '') } : undefined;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

/** Text of a piece of HTML: tags out, entities resolved. */
function textOf(html: string): string {
  const text = html.replace(/<[^>]*>/g, '');
  if (!text.includes('&')) return text.trim();
  return text
    .replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w+));/gi, (whole, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? whole;
      const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    })
    .trim();
}

const ASK_FOR_JSON =
  'At takeout.google.com choose JSON as the format of the history; it is the same in every language.';

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

function tooLong(file: ImportFile, record: number): McaError {
  return new McaError({
    code: 'file_parse_error',
    reason: 'record_too_large',
    provider: 'youtube',
    message: `Cell ${record} of ${file.name} never ends.`,
    hint: ASK_FOR_JSON,
    position: { file: file.name, record },
  });
}
