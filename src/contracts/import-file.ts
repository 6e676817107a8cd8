/**
 * A file that can be opened as often as needed. What importers receive; also what hosts may hand in themselves.
 *
 * Zips and two-pass formats need re-opening, so a bare `ReadableStream` is not enough.
 */
export interface ImportFile {
  /** Base name or path; only ever matched against patterns and shown, never used to open anything. */
  readonly name: string;
  /** Size in bytes when known; makes progress a percentage. */
  readonly size?: number | undefined;
  /** Opens a fresh stream from the first byte. */
  open(): ReadableStream<Uint8Array> | Promise<ReadableStream<Uint8Array>>;
  /** Reads `length` bytes at `offset`. Archives use it; without it an archive is read into memory, up to 256 MiB. */
  read?(offset: number, length: number): Promise<Uint8Array>;
  /** A folder: lists its files, sub-folders included. Importers pick what they know and leave the rest. */
  list?(): Promise<readonly ImportFile[]>;
}

/** What `importFile` takes: the path of a file or folder (Node), a `Blob` or `File`, bytes, or a re-openable {@link ImportFile}. */
export type ImportSource = string | Blob | Uint8Array | ImportFile;

/** How much an archive may hold. Counted on real bytes, never on what the archive claims. */
export interface ArchiveLimits {
  /** Bytes of the archive itself. @default 2 GiB */
  readonly archiveBytes: number;
  /** Entries, directories included. @default 10,000 */
  readonly entries: number;
  /** Decoded bytes of one entry. @default 2 GiB */
  readonly entryBytes: number;
  /** Decoded bytes of all entries together. @default 4 GiB */
  readonly totalBytes: number;
  /** Decoded bytes per compressed byte. @default 200 */
  readonly ratio: number;
  /** Decoded bytes before the ratio counts. @default 16 MiB */
  readonly ratioFreeBytes: number;
}

/** What an importer thinks of a file. */
export interface Recognition {
  /** Format id, such as `extended-history`; becomes the `source` of its items. */
  readonly format: string;
  /** 0 to 1; below 0.5 nobody imports it without being told which provider to use. */
  readonly confidence: number;
}
