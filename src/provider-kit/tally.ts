import type { ImportBatch, RejectedRecord } from '../contracts/capabilities/file-import.ts';
import { McaError } from '../contracts/errors.ts';
import type { MediaItem } from '../contracts/media-item.ts';
import type { RecordResult, Rejected } from './record-result.ts';

/** Where a record stands in its file; see `FilePosition`. */
export interface RecordPlace {
  readonly record: number;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

/** Sorts the records of one file into items, skips and rejects, and gives up on a file that is mostly bad. */
export interface Tally {
  /** Counts one record, or ends the file when too many are bad. */
  add(result: RecordResult, place: RecordPlace): void;
  /** Something the user should know; told with the next batch. */
  warn(message: string): void;
  /** Records since the last call, as a batch that balances. */
  take(error?: McaError): ImportBatch;
  /** Whether anything was added since the last batch. */
  readonly hasNews: boolean;
  /** What is wrong with the file as a whole, now that it is read: not one record of it could be. */
  readonly verdict: McaError | undefined;
}

/** More bad records than this share, and more than {@link BAD_RECORDS_ALLOWED}, and the file is refused. */
const BAD_SHARE_ALLOWED = 0.01;
const BAD_RECORDS_ALLOWED = 50;
/** A file whose first records are all bad is not what it seemed. */
const BAD_FROM_THE_START = 20;

/** Makes the tally of one file. In `strict` mode the first bad record ends the file. */
export function createTally(file: string, format: string, strict: boolean): Tally {
  let items: MediaItem[] = [];
  let rejected: RejectedRecord[] = [];
  let skipped: Record<string, number> = {};
  let warnings: string[] = [];
  let read = 0;
  let readInFile = 0;
  let rejectedInFile = 0;
  let lastBad: RejectedRecord | undefined;

  function refuse(result: Rejected, place: RecordPlace): void {
    rejectedInFile += 1;
    const bad = { file, ...place, field: result.field, reason: result.reject, message: result.message };
    rejected.push(bad);
    lastBad = bad;
    const tooMany = rejectedInFile > BAD_RECORDS_ALLOWED && rejectedInFile > readInFile * BAD_SHARE_ALLOWED;
    const allBad = rejectedInFile === readInFile && readInFile >= BAD_FROM_THE_START;
    if (!strict && !tooMany && !allBad) return;
    throw refusal(result, place, strict ? 'bad_record' : 'too_many_bad_records');
  }

  function refusal(
    { message, field }: Pick<Rejected, 'message' | 'field'>,
    place: Pick<RejectedRecord, 'record' | 'line' | 'column'>,
    reason: 'bad_record' | 'too_many_bad_records',
  ): McaError {
    return new McaError({
      code: 'file_parse_error',
      reason,
      message:
        reason === 'bad_record'
          ? `Record ${place.record} of ${file} cannot be read: ${message}`
          : `${rejectedInFile} of the first ${readInFile} records of ${file} cannot be read; last: ${message}`,
      hint: 'Export the file again, or check that it was not edited or saved by another program.',
      position: { file, ...place, field },
    });
  }

  return {
    get hasNews() {
      return read > 0 || warnings.length > 0;
    },
    get verdict() {
      if (!lastBad || rejectedInFile < readInFile) return undefined;
      const { record, line, column } = lastBad;
      return refusal(lastBad, { record, line, column }, 'too_many_bad_records');
    },
    add(result, place) {
      read += 1;
      readInFile += 1;
      assertResult(result, file, format, place);
      if ('skip' in result) skipped[result.skip] = (skipped[result.skip] ?? 0) + 1;
      else if ('reject' in result) refuse(result, place);
      else if (isTooLong(result)) refuse(TOO_LONG, place);
      else items.push(isClean(result) ? result : cleaned(result));
    },
    warn(message) {
      warnings.push(message);
    },
    take(error) {
      const batch: ImportBatch = { file, format, read, items, skipped, rejected, warnings, error };
      items = [];
      rejected = [];
      skipped = {};
      warnings = [];
      read = 0;
      return batch;
    },
  };
}

/** Nothing has a longer name; what claims to is damaged, or wants to fill the memory. */
const NAME_LENGTH_MAX = 2_000;
const TOO_LONG: Rejected = {
  reject: 'too_long',
  message: `a title, creator or address is longer than ${NAME_LENGTH_MAX} characters`,
};

function isTooLong({ title, creator = '', url = '', account = '' }: MediaItem): boolean {
  return Math.max(title.length, creator.length, url.length, account.length) > NAME_LENGTH_MAX;
}

/** Says where an author forgot a case, instead of failing in the depths of the kit. */
function assertResult(result: unknown, file: string, format: string, place: RecordPlace): void {
  const isObject = typeof result === 'object' && result !== null;
  if (isObject && ('skip' in result || 'reject' in result || typeof (result as MediaItem).title === 'string')) return;
  throw new McaError({
    code: 'plugin',
    reason: 'invalid_result',
    message: `Format ${format} gave no outcome for record ${place.record} of ${file}.`,
    hint: 'Every record is an item with a title, skip(reason) or reject(reason, message, field).',
    position: { file, ...place },
  });
}

/** Databases refuse or silently change NUL and half surrogate pairs; an item must come back as it went in. */
function isClean(item: MediaItem): boolean {
  return (
    isCleanText(item.account) &&
    isCleanText(item.url) &&
    item.tags.every(isCleanText) &&
    isCleanText(item.title) &&
    (item.creator === undefined || isCleanText(item.creator)) &&
    isCleanText(item.externalId)
  );
}

function isCleanText(text: string | undefined): boolean {
  return text === undefined || (text.isWellFormed() && !text.includes('\0'));
}

function cleaned(item: MediaItem): MediaItem {
  const clean = (text: string): string => text.toWellFormed().replaceAll('\0', '');
  const title = clean(item.title);
  return {
    ...item,
    title: title === '' ? '(untitled)' : title,
    externalId: clean(item.externalId),
    tags: item.tags.map(clean),
    ...(item.account === undefined ? {} : { account: clean(item.account) }),
    ...(item.url === undefined ? {} : { url: clean(item.url) }),
    ...(item.creator === undefined ? {} : { creator: clean(item.creator) }),
  };
}
