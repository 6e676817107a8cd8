import {
  csvFormat,
  type FileFormat,
  type FileImportCapability,
  fileImport,
  isPlausible,
  type PlausibleTimes,
  parseUtc,
  type RecordResult,
  readCsvHeader,
  reject,
  skip,
  withDefaults,
} from '@mca/core/provider-kit';
import { itemOf } from './item.ts';
import { importOptions, type MyServiceImportOptions, type ResolvedImportOptions } from './schemas.ts';

/** When the service began: nothing was played before. */
const BEGAN = Date.UTC(2010, 0, 1);
/** What a file must have, in any order. */
const NEEDED = ['played at', 'artist', 'track', 'seconds'];

/** Where each column stands in this file, and when its plays can have happened. */
interface Columns {
  readonly times: PlausibleTimes;
  readonly playedAt: number;
  readonly artist: number;
  readonly track: number;
  readonly seconds: number;
}

/** One format per kind of file the service exports. This one: `Played At,Artist,Track,Seconds`. */
const plays: FileFormat<ResolvedImportOptions> = csvFormat<ResolvedImportOptions, Columns>({
  // The id becomes `source` of every item. When two sources tell the same plays under other names, the higher rank wins.
  id: 'plays',
  name: 'Play history',
  precision: 'second',
  rank: 1,
  // Names inside an archive; a file handed in by itself may have any name.
  names: /^plays.*\.csv$/i,
  // 0 to 1, from the first 64 KiB. Look at the content: people rename files.
  recognise({ text }) {
    const [header = ''] = text.split(/\r?\n/, 1);
    const columns = header.split(',').map((column) => column.replaceAll('"', '').trim().toLowerCase());
    return NEEDED.every((name) => columns.includes(name)) ? 0.95 : 0;
  },
  // A first look at the file, before its records: find the columns by name, they move between versions.
  async prepare(file, context) {
    const { columns } = await readCsvHeader(file);
    const at = (name: string): number => columns.findIndex((column) => column.trim().toLowerCase() === name);
    const times = { earliest: BEGAN, now: context.now() };
    return { times, playedAt: at('played at'), artist: at('artist'), track: at('track'), seconds: at('seconds') };
  },
  record: (row, { options }, columns) => play(row, options, columns),
});

/** Every record has exactly one outcome: an item, `skip(reason)` or `reject(reason, message, field)`. */
function play(row: readonly string[], options: ResolvedImportOptions, columns: Columns): RecordResult {
  const artist = row[columns.artist] ?? '';
  const title = row[columns.track] ?? '';
  if (options.skip.ads && artist === 'Advertisement') return skip('ad');
  const at = parseUtc(row[columns.playedAt] ?? '');
  if (at === undefined) return reject('invalid_date', 'it is no date and time in UTC', 'Played At');
  // A record of 2099 would stretch what the file seems to cover, and so hide real items.
  if (!isPlausible(at, columns.times))
    return reject('implausible_date', 'it is before 2010 or in the future', 'Played At');
  if (title === '') return reject('no_title', 'it is empty', 'Track');
  const seconds = Number.parseFloat(row[columns.seconds] ?? '');
  return itemOf({ at, artist, title, seconds: Number.isFinite(seconds) ? seconds : undefined, source: 'plays' });
}

/** The importer: opens archives, tells formats apart, counts, and reports positions; formats only map records. */
export function myServiceFileImport(
  defaults: MyServiceImportOptions,
): FileImportCapability<ResolvedImportOptions, MyServiceImportOptions> {
  return fileImport(
    {
      provider: 'my-service',
      accept: ['.csv', '.zip'],
      formats: [plays],
      hint: 'Hand in the CSV from Settings, Export, or the zip it came in.',
    },
    withDefaults(importOptions, defaults, 'my-service'),
  );
}
