import type { ImportContext } from '../contracts/capabilities/file-import.ts';
import { McaError } from '../contracts/errors.ts';
import type { ImportFile, ImportSource, Recognition } from '../contracts/import-file.ts';
import type { AddedProviderId } from '../contracts/provider.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { openSource } from './open-source.ts';

/** What a file is, and who can import it. */
export interface FileRecognition extends Recognition {
  /** Accepted by `importFile` as it is. */
  readonly provider: AddedProviderId;
}

/** Below this nobody imports a file without being told which provider to use. */
const SURE_ENOUGH = 0.5;

/**
 * Asks every registered importer what a file is.
 *
 * @returns the candidates, the most confident first; empty when nobody knows it
 * @example
 * ```ts
 * const [best] = await recogniseFile(registry, upload);
 * // { provider: 'spotify', format: 'extended-history', confidence: 0.98 }
 * ```
 */
export async function recogniseFile(registry: AnyRegistry, source: ImportSource): Promise<readonly FileRecognition[]> {
  return recognise(registry, openSource(source));
}

type Limits = Pick<ImportContext, 'signal' | 'archiveLimits'>;

async function recognise(
  registry: AnyRegistry,
  file: ImportFile,
  limits?: Limits,
): Promise<readonly FileRecognition[]> {
  const candidates: FileRecognition[] = [];
  for (const { id, capabilities } of registry.withCapability('fileImport')) {
    const recognition = await capabilities.fileImport?.recognise(file, limits);
    if (recognition) candidates.push({ provider: id as AddedProviderId, ...recognition });
  }
  return candidates.sort((a, b) => b.confidence - a.confidence);
}

/**
 * The one provider that all files belong to.
 *
 * @throws McaError `file_parse_error` when nobody is sure, or when the files belong to several providers
 */
export async function providerOf(registry: AnyRegistry, files: readonly ImportFile[], limits: Limits): Promise<string> {
  const owners = new Map<string, string>();
  const strangers: ImportFile[] = [];
  for (const file of files) {
    const sure = (await recognise(registry, file, limits)).filter(({ confidence }) => confidence >= SURE_ENOUGH);
    // A folder or archive may hold exports of several services: every sure owner counts there, else the surest.
    for (const { provider } of file.list ? sure : sure.slice(0, 1))
      owners.set(provider, owners.get(provider) ?? file.name);
    if (sure.length === 0) strangers.push(file);
  }
  const [owner] = owners.keys();
  if (owner === undefined) throw await strangeFile(registry, strangers, limits);
  if (owners.size === 1) return owner;
  throw new McaError({
    code: 'file_parse_error',
    reason: 'mixed_files',
    message: `The files belong to different services: ${[...owners].map(([id, name]) => `${name} to ${id}`).join(', ')}.`,
    hint: 'Import each service by itself, and name the provider.',
  });
}

/** Why nobody wants a file. An importer may know better than "unknown": a damaged archive, a mistake people make. */
async function strangeFile(registry: AnyRegistry, files: readonly ImportFile[], limits: Limits): Promise<McaError> {
  const [file] = files;
  const importers = registry.withCapability('fileImport');
  let first: McaError | undefined;
  for (const { capabilities } of importers) {
    const known = file && (await capabilities.fileImport?.explain?.(file, limits));
    // With several importers none of them knows whose export it was to be.
    if (known && importers.length > 1 && /^(empty_file|html_page)$/.test(known.reason ?? '')) {
      return Object.assign(known, { provider: undefined, hint: 'Download the export again.' });
    }
    first ??= known;
  }
  if (first) return first;
  return new McaError({
    code: 'file_parse_error',
    reason: 'unrecognised_file',
    message: `${files.map(({ name }) => name).join(', ')} is of no known kind.`,
    hint: `Name the provider if you know it. Registered are: ${importers.map(({ id }) => id).join(', ') || 'none'}.`,
    position: { file: file?.name },
  });
}
