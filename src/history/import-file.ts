import { McaError } from '../contracts/errors.ts';
import type { ImportProgressEvent } from '../contracts/events.ts';
import type { ArchiveLimits, ImportFile, ImportSource } from '../contracts/import-file.ts';
import type { AnyProvider, ImportOptionsOf, ProviderIdWith } from '../contracts/provider.ts';
import type { UpdatePolicy } from '../contracts/storage/index.ts';
import { checkUserId } from '../registry/check-user-id.ts';
import { capabilityOf, type Registry } from '../registry/create-registry.ts';
import type { ImportReport } from './import-report.ts';
import { runImport } from './import-run.ts';
import { openSource } from './open-source.ts';
import { providerOf } from './recognise-file.ts';

/** What to import, for whom, and how. */
export interface ImportFileOptions<P extends readonly AnyProvider[], Id extends string> {
  readonly userId: string;
  /** One export: a file, a folder, an archive, or the parts of a split one. Import different exports in calls of their own. */
  readonly file: ImportSource | readonly ImportSource[];
  /** Whose export it is. @default recognised by name and content */
  readonly provider?: Id | undefined;
  /** The provider's own options, on top of those given to its factory. */
  readonly options?: ImportOptionsOf<P, Id> | undefined;
  /** Label for users with several accounts of one service. @default '' */
  readonly account?: string | undefined;
  /** Reads everything, stores nothing, and says what would have happened. @default false */
  readonly dryRun?: boolean | undefined;
  /** Refuses the file at its first bad record. @default false */
  readonly strict?: boolean | undefined;
  /** What happens to items stored already. @default 'longest': more time spent wins, whatever the order of imports */
  readonly updatePolicy?: UpdatePolicy | undefined;
  /** What archives may hold, where the defaults do not do. @default see {@link ArchiveLimits} */
  readonly archiveLimits?: Partial<ArchiveLimits> | undefined;
  /** Stops between two batches; committed pages stay. */
  readonly signal?: AbortSignal | undefined;
  /** Called after every batch; drives a progress bar. */
  readonly onProgress?: ((event: ImportProgressEvent) => void) | undefined;
}

/**
 * Imports an export file: recognises it, opens archives, normalises, deduplicates, and stores page by page.
 *
 * Importing the same file again changes nothing. A process killed half-way loses nothing: import the file again, what
 * is stored already is skipped quickly. Never calls a network.
 *
 * @returns the account of every record; see {@link ImportReport}
 * @throws McaError `file_parse_error` for a file that cannot be read, before anything of it is stored;
 * `invalid_data` for bad options; `unsupported` or `not_found` for the wrong provider; `storage` when the store fails
 * @example
 * ```ts
 * const report = await importFile(registry, { userId: 'ana', provider: 'netflix', file: upload, options: { dateOrder: 'DMY' } });
 * console.log(report.status, report.counts); // complete { read: 812, inserted: 790, … }
 * ```
 */
export async function importFile<const P extends readonly AnyProvider[], Id extends ProviderIdWith<P, 'fileImport'>>(
  registry: Registry<P>,
  options: ImportFileOptions<P, Id>,
): Promise<ImportReport> {
  checkUserId(options.userId);
  const policy = options.updatePolicy ?? 'longest';
  if (!['keep', 'longest', 'replace'].includes(policy)) {
    // As `checkOneOf` says it, whose code a host that only imports does not need.
    throw invalid('unknown_value', `"updatePolicy" cannot be "${policy}".`, 'It is one of keep, longest, replace.');
  }
  const sources = Array.isArray(options.file)
    ? (options.file as readonly ImportSource[])
    : [options.file as ImportSource];
  const files = withDistinctNames(sources.map(openSource));
  if (files.length === 0) throw invalid('no_files', 'There is no file to import.', 'Hand in at least one.');
  const signal = options.signal ?? new AbortController().signal;
  const { archiveLimits } = options;
  const provider = options.provider ?? (await providerOf(registry, files, { signal, archiveLimits }));
  const capability = capabilityOf(registry, provider, 'fileImport');
  const checked = await capability.options['~standard'].validate(options.options ?? {});
  if (checked.issues) {
    const faults = checked.issues.map(({ message, path = [] }) =>
      [...path.map((part) => String(typeof part === 'object' ? part.key : part)), message].join(': '),
    );
    throw invalid(
      'invalid_options',
      `The ${provider} options are wrong: ${faults.join('; ')}.`,
      'See the README of the provider.',
      provider,
    );
  }
  await registry.ready();
  return runImport({
    registry,
    userId: options.userId,
    provider,
    account: options.account ?? '',
    capability,
    options: checked.value,
    files,
    policy,
    strict: options.strict ?? false,
    dryRun: options.dryRun ?? false,
    signal,
    archiveLimits,
    onProgress: options.onProgress,
  });
}

/** Reports go by name: two files of one name would pass for one. */
function withDistinctNames(files: readonly ImportFile[]): readonly ImportFile[] {
  const seen = new Map<string, number>();
  return files.map((file) => {
    const count = (seen.get(file.name) ?? 0) + 1;
    seen.set(file.name, count);
    return count === 1 ? file : { ...file, name: `${file.name} (${count})` };
  });
}

function invalid(reason: string, message: string, hint: string, provider?: string): McaError {
  return new McaError({ code: 'invalid_data', reason, message, hint, provider });
}
