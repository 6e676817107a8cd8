import type { McaError } from '../errors.ts';
import type { ArchiveLimits, ImportFile, Recognition } from '../import-file.ts';
import type { MediaItem, Precision } from '../media-item.ts';
import type { StandardSchema } from '../standard-schema.ts';

/** What a provider declares about one format or endpoint that its items come from. */
export interface SourceInfo {
  /** Human name, such as `Extended streaming history`. */
  readonly name: string;
  /** Finest precision of its events. */
  readonly precision: Precision;
  /**
   * Where two sources cover the same interval, reads show the one of higher rank. Sources of equal rank name events alike
   * (the same `externalId`), and neither hides the other.
   */
  readonly rank: number;
}

/** A record that could not become an item. Says what and where, never the content of the cell. */
export interface RejectedRecord {
  readonly file: string;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  readonly record?: number | undefined;
  readonly field?: string | undefined;
  /** snake_case, such as `invalid_date`; counted by it. */
  readonly reason: string;
  readonly message: string;
}

/** What an importer hands over at a time: a few hundred to a few thousand records of one file. */
export interface ImportBatch {
  /** Name of the file the records come from. */
  readonly file: string;
  /** Format of that file, one of the capability's sources. */
  readonly format: string;
  /** Records the parser saw, counted before any logic: `read = items + skipped + rejected`. */
  readonly read: number;
  readonly items: readonly MediaItem[];
  /** Records left out on purpose, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly rejected: readonly RejectedRecord[];
  /** Things the user should know, such as a date order that was inferred from little evidence. */
  readonly warnings?: readonly string[] | undefined;
  /** Set on the last batch of a file that could not be read to its end. The import goes on with the next file. */
  readonly error?: McaError | undefined;
}

/** What an importer works with, besides the files. It has no network. */
export interface ImportContext<Options = unknown> {
  /** Validated options: the factory's defaults with those of this call on top. */
  readonly options: Options;
  readonly signal: AbortSignal;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Refuse the first bad row instead of reporting it. */
  readonly strict: boolean;
  /** What the host allows archives beyond, or short of, the defaults. */
  readonly archiveLimits?: Partial<ArchiveLimits> | undefined;
}

/**
 * Reading a service's export files. Authors build it with `fileImport()` of `@mca/core/provider-kit`.
 *
 * - `IMP-1` the same files give the same items, keys included, however often they are read
 * - `IMP-2` every batch balances: `read = items + skipped + rejected`
 * - `IMP-3` `parse` never yields an item of another platform, or of an undeclared source
 * - `IMP-4` structural damage throws `McaError` `file_parse_error` (or ends the file with `error`), never another error
 * - `IMP-5` a bad record is rejected with its position; good ones around it survive
 * - `IMP-6` an aborted signal ends `parse` with `cancelled` before the next batch
 * - `IMP-7` `recognise` says `undefined` to foreign files, never throws for them
 * - `IMP-8` addresses, user names and user agents never reach an item
 * - `IMP-9` every skip and reject reason is snake_case
 * - `IMP-10` overlapping exports give the union in any order
 */
export interface FileImportCapability<Options = unknown, Input = Options> {
  /** File name endings for an upload form, such as `.zip`. */
  readonly accept: readonly string[];
  /** Formats this importer reads, by format id. */
  readonly sources: Readonly<Record<string, SourceInfo>>;
  /** Set by importers of back-ups, whose items belong to other platforms; they are held to no sources of their own. */
  readonly anyPlatform?: true | undefined;
  /** Validates the options of one call and fills in defaults. */
  readonly options: StandardSchema<Options, Input>;
  /** Looks at name and first bytes (or the list of an archive). Cheap; never reads a whole file. */
  recognise(
    file: ImportFile,
    limits?: Pick<ImportContext, 'signal' | 'archiveLimits'>,
  ): Promise<Recognition | undefined>;
  /**
   * What is wrong with a file that nobody recognises, if this importer can tell: a damaged archive, a format people
   * hand in by mistake. `undefined` when it knows nothing better.
   */
  explain?(file: ImportFile, limits: Pick<ImportContext, 'signal' | 'archiveLimits'>): Promise<McaError | undefined>;
  /** Reads one export, which may come in several files. */
  parse(context: ImportContext<Options>, files: readonly ImportFile[]): AsyncIterable<ImportBatch>;
}
