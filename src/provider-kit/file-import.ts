import type { FileImportCapability, ImportBatch, ImportContext } from '../contracts/capabilities/file-import.ts';
import { McaError } from '../contracts/errors.ts';
import type { ImportFile, Recognition } from '../contracts/import-file.ts';
import type { StandardSchema } from '../contracts/standard-schema.ts';
import { occurrenceCounter } from './event-id.ts';
import type { FileFormat, FileSample, FormatContext } from './format.ts';
import { baseName, readHead, readSample } from './sample.ts';
import { decodeText } from './text.ts';
import { isZip, openZip, type ZipLimits } from './zip.ts';

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
  readonly zipLimits?: Partial<ZipLimits> | undefined;
}

/** A file and the format it was recognised as. */
export interface FoundFile<Options> {
  readonly file: ImportFile;
  readonly format: FileFormat<Options>;
  readonly confidence: number;
}

/** What a file turned out to be. */
type Finding<Options> = FoundFile<Options> | { readonly file: ImportFile; readonly error: McaError };

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
    recognise: (file) => recognise(definition, file),
    parse: (context, files) => parse(definition, context, files),
  };
}

async function recognise<Options>(
  definition: FileImportDefinition<Options>,
  file: ImportFile,
): Promise<Recognition | undefined> {
  const closers: (() => Promise<void>)[] = [];
  try {
    const findings = await examine(definition, file, new AbortController().signal, closers);
    const best = findings.filter(isFound).sort((a, b) => b.confidence - a.confidence)[0];
    return best && { format: best.format.id, confidence: best.confidence };
  } catch (error) {
    // A damaged or foreign file is not ours; whoever imports it anyway is told what is wrong with it.
    if (McaError.isInstance(error) && error.code === 'file_parse_error') return undefined;
    throw error;
  } finally {
    for (const close of closers) await close();
  }
}

async function* parse<Options>(
  definition: FileImportDefinition<Options>,
  context: ImportContext<Options>,
  files: readonly ImportFile[],
): AsyncGenerator<ImportBatch> {
  const formatContext: FormatContext<Options> = { ...context, occurrences: occurrenceCounter() };
  const closers: (() => Promise<void>)[] = [];
  try {
    for (const file of files) {
      for (const finding of await examineOrFail(definition, file, context.signal, closers)) {
        if (isFound(finding)) yield* finding.format.read(finding.file, formatContext);
        else yield emptyBatch(finding.file.name, finding.error);
      }
    }
  } finally {
    for (const close of closers) await close();
  }
}

/** Like {@link examine}, with a file that cannot be used at all as a finding of its own. */
async function examineOrFail<Options>(
  definition: FileImportDefinition<Options>,
  file: ImportFile,
  signal: AbortSignal,
  closers: (() => Promise<void>)[],
): Promise<readonly Finding<Options>[]> {
  try {
    return await examine(definition, file, signal, closers);
  } catch (error) {
    if (McaError.isInstance(error) && error.code === 'file_parse_error') return [{ file, error }];
    throw error;
  }
}

/** Looks into a file, or into every promising file of an archive. */
async function examine<Options>(
  definition: FileImportDefinition<Options>,
  file: ImportFile,
  signal: AbortSignal,
  closers: (() => Promise<void>)[],
): Promise<readonly Finding<Options>[]> {
  const entries = await contentsOf(definition, file, signal, closers);
  if (!entries) return [await identify(definition, file)];
  const promising = entries
    .filter((entry) => !/(^|\/|!)__MACOSX\//.test(entry.name))
    .filter((entry) => isPromising(definition, entry))
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  const findings: Finding<Options>[] = [];
  for (const entry of promising) {
    const finding = await identify(definition, entry);
    if (isFound(finding) || hasKnownName(definition, entry)) findings.push(finding);
  }
  const found = findings.filter(isFound);
  if (found.length === 0) throw nothingFound(definition, file, findings);
  if (definition.choose) return definition.choose(found);
  const rank = (finding: Finding<Options>): number =>
    isFound(finding) ? definition.formats.indexOf(finding.format) : definition.formats.length;
  return findings.sort((a, b) => rank(a) - rank(b));
}

/** Files of a folder or archive, or `undefined` for a plain file. */
async function contentsOf<Options>(
  definition: FileImportDefinition<Options>,
  file: ImportFile,
  signal: AbortSignal,
  closers: (() => Promise<void>)[],
): Promise<readonly ImportFile[] | undefined> {
  if (file.list) return file.list();
  if (!isZip(await readHead(file, 4))) return undefined;
  const zip = await openZip(file, { limits: definition.zipLimits, signal });
  closers.push(() => zip.close());
  return zip.entries;
}

function isPromising<Options>(definition: FileImportDefinition<Options>, entry: ImportFile): boolean {
  return (
    hasKnownName(definition, entry) || definition.formats.some(({ paths }) => paths?.test(entry.name.normalize('NFC')))
  );
}

function hasKnownName<Options>(definition: FileImportDefinition<Options>, entry: ImportFile): boolean {
  const name = baseName(entry.name).normalize('NFC');
  return [...definition.formats, ...(definition.mistakes ?? [])].some(({ names }) => names.test(name));
}

async function identify<Options>(
  definition: FileImportDefinition<Options>,
  file: ImportFile,
): Promise<Finding<Options>> {
  const sample = await readSample(file);
  const best = definition.formats
    .map((format) => ({ file, format, confidence: format.recognise(sample) }))
    .reduce((a, b) => (b.confidence > a.confidence ? b : a));
  if (best.confidence > 0) return best;
  const undecodable = await encodingError(definition, file, sample);
  if (undecodable) return { file, error: undecodable };
  const mistake = definition.mistakes?.find((candidate) => candidate.matches(sample));
  return { file, error: mistake ? mistakeError(definition, file, mistake) : unknownFormat(definition, file, sample) };
}

/** The error of a file that would be ours if it were written in an encoding that can be told, such as UTF-16 with a mark. */
async function encodingError<Options>(
  definition: FileImportDefinition<Options>,
  file: ImportFile,
  sample: FileSample,
): Promise<McaError | undefined> {
  const text = sample.text.replaceAll('\0', '');
  if (text === sample.text || !definition.formats.some((format) => format.recognise({ ...sample, text }) > 0))
    return undefined;
  try {
    for await (const _ of decodeText(file)) break;
    return undefined;
  } catch (error) {
    if (McaError.isInstance(error) && error.code === 'file_parse_error') return error;
    throw error;
  }
}

function isFound<Options>(finding: Finding<Options>): finding is FoundFile<Options> {
  return 'format' in finding;
}

function emptyBatch(file: string, error: McaError): ImportBatch {
  return { file, format: '', read: 0, items: [], skipped: {}, rejected: [], error };
}

function unknownFormat<Options>(
  definition: FileImportDefinition<Options>,
  file: ImportFile,
  sample: FileSample,
): McaError {
  const empty = sample.text.trim() === '';
  return new McaError({
    code: 'file_parse_error',
    reason: empty ? 'empty_file' : 'unknown_format',
    provider: definition.provider,
    message: empty
      ? `${file.name} is empty.`
      : `${file.name} is none of the files that ${definition.provider} exports.`,
    hint: definition.hint,
    position: { file: file.name },
  });
}

function mistakeError<Options>(
  definition: FileImportDefinition<Options>,
  file: ImportFile,
  mistake: KnownMistake,
): McaError {
  return new McaError({
    code: 'file_parse_error',
    reason: mistake.reason,
    provider: definition.provider,
    message: `${file.name} ${mistake.message}`,
    hint: mistake.hint,
    position: { file: file.name },
  });
}

function nothingFound<Options>(
  definition: FileImportDefinition<Options>,
  file: ImportFile,
  findings: readonly Finding<Options>[],
): McaError {
  const first = findings[0];
  if (first && !isFound(first)) return first.error;
  return new McaError({
    code: 'file_parse_error',
    reason: 'nothing_to_import',
    provider: definition.provider,
    message: `${file.name} holds none of the files that ${definition.provider} exports.`,
    hint: definition.hint,
    position: { file: file.name },
  });
}
