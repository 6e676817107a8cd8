import {
  contentHash,
  csvFormat,
  eventId,
  type FileFormat,
  type FileImportCapability,
  fileImport,
  parseUtc,
  type RecordResult,
  readCsvHeader,
  reject,
  skip,
  withDefaults,
} from '@mca/core/provider-kit';
import { importOptions, type MyServiceOptions, type ResolvedOptions } from './schemas.ts';

/** Where each column stands in this file. */
interface Columns {
  readonly playedAt: number;
  readonly artist: number;
  readonly track: number;
  readonly seconds: number;
}

/** One format per kind of file the service exports. This one: `Played At,Artist,Track,Seconds`. */
const plays: FileFormat<ResolvedOptions> = csvFormat<ResolvedOptions, Columns>({
  // The id becomes `source` of every item. When two formats tell the same plays, the higher rank wins in reads.
  id: 'plays',
  name: 'Play history',
  precision: 'second',
  rank: 1,
  // Names inside an archive; a file handed in by itself may have any name.
  names: /^plays.*\.csv$/i,
  // 0 to 1, from the first 64 KiB. Look at the content: people rename files.
  recognise: ({ text }) => (/^played at,artist,track,seconds/i.test(text) ? 0.95 : 0),
  // A first look at the file, before its records: find the columns by name, they move between versions.
  async prepare(file) {
    const { columns } = await readCsvHeader(file);
    const at = (name: string): number => columns.findIndex((column) => column.trim().toLowerCase() === name);
    return { playedAt: at('played at'), artist: at('artist'), track: at('track'), seconds: at('seconds') };
  },
  record: (row, { options }, columns) => play(row, options, columns),
});

/** Every record has exactly one outcome: an item, `skip(reason)` or `reject(reason, message, field)`. */
function play(row: readonly string[], options: ResolvedOptions, columns: Columns): RecordResult {
  const artist = row[columns.artist] ?? '';
  const title = row[columns.track] ?? '';
  if (options.skip.ads && artist === 'Advertisement') return skip('ad');
  const playedAt = parseUtc(row[columns.playedAt] ?? '');
  // Say what is wrong, never what the cell says: it is somebody's private history.
  if (playedAt === undefined) return reject('invalid_date', 'it is no date and time in UTC', 'Played At');
  if (title === '') return reject('no_title', 'it is empty', 'Track');
  const seconds = Number(row[columns.seconds]);
  // This service has no ids, so artist and title stand for the content.
  const content = contentHash(artist, title);
  return {
    platform: 'my-service',
    // Names this one play for ever: time first, then content. Nothing in it may change between two exports.
    externalId: eventId({ at: playedAt, content }),
    contentId: content,
    type: 'music',
    action: 'consumed',
    title,
    creator: artist === '' ? undefined : artist,
    // The start of the play. If the service stamps the end, subtract the time spent (but keep the raw stamp in the id).
    consumedAt: new Date(playedAt),
    timeSpentMs: Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined,
    tags: [],
    ids: {},
    source: 'plays',
    precision: 'second',
    // What somebody may want later. Addresses, user names and devices stay behind.
    rawMetadata: {},
  };
}

/** The importer: opens archives, tells formats apart, counts, and reports positions; formats only map records. */
export function myServiceFileImport(
  defaults: MyServiceOptions,
): FileImportCapability<ResolvedOptions, MyServiceOptions> {
  return fileImport(
    {
      provider: 'my-service',
      accept: ['.csv', '.zip'],
      formats: [plays],
      hint: 'Hand in the CSV from Settings, Export, or the zip it came in.',
    },
    withDefaults(importOptions, defaults),
  );
}
