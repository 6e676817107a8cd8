import { McaError } from '../contracts/errors.ts';
import type { ArchiveLimits, ImportFile } from '../contracts/import-file.ts';
import { asFileFailure } from './file-failure.ts';
import type { FileImportDefinition, FoundFile, KnownMistake } from './file-import.ts';
import type { FileSample } from './format.ts';
import { baseName, readHead, readSample } from './sample.ts';
import { decodeText } from './text.ts';
import { isZip, openZip } from './zip.ts';

/** What a file turned out to be. */
export type Finding<Options> = FoundFile<Options> | { readonly file: ImportFile; readonly error: McaError };

/** A look at files on behalf of one importer. Whoever begins it closes the archives it opened. */
export interface Search<Options> {
  readonly definition: FileImportDefinition<Options>;
  readonly signal: AbortSignal;
  readonly archiveLimits?: Partial<ArchiveLimits> | undefined;
  readonly closers: (() => Promise<void>)[];
}

export function isFound<Options>(finding: Finding<Options>): finding is FoundFile<Options> {
  return 'format' in finding;
}

/** Like {@link examine}, with a file that cannot be used at all as a finding of its own. */
export async function examineOrFail<Options>(
  search: Search<Options>,
  file: ImportFile,
): Promise<readonly Finding<Options>[]> {
  try {
    return await examine(search, file);
  } catch (error) {
    if (McaError.isInstance(error) && error.code === 'file_parse_error') return [{ file, error }];
    throw error;
  }
}

/** Looks into a file, or into every promising file of a folder or archive. */
export async function examine<Options>(
  search: Search<Options>,
  file: ImportFile,
): Promise<readonly Finding<Options>[]> {
  const { definition } = search;
  const contents = await contentsOf(search, file);
  if (!contents) return [await identify(search, file)];
  const promising = contents.files
    .filter((entry) => !/(^|\/|!)__MACOSX\//.test(entry.name))
    .filter((entry) => isPromising(definition, entry))
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  const findings: Finding<Options>[] = [...contents.damaged];
  for (const entry of promising) {
    const finding = await identify(search, entry);
    if (isFound(finding) || hasKnownName(definition, entry)) findings.push(finding);
  }
  const found = findings.filter(isFound);
  if (found.length === 0) throw nothingFound(definition, file, findings);
  if (definition.choose) return definition.choose(found);
  const rank = (finding: Finding<Options>): number =>
    isFound(finding) ? definition.formats.indexOf(finding.format) : definition.formats.length;
  return findings.sort((a, b) => rank(a) - rank(b));
}

/** What is inside a folder or archive. */
interface Contents {
  readonly files: readonly ImportFile[];
  readonly damaged: readonly { readonly file: ImportFile; readonly error: McaError }[];
}

/** Files of a folder, archives in it opened, or of an archive; `undefined` for a plain file. */
async function contentsOf<Options>(search: Search<Options>, file: ImportFile): Promise<Contents | undefined> {
  if (!file.list) {
    const entries = await entriesOf(search, file);
    return entries && { files: entries, damaged: [] };
  }
  const files: ImportFile[] = [];
  const damaged: { file: ImportFile; error: McaError }[] = [];
  for (const entry of await listed(file)) {
    if (!/\.zip$/i.test(entry.name)) {
      files.push(entry);
      continue;
    }
    try {
      files.push(...((await entriesOf(search, entry)) ?? []));
    } catch (error) {
      if (!McaError.isInstance(error) || error.code !== 'file_parse_error') throw error;
      damaged.push({ file: entry, error });
    }
  }
  return { files, damaged };
}

async function listed(folder: ImportFile): Promise<readonly ImportFile[]> {
  try {
    return (await folder.list?.()) ?? [];
  } catch (error) {
    throw asFileFailure(folder.name, error);
  }
}

/** Entries of an archive, or `undefined` for anything else. Archives inside it stay closed. */
async function entriesOf<Options>(
  { definition, signal, archiveLimits, closers }: Search<Options>,
  file: ImportFile,
): Promise<readonly ImportFile[] | undefined> {
  if (!isZip(await readHead(file, 4, signal))) return undefined;
  const zip = await openZip(file, { limits: { ...definition.zipLimits, ...archiveLimits }, signal });
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

async function identify<Options>(search: Search<Options>, file: ImportFile): Promise<Finding<Options>> {
  const { definition, signal } = search;
  const sample = await readSample(file, signal);
  const best = definition.formats
    .map((format) => ({ file, format, confidence: format.recognise(sample) }))
    .reduce((a, b) => (b.confidence > a.confidence ? b : a));
  if (best.confidence > 0) return best;
  const undecodable = await encodingError(search, file, sample);
  if (undecodable) return { file, error: undecodable };
  const mistake = definition.mistakes?.find((candidate) => candidate.matches(sample));
  return { file, error: mistake ? mistakeError(definition, file, mistake) : unknownFormat(definition, file, sample) };
}

/** The error of a file that would be ours if it were written in an encoding that can be told, such as UTF-16 with a mark. */
async function encodingError<Options>(
  { definition, signal }: Search<Options>,
  file: ImportFile,
  sample: FileSample,
): Promise<McaError | undefined> {
  const text = sample.text.replaceAll('\0', '');
  if (text === sample.text || !definition.formats.some((format) => format.recognise({ ...sample, text }) > 0))
    return undefined;
  try {
    for await (const _ of decodeText(file, { signal })) break;
    return undefined;
  } catch (error) {
    if (McaError.isInstance(error) && error.code === 'file_parse_error') return error;
    throw error;
  }
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
