import { FIRST_WARNING_MS, hasReauthWarning, warnOfReauth } from '../auth/reauth.ts';
import type { IncrementalName } from '../contracts/capabilities/index.ts';
import type { Connection } from '../contracts/connection.ts';
import { McaError } from '../contracts/errors.ts';
import type { Job, JobOutcome } from '../contracts/jobs.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { postponeUnknown, providersThatSync, tellReport } from './sync-due.ts';
import type { SyncReport } from './sync-report.ts';
import { runSync } from './sync-run.ts';
import { FAILURES_TO_STUCK } from './sync-schedule.ts';
import type { SyncSettings } from './sync-tracks.ts';

/** How jobs are listed. */
export interface DueJobsOptions {
  /** Syncs to list at most. @default 1,000 */
  readonly limit?: number | undefined;
  /** Whether to look for consents that will end, too. Every hour is often enough for that. @default true */
  readonly notices?: boolean | undefined;
}

/** How a job is done. */
export interface RunJobOptions {
  /** Stops a sync between two pages. */
  readonly signal?: AbortSignal | undefined;
  /** Pages per sync, so that one long history does not hold up everybody else. @default 100 */
  readonly maxPagesPerSync?: number | undefined;
  /** What happens to items that the service no longer has; see {@link SyncSettings.removedUpstream}. @default 'report' */
  readonly removedUpstream?: SyncSettings['removedUpstream'];
  /** Hears of each sync that ended. */
  readonly onReport?: ((report: SyncReport) => void) | undefined;
}

/**
 * What there is to do now: syncs whose turn has come, the longest overdue first, and notices that a user's consent will
 * end. With a job queue of your own, add these to it from time to time; `startScheduler` does so by itself.
 *
 * @throws McaError `storage` when the store fails
 * @example
 * ```ts
 * for (const job of await dueJobs(registry)) await queue.add(job.name, job, { jobId: job.key });
 * ```
 */
export async function dueJobs(
  registry: AnyRegistry,
  { limit = 1_000, notices = true }: DueJobsOptions = {},
): Promise<readonly Job[]> {
  await registry.ready();
  const syncs = await registry.storage.listDue({ providers: providersThatSync(registry), limit });
  const warned = notices ? await toBeWarned(registry) : [];
  return [
    ...syncs.map(({ connectionId, capability }): Job => {
      return { name: 'sync', key: `sync:${connectionId}:${capability}`, connectionId, capability };
    }),
    ...warned.map(({ id }): Job => ({ name: 'reauth-notice', key: `reauth-notice:${id}`, connectionId: id })),
  ];
}

/**
 * Does one job. Safe to call for a job that is not due any more, that somebody else is doing, or whose connection is gone:
 * then there is nothing to do.
 *
 * @returns what the queue should do with the job next; see {@link JobOutcome}
 * @throws McaError `storage` when the store fails, `invalid_data` `unknown_job` for a job of another release,
 *   `configuration` `foreign_job` for one of a provider that is not registered here
 */
export async function runJob(registry: AnyRegistry, job: Job, options: RunJobOptions = {}): Promise<JobOutcome> {
  await registry.ready();
  const [connection] = await registry.storage.listConnections({ id: job.connectionId });
  if (!connection) return { type: 'done' };
  switch (job.name) {
    case 'sync':
      return runSyncJob(registry, connection, job.capability ?? '', options);
    case 'reauth-notice':
      await warnOfReauth(registry, connection, registry.env.clock.now());
      return { type: 'done' };
    default:
      throw new McaError({
        code: 'invalid_data',
        reason: 'unknown_job',
        message: `There is no job called "${String(job.name)}".`,
        hint: 'Another release of @mca/core may have put it into the queue: upgrade this one.',
      });
  }
}

/** Gives all warnings that are due. */
export async function warnAll(registry: AnyRegistry): Promise<void> {
  for (const connection of await toBeWarned(registry)) {
    await warnOfReauth(registry, connection, registry.env.clock.now());
  }
}

async function toBeWarned({ storage, env }: AnyRegistry): Promise<readonly Connection[]> {
  const now = env.clock.now();
  const ending = await storage.listConnections({ consentEndsBefore: new Date(now + FIRST_WARNING_MS + 1) });
  return ending.filter((connection) => hasReauthWarning(connection, now));
}

async function runSyncJob(
  registry: AnyRegistry,
  connection: Connection,
  name: string,
  { signal, maxPagesPerSync = 100, removedUpstream, onReport }: RunJobOptions,
): Promise<JobOutcome> {
  const { provider } = connection;
  const capabilities = registry.list().find(({ id }) => id === provider)?.capabilities;
  if (!capabilities) {
    throw new McaError({
      code: 'configuration',
      reason: 'foreign_job',
      provider,
      message: `This process has no provider "${provider}", and got one of its jobs.`,
      hint: 'Processes that share a queue need the same providers; give others a queue of their own.',
    });
  }
  const capability = capabilities[name as IncrementalName];
  if (!capability) {
    await postponeUnknown(registry, { connectionId: connection.id, capability: name, failures: 0 });
    return { type: 'done' };
  }
  const settings = { signal, maxPages: maxPagesPerSync, removedUpstream };
  const report = await registry.access.track(
    runSync(registry, connection, name as IncrementalName, capability, settings, true),
  );
  tellReport(registry, report, onReport);
  const now = registry.env.clock.now();
  if (report.notBefore && report.notBefore.getTime() > now) {
    return { type: 'snooze', notBefore: report.notBefore.getTime() };
  }
  const hasFailed = report.status === 'failed' || (report.status === 'partial' && report.error !== undefined);
  if (hasFailed && (await isStuck(registry, connection.id, name))) {
    return { type: 'dead', message: report.error?.message ?? 'The sync failed.' };
  }
  const goesOn = report.status === 'cancelled' || (report.hasMore && !report.error);
  return goesOn ? { type: 'snooze', notBefore: now } : { type: 'done' };
}

/** Told once: later failures are of the same trouble. */
async function isStuck({ storage }: AnyRegistry, connectionId: string, name: string): Promise<boolean> {
  const schedules = await storage.readSchedules(connectionId);
  return schedules.some(({ capability, failures }) => capability === name && failures === FAILURES_TO_STUCK);
}
