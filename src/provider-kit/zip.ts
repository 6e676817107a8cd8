import type { ArchiveLimits, ImportFile } from '../contracts/import-file.ts';
import { asFileFailure, fileFailure, throwIfCancelled } from './file-failure.ts';
import { readBytes } from './text.ts';
import { type ListedEntry, listEntries } from './zip-directory.ts';
import { openEntry } from './zip-entry.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
/** Largest archive that is read into memory when its file has no `read`. */
const BUFFERED_BYTES_MAX = 256 * MIB;

/** What an archive may cost; see {@link ArchiveLimits}. */
export type ZipLimits = ArchiveLimits;

const DEFAULT_LIMITS: ZipLimits = {
  archiveBytes: 2 * GIB,
  entries: 10_000,
  entryBytes: 2 * GIB,
  totalBytes: 4 * GIB,
  ratio: 200,
  ratioFreeBytes: 16 * MIB,
};

/** An open archive. */
export interface Zip {
  /**
   * Its files in the order of its directory, directories left out, named `archive.zip!path/in/archive`. `size` is what
   * the archive claims; `open()` may be called as often as needed and errors when the data turn out otherwise.
   */
  readonly entries: readonly ImportFile[];
  /** Entries cannot be opened any more. Safe to call again. */
  close(): Promise<void>;
}

/** Whether a file that begins with these bytes is a zip archive. Four bytes are enough. */
export function isZip(head: Uint8Array): boolean {
  const [p, k, a, b] = head;
  return p === 0x50 && k === 0x4b && ((a === 3 && b === 4) || (a === 5 && b === 6) || (a === 7 && b === 8));
}

/**
 * Opens a zip archive for reading (stored and deflated entries, zip64). Nothing is extracted and names are only ever
 * matched, never used as paths; archives inside are plain entries.
 *
 * The whole directory is checked first: an archive with one entry that no honest tool writes is refused as a whole.
 * While entries are read, sizes, checksums and limits are checked against the bytes that really come.
 *
 * @throws McaError `file_parse_error`. From here, reason
 *   `zip_invalid` (no archive), `zip_prefixed` (self-extracting: unpack it first), `zip_truncated`, `zip_damaged`,
 *   `zip_too_large`, `zip_too_many_entries`, `zip_overlap` (entries share bytes), `zip_entry_name` (`..`, absolute,
 *   drive, backslash, NUL, more than 255 characters), `zip_duplicate_name`, `zip_symlink`, `zip_encrypted`,
 *   `zip_unsupported` (another compression), `zip_needs_random_access` (no `read` and more than 256 MiB).
 *   From the stream of an entry `zip_entry_too_large`, `zip_total_too_large`, `zip_ratio`, `zip_size_mismatch`,
 *   `zip_damaged`, `zip_overlap`, `zip_closed`. Code `cancelled` when the signal fires
 */
export async function openZip(
  file: ImportFile,
  options: { readonly limits?: Partial<ZipLimits> | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<Zip> {
  const { signal } = options;
  const limits: ZipLimits = { ...DEFAULT_LIMITS, ...options.limits };
  throwIfCancelled(file.name, signal);
  if ((file.size ?? 0) > limits.archiveBytes) throw archiveTooLarge(file, limits);
  const archive = await randomAccess(file, limits, signal);
  const listing = await listEntries(archive, limits, signal);
  let isClosed = false;
  let totalBytes = 0;

  function entryFile(entry: ListedEntry): ImportFile {
    let decodedBefore = 0;
    const name = `${file.name}!${entry.name}`;
    const claim = (decoded: number): void => {
      totalBytes += Math.max(0, decoded - decodedBefore);
      decodedBefore = Math.max(decoded, decodedBefore);
      if (totalBytes > limits.totalBytes) throw totalTooLarge(name, limits);
    };
    return {
      name,
      size: entry.decodedBytes,
      async open() {
        throwIfCancelled(name, signal);
        if (isClosed) throw closedArchive(name);
        return openEntry({ archive, entry, name, limits, signal, claim });
      },
    };
  }

  return {
    entries: listing.filter((entry) => !entry.name.endsWith('/')).map(entryFile),
    async close() {
      isClosed = true;
    },
  };
}

/** An archive as bytes to read anywhere. */
export interface ZipBytes {
  readonly name: string;
  readonly size: number;
  /** All of the bytes asked for; rejects when the file ends before. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

async function randomAccess(file: ImportFile, limits: ZipLimits, signal: AbortSignal | undefined): Promise<ZipBytes> {
  const { name, size } = file;
  if (file.read && size !== undefined) {
    const read = file.read.bind(file);
    return {
      name,
      size,
      async read(offset, length) {
        throwIfCancelled(name, signal);
        const bytes = await read(offset, length).catch((error: unknown) => {
          throw asFileFailure(name, error);
        });
        if (bytes.length < length) throw truncated(name);
        return bytes.subarray(0, length);
      },
    };
  }
  const bytes = await buffered(file, limits, signal);
  return {
    name,
    size: bytes.length,
    async read(offset, length) {
      throwIfCancelled(name, signal);
      if (offset + length > bytes.length) throw truncated(name);
      return bytes.subarray(offset, offset + length);
    },
  };
}

async function buffered(file: ImportFile, limits: ZipLimits, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const max = Math.min(BUFFERED_BYTES_MAX, limits.archiveBytes);
  if ((file.size ?? 0) > max) throw needsRandomAccess(file);
  for await (const chunk of readBytes(file, signal)) {
    length += chunk.length;
    if (length > max) throw max === limits.archiveBytes ? archiveTooLarge(file, limits) : needsRandomAccess(file);
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

const DOWNLOAD_AGAIN = 'Download the archive again, or unpack it and import the files inside.';

function truncated(name: string): Error {
  return fileFailure(name, {
    reason: 'zip_truncated',
    message: `${name} ends too early: the archive is incomplete.`,
    hint: 'Download the archive again.',
  });
}

function archiveTooLarge(file: ImportFile, limits: ZipLimits): Error {
  return fileFailure(file.name, {
    reason: 'zip_too_large',
    message: `${file.name} is larger than ${limits.archiveBytes} bytes.`,
    hint: 'Unpack it and import the files inside, or let the host raise `archiveLimits` of importFile.',
  });
}

function needsRandomAccess(file: ImportFile): Error {
  return fileFailure(file.name, {
    reason: 'zip_needs_random_access',
    message: `${file.name} is an archive of more than ${BUFFERED_BYTES_MAX} bytes and can only be streamed.`,
    hint: 'Hand it in as a path or Blob, give the file a read() and a size, or unpack it first.',
  });
}

function totalTooLarge(name: string, limits: ZipLimits): Error {
  return fileFailure(name, {
    reason: 'zip_total_too_large',
    message: `The archive of ${name} unpacks to more than ${limits.totalBytes} bytes.`,
    hint: DOWNLOAD_AGAIN,
  });
}

function closedArchive(name: string): Error {
  return fileFailure(name, {
    reason: 'zip_closed',
    message: `The archive of ${name} is closed.`,
    hint: 'Read the entries before closing their archive.',
  });
}
