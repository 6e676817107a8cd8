import type { FileImportCapability, ImportBatch, ImportContext } from '../contracts/capabilities/file-import.ts';
import { McaError } from '../contracts/errors.ts';
import type { ArchiveLimits, ImportFile, Recognition } from '../contracts/import-file.ts';
import type { StandardSchema } from '../contracts/standard-schema.ts';
import { type OccurrenceCounter, occurrenceCounter } from './event-id.ts';
import { examine, examineOrFail, isFound, type Search } from './find-files.ts';
import type { FileFormat, FileSample } from './format.ts';

/** A file people hand in by mistake, and what to tell them. */
export interface KnownMistake {
  /** snake_case reason of the error. */
  readonly reason: string;
  /** Base names it has inside archives. */
  readonly names: RegExp;
  /** Whether this is the file in question. */
  matches(sample: FileSample): boolean;
  readonly message: string;
  readonly hint: string;
}

/** What an importer is made of. */
export interface FileImportDefinition<Options> {
  /** Provider id, for error messages. */
  readonly provider: string;
  /** File name endings for upload forms, such as `.zip`. */
  readonly accept: readonly string[];
  /** The files of an archive are read in this order of their formats, then of their names. */
  readonly formats: readonly FileFormat<Options>[];
  /** What to do when a file is of none of the formats, one sentence. */
  readonly hint: string;
  readonly mistakes?: readonly KnownMistake[] | undefined;
  /**
   * Chooses among recognised files of one archive, such as the newer of two layouts. With it, files of no known format
   * that lie beside them are left alone; without it, they are reported, because their names promised something.
   *
   * @default all
   */
  readonly choose?: ((found: readonly FoundFile<Options>[]) => readonly FoundFile<Options>[]) | undefined;
  readonly zipLimits?: Partial<ArchiveLimits> | undefined;
}

/** A file and the format it was recognised as. */
export interface FoundFile<Options> {
  readonly file: ImportFile;
  readonly format: FileFormat<Options>;
  readonly confidence: number;
}

/**
 * Builds a file-import capability from formats: it opens archives, tells formats apart by name and content, reads
 * every file of an export, and reports each record.
 *
 * @param schema - validates the options of one import, filling in defaults; see `withDefaults`
 * @example
 * ```ts
 * fileImport({ provider: 'vinyl', accept: ['.csv'], formats: [shelf], hint: 'Hand in shelf.csv.' }, optionsSchema)
 * ```
 */
export function fileImport<Options, Input>(
  definition: FileImportDefinition<Options>,
  schema: StandardSchema<Options, Input>,
): FileImportCapability<Options, Input> {
  const { formats } = definition;
  return {
    accept: definition.accept,
    sources: Object.fromEntries(formats.map(({ id, name, precision, rank }) => [id, { name, precision, rank }])),
    options: schema,
    recognise: (file, limits) => recognise(definition, file, limits),
    explain: (file, limits) => explain(definition, file, limits),
    parse: (context, files) => parse(definition, context, files),
  };
}

type SearchLimits = Pick<ImportContext, 'signal' | 'archiveLimits'>;

async function recognise<Options>(
  definition: FileImportDefinition<Options>,
  file: ImportFile,
  { signal, archiveLimits }: SearchLimits = { signal: new AbortController().signal },
): Promise<Recognition | undefined> {
  const search: Search<Options> = { definition, signal, archiveLimits, closers: [] };
  try {
    const findings = await examine(search, file);
    const best = findings.filter(isFound).sort((a, b) => b.confidence - a.confidence)[0];
    return best && { format: best.format.id, confidence: best.confidence };
  } catch (error) {
    // A damaged or foreign file is not ours; whoever imports it anyway is told what is wrong with it.
    const isForeign = McaError.isInstance(error) && error.code === 'file_parse_error';
    if (isForeign && error.reason !== 'file_unreadable') return undefined;
    throw error;
  } finally {
    await closeAll(search);
  }
}

/** Reasons that say nothing a stranger would not know. */
const UNTELLING = new Set(['unknown_format', 'nothing_to_import', 'invalid_encoding']);

async function explain<Options>(
  definition: FileImportDefinition<Options>,
  file: ImportFile,
  { signal, archiveLimits }: SearchLimits,
): Promise<McaError | undefined> {
  const search: Search<Options> = { definition, signal, archiveLimits, closers: [] };
  try {
    const findings = await examineOrFail(search, file);
    return findings
      .map((finding) => (isFound(finding) ? undefined : finding.error))
      .find((error) => error && !UNTELLING.has(error.reason ?? ''));
  } finally {
    await closeAll(search);
  }
}

async function* parse<Options>(
  definition: FileImportDefinition<Options>,
  context: ImportContext<Options>,
  files: readonly ImportFile[],
): AsyncGenerator<ImportBatch> {
  const { signal, archiveLimits } = context;
  const search: Search<Options> = { definition, signal, archiveLimits, closers: [] };
  const counters = new Map<string, OccurrenceCounter>();
  try {
    for (const file of files) {
      for (const finding of await examineOrFail(search, file)) {
        if (!isFound(finding)) {
          yield emptyBatch(finding.file.name, finding.error);
          continue;
        }
        const { format, file: part } = finding;
        const scope = countingScope(format, part);
        const occurrences = counters.get(scope) ?? occurrenceCounter();
        counters.set(scope, occurrences);
        yield* format.read(part, { ...context, occurrences });
      }
    }
  } finally {
    await closeAll(search);
  }
}

/** Equal events are counted within one file, or over all parts of a history that lie in one folder or archive. */
function countingScope<Options>({ id, inParts }: FileFormat<Options>, { name }: ImportFile): string {
  return JSON.stringify([
    id,
    inParts ? name.slice(0, Math.max(name.lastIndexOf('/'), name.lastIndexOf('!')) + 1) : name,
  ]);
}

async function closeAll<Options>({ closers }: Search<Options>): Promise<void> {
  for (const close of closers) await close();
}

function emptyBatch(file: string, error: McaError): ImportBatch {
  return { file, format: '', read: 0, items: [], skipped: {}, rejected: [], error };
}
