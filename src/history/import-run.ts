import type { FileImportCapability } from '../contracts/capabilities/file-import.ts';
import { McaError } from '../contracts/errors.ts';
import type { ImportProgressEvent } from '../contracts/events.ts';
import type { ArchiveLimits, ImportFile } from '../contracts/import-file.ts';
import type { UpdatePolicy } from '../contracts/storage/index.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { randomId } from '../runtime/env.ts';
import { checkBatch } from './check-batch.ts';
import { type ImportLedger, openLedger } from './import-ledger.ts';
import { type ImportPace, importPace } from './import-pace.ts';
import { type PageWriter, previewWriter, storageWriter } from './import-pages.ts';
import { type ByteMeter, meterBytes, progressEvent } from './import-progress.ts';
import type { ImportReport } from './import-report.ts';

/** Most items of a page, give or take a batch. A page is a transaction, so small ones cost more commits. */
const PAGE_ITEMS = 2_000;

/** Everything one import needs, options checked. */
export interface ImportJob {
  readonly registry: AnyRegistry;
  readonly userId: string;
  readonly provider: string;
  readonly account: string;
  // biome-ignore lint/suspicious/noExplicitAny: options were validated against the capability's own schema
  readonly capability: FileImportCapability<any, any>;
  readonly options: unknown;
  readonly files: readonly ImportFile[];
  readonly policy: UpdatePolicy;
  readonly strict: boolean;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly archiveLimits: Partial<ArchiveLimits> | undefined;
  readonly onProgress: ((event: ImportProgressEvent) => void) | undefined;
}

/** What the steps of one run share. */
interface Run {
  readonly job: ImportJob;
  readonly importId: string;
  readonly startedAt: number;
  readonly ledger: ImportLedger;
  readonly writer: PageWriter;
  readonly meter: ByteMeter;
  readonly pace: ImportPace;
}

/**
 * Reads, commits page by page, and accounts for every record.
 *
 * @throws McaError when nothing was committed yet; afterwards the report says `failed`
 */
export async function runImport(job: ImportJob): Promise<ImportReport> {
  const { clock, random } = job.registry.env;
  const importId = randomId(random);
  const writer = job.dryRun ? previewWriter(job) : storageWriter(job, importId);
  const run: Run = {
    job,
    importId,
    startedAt: clock.now(),
    ledger: openLedger(),
    writer,
    meter: meterBytes(job.files),
    pace: importPace(),
  };
  try {
    const { status, error } = await attempt(run);
    const report: ImportReport = {
      status,
      provider: job.provider,
      importId: writer.hasWritten ? importId : undefined,
      connectionId: writer.connectionId,
      dryRun: job.dryRun,
      ...run.ledger.report(),
      preview: job.dryRun ? run.ledger.report().preview : [],
      durationMs: clock.now() - run.startedAt,
      error,
    };
    tellFinished(run, status);
    return report;
  } catch (error) {
    tellFinished(run, 'failed');
    throw error;
  } finally {
    await writer.close();
  }
}

/** Reads and stores everything, or says how it ended instead. */
async function attempt(run: Run): Promise<Pick<ImportReport, 'status' | 'error'>> {
  const { job, ledger, writer } = run;
  try {
    const error = await readAll(run);
    const status = error ? 'partial' : 'complete';
    await commit(run, status);
    return { status, error };
  } catch (caught) {
    const error = asMcaError(caught, job);
    const status = error.code === 'cancelled' ? 'cancelled' : 'failed';
    if (status === 'failed' && !writer.hasWritten) throw error;
    // What a damaged file gave before the damage is good; what was pending when the host cancelled is left for next time.
    if (error.code !== 'file_parse_error') ledger.dropPending();
    if (writer.hasWritten) await markEnded(run, status);
    return { status, error };
  }
}

/**
 * Reads all files, committing full pages.
 *
 * @returns what could not be read, when the rest could
 */
async function readAll(run: Run): Promise<McaError | undefined> {
  const { job, ledger, meter, pace } = run;
  const { options, signal, strict, archiveLimits, registry } = job;
  for await (const batch of job.capability.parse(
    { options, signal, strict, archiveLimits, now: () => registry.env.clock.now() },
    meter.files,
  )) {
    throwIfCancelled(job);
    checkBatch(batch, job);
    ledger.add(batch);
    if (isPageFull(run)) await pace.around(ledger.pendingItems.length, () => commit(run, 'running'));
    tellProgress(run);
  }
  throwIfCancelled(job);
  const whole = [...ledger.files.values()].some((file) => !file.error);
  for (const { name, error } of ledger.files.values()) {
    // Part 2 of a split export may hold none of the history.
    if (whole && error?.reason === 'nothing_to_import') ledger.forgive(name);
  }
  const files = [...ledger.files.values()];
  const broken = files.filter((file) => file.error);
  // With nothing whole, a damaged file is refused before anything of it is stored.
  if (broken.length > 0 && broken.length === files.length) throw broken[0]?.error;
  return broken.length > 0 || ledger.hasRejections ? partialError(run, broken.length) : undefined;
}

/**
 * The first page is always a whole one: a damaged file that ends before it is refused with nothing stored. Later ones
 * may end early, see {@link importPace}.
 */
function isPageFull({ ledger, writer, pace }: Run): boolean {
  const { length } = ledger.pendingItems;
  return length >= PAGE_ITEMS || (writer.hasWritten && pace.isTimeToCommit(length));
}

async function commit({ ledger, writer }: Run, status: 'running' | ImportReport['status']): Promise<void> {
  ledger.settle(await writer.write(ledger.pendingItems, ledger.totals(status)));
}

function tellFinished({ job, importId, startedAt, ledger }: Run, status: ImportReport['status']): void {
  const { registry, userId, provider, dryRun } = job;
  const durationMs = registry.env.clock.now() - startedAt;
  registry.emit({
    type: 'import_finished',
    userId,
    provider,
    importId,
    dryRun,
    status,
    counts: ledger.counts(),
    durationMs,
  });
}

function tellProgress({ job, importId, startedAt, ledger, meter }: Run): void {
  const counts = { ...ledger.counts(), read: ledger.readSoFar() };
  const elapsedMs = job.registry.env.clock.now() - startedAt;
  const event = progressEvent({ userId: job.userId, provider: job.provider, importId }, counts, meter, elapsedMs);
  job.registry.emit(event);
  try {
    job.onProgress?.(event);
  } catch (error) {
    job.registry.emit({
      type: 'hook_failed',
      hook: 'onProgress',
      message: error instanceof Error ? error.message : String(error),
    });
  }
}

function throwIfCancelled({ signal, provider }: ImportJob): void {
  if (!signal.aborted) return;
  throw new McaError({ code: 'cancelled', provider, message: 'The import was cancelled.', cause: signal.reason });
}

/** The record keeps saying `running` when even this fails; the failure that brought us here matters more. */
async function markEnded(run: Run, status: 'failed' | 'cancelled'): Promise<void> {
  try {
    await commit(run, status);
  } catch (error) {
    run.ledger.dropPending();
    const { message } = asMcaError(error, run.job);
    run.job.registry.env.logger.warn('could not note how the import ended', { provider: run.job.provider, message });
  }
}

function asMcaError(error: unknown, { provider }: ImportJob): McaError {
  if (McaError.isInstance(error)) return error;
  return new McaError({
    code: 'plugin',
    reason: 'unexpected_error',
    provider,
    message: `The importer of ${provider} threw an error it must not throw.`,
    hint: 'This is a defect of the provider; its `cause` says more.',
    cause: error,
  });
}

function partialError({ job, ledger }: Run, brokenFiles: number): McaError {
  const { read, rejected } = ledger.totals('partial');
  const rejectedRecords = Object.values(rejected).reduce((sum, count) => sum + count, 0);
  const what = [
    ...(rejectedRecords > 0 ? [`${rejectedRecords} of ${read} records`] : []),
    ...(brokenFiles > 0 ? [`${brokenFiles} of ${ledger.files.size} files`] : []),
  ].join(' and ');
  return new McaError({
    code: 'partial_sync',
    reason: brokenFiles > 0 ? 'damaged_files' : 'rejected_records',
    provider: job.provider,
    message: `${what} could not be read; the rest is stored.`,
    hint: 'See `rejections` and `files` of the report.',
  });
}
