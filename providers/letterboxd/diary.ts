import {
  cellOf,
  closing,
  csvFormat,
  eventId,
  type FileFormat,
  type ImportBatch,
  type ImportFile,
  type Json,
  listOf,
  type RecordResult,
  type Rejected,
  reject,
  skip,
  type Tally,
  UNDATED_MS,
} from '@mca/core/provider-kit';
import { basicsOf, dayOf, type Film, filmOf, isRejected, starsOf } from './film.ts';
import type { ResolvedLetterboxdOptions } from './schemas.ts';
import { type Context, isLeftOut, prepare, recogniseAs, type Table } from './table.ts';

/** One cell holds a few words; what is longer is a missing quote. */
const TAGS_LENGTH_MAX = 2_000;
/** People have seen some thousands of films; a damaged file must not fill the memory. */
const FILMS_MAX = 500_000;

const rows: FileFormat<ResolvedLetterboxdOptions> = csvFormat<ResolvedLetterboxdOptions, Table>({
  id: 'diary',
  name: 'Diary',
  precision: 'day',
  rank: 2,
  names: /^diary\b.*\.csv$/i,
  recognise: recogniseAs('diary'),
  prepare,
  record,
});

/** `diary.csv`: viewings with their day. Loose reviews end here too, and files of folders that are left out. */
export const diary: FileFormat<ResolvedLetterboxdOptions> = {
  ...rows,
  read: (file, context) =>
    isLeftOut(file.name) ? closing(rows.id, file, context, leaveOut) : rows.read(file, context),
};

/** Deleted, orphaned, lists: known, so that nobody is told of unknown files, and not read. */
async function* leaveOut(_file: ImportFile, _context: Context, tally: Tally): AsyncGenerator<ImportBatch> {
  yield tally.take();
}

function record(row: readonly string[], context: Context, table: Table): RecordResult {
  const { columns } = table;
  const { sections, skip: leave } = context.options;
  if (columns.review >= 0) return skip('review');
  if (!sections.diary) return skip('section_off');
  const film = filmOf(row, table);
  if (isRejected(film)) return film;
  const stars = starsOf(cellOf(row, columns.rating));
  if (isRejected(stars)) return stars;
  const watched = dayOf(cellOf(row, columns.watchedDate), table, 'Watched Date');
  if (isRejected(watched)) return watched;
  const logged = watched === undefined ? cellOf(row, columns.date) : '';
  const loggedDay = dayOf(logged, table, 'Date');
  if (isRejected(loggedDay)) return loggedDay;
  const tags = tagsOf(cellOf(row, columns.tags));
  if (isRejected(tags)) return tags;
  const isRewatch = /^(?:yes|true)$/i.test(cellOf(row, columns.rewatch));
  if (!isRewatch) noteFirstViewing(film, context);
  // Counted before anything is skipped, so that options do not change names.
  const externalId = nameOf(film, watched, context);
  if (watched === undefined && leave.undated) return skip('undated');
  const metadata: Record<string, Json> = { ...film.metadata };
  if (stars !== undefined) metadata.stars = stars;
  if (isRewatch) metadata.rewatch = true;
  if (watched === undefined) Object.assign(metadata, { undated: true }, logged === '' ? {} : { loggedOn: logged });
  return {
    ...basicsOf(film),
    externalId,
    action: 'consumed',
    consumedAt: new Date(watched ?? UNDATED_MS),
    tags,
    source: 'diary',
    rawMetadata: metadata,
  };
}

/** The address of an entry is an id of the viewing. Equal ones, and days without one, are counted. */
function nameOf({ code, id }: Film, watched: number | undefined, { occurrences }: Context): string {
  const event = code === undefined ? { at: watched, content: `diary:${id}` } : { content: `diary:${code}` };
  return eventId({ ...event, occurrence: occurrences.next(eventId(event)) });
}

function noteFirstViewing({ id }: Film, { options }: Context): void {
  const { firstViewings } = options;
  if (firstViewings && firstViewings.size < FILMS_MAX) firstViewings.set(id, firstViewings.get(id));
}

function tagsOf(text: string): readonly string[] | Rejected {
  if (text.length > TAGS_LENGTH_MAX) return reject('too_long', 'the tags are longer than any', 'Tags');
  return listOf(text);
}
