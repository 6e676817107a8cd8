import { McaError } from '../contracts/errors.ts';
import type { ImportFile, ImportSource, Recognition } from '../contracts/import-file.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { openSource } from './open-source.ts';

/** What a file is, and who can import it. */
export interface FileRecognition extends Recognition {
  readonly provider: string;
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

async function recognise(registry: AnyRegistry, file: ImportFile): Promise<readonly FileRecognition[]> {
  const candidates: FileRecognition[] = [];
  for (const { id, capabilities } of registry.withCapability('fileImport')) {
    const recognition = await capabilities.fileImport?.recognise(file);
    if (recognition) candidates.push({ provider: id, ...recognition });
  }
  return candidates.sort((a, b) => b.confidence - a.confidence);
}

/**
 * The one provider that all files belong to.
 *
 * @throws McaError `file_parse_error` when nobody is sure, or when the files belong to several providers
 */
export async function providerOf(registry: AnyRegistry, files: readonly ImportFile[]): Promise<string> {
  const owners = new Map<string, string>();
  const unknown: string[] = [];
  for (const file of files) {
    const [best] = await recognise(registry, file);
    if (best && best.confidence >= SURE_ENOUGH) owners.set(best.provider, owners.get(best.provider) ?? file.name);
    else unknown.push(file.name);
  }
  const [owner] = owners.keys();
  if (owner !== undefined && owners.size === 1) return owner;
  const importers = registry.withCapability('fileImport').map(({ id }) => id);
  if (owner === undefined) {
    throw new McaError({
      code: 'file_parse_error',
      reason: 'unrecognised_file',
      message: `${unknown.join(', ')} is of no known kind.`,
      hint: `Name the provider if you know it. Registered importers: ${importers.join(', ') || 'none'}.`,
      position: { file: unknown[0] },
    });
  }
  throw new McaError({
    code: 'file_parse_error',
    reason: 'mixed_files',
    message: `The files belong to different services: ${[...owners].map(([id, name]) => `${name} to ${id}`).join(', ')}.`,
    hint: 'Import the files of each service in a call of their own.',
  });
}
