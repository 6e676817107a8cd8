import { type Buffer, isUtf8 } from 'node:buffer';
import type { Entry, ZipFile } from 'yauzl';
import { McaError } from '../contracts/errors.ts';
import { type FileFailure, fileFailure, throwIfCancelled } from './file-failure.ts';
import { isZip, type ZipBytes, type ZipLimits } from './zip.ts';

/** Read ahead this much: a directory is thousands of tiny reads in a row. */
const READ_AHEAD_BYTES = 256 * 1024;
const NAME_LENGTH_MAX = 255;
/** Shortest local header: the name and extra fields come on top. */
const LOCAL_HEADER_BYTES = 30;

const UNPACK = 'If you trust the archive, unpack it and import the files inside; otherwise download it again.';

/** What is kept of an entry: extra fields and comments of a hostile directory would fill the memory. */
export interface ListedEntry {
  /** Path in the archive; ends with `/` for directories. */
  readonly name: string;
  /** Number in the directory, from 1. */
  readonly number: number;
  readonly isDeflated: boolean;
  readonly crc32: number;
  readonly headerOffset: number;
  readonly compressedBytes: number;
  /** As the archive claims. */
  readonly decodedBytes: number;
  /** Where the next entry, or the directory, begins: its bytes end before. */
  readonly endOffset: number;
}

type FoundEntry = Omit<ListedEntry, 'endOffset'>;

/** Reads and checks the directory of an archive; see `openZip` for the refusals. */
export async function listEntries(
  archive: ZipBytes,
  limits: ZipLimits,
  signal: AbortSignal | undefined,
): Promise<readonly ListedEntry[]> {
  const head = archive.size < 4 ? new Uint8Array(0) : await archive.read(0, 4);
  const yauzl = await import('yauzl');
  const { reader, failure } = await randomAccessReader(archive);
  const found: FoundEntry[] = [];
  const names = new Set<string>();
  let directoryOffset = 0;
  try {
    const zip = await new Promise<ZipFile>((resolve, reject) => {
      const settings = { lazyEntries: true, autoClose: false, decodeStrings: false, validateEntrySizes: true };
      yauzl.fromRandomAccessReader(reader, archive.size, settings, (error, opened) =>
        error ? reject(error) : resolve(opened),
      );
    });
    if (!isZip(head)) throw refuse(archive, 'zip_prefixed', 'does not begin like an archive (self-extracting?)');
    if (zip.entryCount > limits.entries) {
      throw refuse(archive, 'zip_too_many_entries', `lists ${zip.entryCount} entries, more than ${limits.entries}`);
    }
    // The types say boolean; it is the offset of the directory until the first entry is read.
    directoryOffset = Number(zip.readEntryCursor);
    for await (const entry of zip.eachEntry()) {
      throwIfCancelled(archive.name, signal);
      const number = found.length + 1;
      const name = nameOf(yauzl, entry);
      checkEntry(archive, entry, name, names, number);
      names.add(name);
      found.push({
        name,
        number,
        isDeflated: entry.compressionMethod === 8,
        crc32: entry.crc32,
        headerOffset: entry.relativeOffsetOfLocalHeader,
        compressedBytes: entry.compressedSize,
        decodedBytes: entry.uncompressedSize,
      });
    }
  } catch (error) {
    throw failure() ?? (McaError.isInstance(error) ? error : translate(archive, head, error as Error));
  }
  return withRanges(archive, found, directoryOffset);
}

/** yauzl reads through this; its own way costs a chain of streams for each of thousands of small reads. */
async function randomAccessReader(
  archive: ZipBytes,
): Promise<{ reader: import('yauzl').RandomAccessReader; failure: () => McaError | undefined }> {
  const { RandomAccessReader } = await import('yauzl');
  let failed: McaError | undefined;
  let ahead: Uint8Array = new Uint8Array(0);
  let aheadStart = 0;
  async function bytesAt(position: number, length: number): Promise<Uint8Array> {
    if (position < aheadStart || position + length > aheadStart + ahead.length) {
      const wanted = Math.max(length, Math.min(READ_AHEAD_BYTES, archive.size - position));
      ahead = await archive.read(position, wanted);
      aheadStart = position;
    }
    return ahead.subarray(position - aheadStart, position - aheadStart + length);
  }
  class Reader extends RandomAccessReader {
    override read(
      buffer: Buffer,
      offset: number,
      length: number,
      position: number,
      callback: (error: Error | null, bytesRead?: number) => void,
    ): void {
      bytesAt(position, length)
        .then((bytes) => {
          buffer.set(bytes, offset);
          callback(null, length);
        })
        .catch((error: unknown) => {
          if (McaError.isInstance(error)) failed = error;
          callback(error as Error);
        });
    }
  }
  return { reader: new Reader(), failure: () => failed };
}

function nameOf(yauzl: typeof import('yauzl'), entry: Entry): string {
  const { generalPurposeBitFlag, fileNameRaw, extraFields } = entry;
  const isMarkedUtf8 = (generalPurposeBitFlag & 0x800) !== 0 || extraFields.some(({ id }) => id === 0x7075);
  const name = yauzl.getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, extraFields, true);
  // Some tools write UTF-8 without saying so; what decodes as UTF-8 is practically never anything else.
  return !isMarkedUtf8 && isUtf8(fileNameRaw) ? fileNameRaw.toString('utf8') : name;
}

function checkEntry(archive: ZipBytes, entry: Entry, name: string, names: Set<string>, number: number): void {
  const isUnsafe =
    name === '' ||
    name.length > NAME_LENGTH_MAX ||
    name.includes('\\') ||
    name.includes('\0') ||
    /^(?:\/|[a-z]:)/i.test(name) ||
    name.split('/').includes('..');
  if (isUnsafe) throw refuse(archive, 'zip_entry_name', `names entry ${number} as no honest archive does`, number);
  if (names.has(name)) throw refuse(archive, 'zip_duplicate_name', 'has two entries of the same name', number);
  // Unix file type, in the upper half of the attributes.
  if (((entry.externalFileAttributes >>> 16) & 0xf000) === 0xa000) {
    throw refuse(archive, 'zip_symlink', `has a symbolic link as entry ${number}`, number);
  }
  if (entry.isEncrypted()) {
    throw fileFailure(archive.name, {
      reason: 'zip_encrypted',
      message: `${archive.name} is protected with a password.`,
      hint: 'Unpack it with the password and import the files inside.',
      position: { record: number },
    });
  }
  if (!entry.canDecodeFileData()) {
    throw refuse(archive, 'zip_unsupported', `uses compression method ${entry.compressionMethod}`, number);
  }
}

/** Where each entry must end; refuses entries that share bytes, however little of them is certain yet. */
function withRanges(archive: ZipBytes, found: readonly FoundEntry[], directoryOffset: number): readonly ListedEntry[] {
  const byOffset = [...found].sort((a, b) => a.headerOffset - b.headerOffset);
  const ends = new Map<FoundEntry, number>();
  for (const [index, entry] of byOffset.entries()) {
    const next = byOffset[index + 1];
    const end = next?.headerOffset ?? directoryOffset;
    if (entry.headerOffset + LOCAL_HEADER_BYTES + entry.compressedBytes > end) {
      if (next) throw overlap(archive.name, Math.max(entry.number, next.number));
      throw refuse(archive, 'zip_damaged', 'has an entry that reaches into its directory', entry.number);
    }
    ends.set(entry, end);
  }
  return found.map((entry) => ({ ...entry, endOffset: ends.get(entry) ?? 0 }));
}

/** @internal */
export function overlap(archive: string, number: number): McaError {
  return fileFailure(archive, {
    reason: 'zip_overlap',
    message: `Entry ${number} of ${archive} shares bytes with another one, as archives do that are made to do harm.`,
    hint: UNPACK,
    position: { record: number },
  });
}

function refuse(archive: ZipBytes, reason: string, what: string, number?: number): McaError {
  const position = number === undefined ? undefined : { record: number };
  return fileFailure(archive.name, { reason, message: `${archive.name} ${what}.`, hint: UNPACK, position });
}

/** What yauzl found, in our words. Its messages may hold names and are not for users. */
function translate(archive: ZipBytes, head: Uint8Array, error: Error): McaError {
  const failure = (reason: string, what: string, hint: string = UNPACK): McaError => {
    const details: FileFailure = { reason, message: `${archive.name} ${what}.`, hint, cause: error };
    return fileFailure(archive.name, details);
  };
  const { message } = error;
  if (/signature not found/.test(message)) {
    return isZip(head)
      ? failure('zip_truncated', 'ends too early: the archive is incomplete', 'Download the archive again.')
      : failure('zip_invalid', 'is not a zip archive', 'Check that this is the file you wanted to import.');
  }
  if (/unexpected EOF/.test(message)) return failure('zip_truncated', 'ends too early: the archive is incomplete');
  if (/strong encryption/.test(message)) return failure('zip_encrypted', 'is protected with a password');
  if (/size mismatch/.test(message)) return failure('zip_size_mismatch', 'has an entry that lies about its size');
  return failure('zip_damaged', 'is damaged');
}
