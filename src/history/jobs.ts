import { FIRST_WARNING_MS, hasReauthWarning, warnOfReauth } from '../auth/reauth.ts';
import type { IncrementalName } from '../contracts/capabilities/index.ts';
import type { Connection } from '../contracts/connection.ts';
import { McaError } from '../contracts/errors.ts';
import type { Job, JobOutcome } from '../contracts/jobs.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { providersThatSync, tellReport } from './sync-due.ts';
import type { SyncReport } from './sync-report.ts';
import { runSync } from './sync-run.ts';
import { FAILURES_TO_STUCK } from './sync-schedule.ts';
import type { SyncSettings } from './sync-tracks.ts';

/** How jobs are listed. */
export interface DueJobsOptions {
  /** Syncs to list at most. @default 1,000 */
  readonly limit?: number | undefined;
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
export async function dueJobs(registry: AnyRegistry, { limit = 1_000 }: DueJobsOptions = {}): Promise<readonly Job[]> {
  await registry.ready();
  const syncs = await registry.storage.listDue({ providers: providersThatSync(registry), limit });
  const warned = await toBeWarned(registry);
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
 * @throws McaError `storage` when the store fails, `invalid_data` `unknown_job` for a job of another release
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
  const provider = registry.list().find(({ id }) => id === connection.provider);
  const capability = provider?.capabilities[name as IncrementalName];
  // Planned by a release or a set-up that could do more.
  if (!capability) return { type: 'done' };
  const before = await scheduleOf(registry, connection.id, name);
  if (before && before.dueAt > registry.env.clock.now()) return { type: 'snooze', notBefore: before.dueAt };
  const report = await registry.access.track(
    runSync(registry, connection, name as IncrementalName, capability, {
      signal,
      maxPages: maxPagesPerSync,
      removedUpstream,
    }),
  );
  tellReport(registry, report, onReport);
  const after = await scheduleOf(registry, connection.id, name);
  if (!after) return { type: 'done' };
  // Told once: later failures are of the same trouble.
  if (after.failures === FAILURES_TO_STUCK && before?.failures !== after.failures) {
    return { type: 'dead', message: report.error?.message ?? `The sync ended as ${report.status}.` };
  }
  const isWaiting = after.blocked || after.failures > 0 || report.hasMore || report.status === 'cancelled';
  return isWaiting ? { type: 'snooze', notBefore: after.dueAt } : { type: 'done' };
}

async function scheduleOf({ storage }: AnyRegistry, connectionId: string, name: string) {
  return (await storage.readSchedules(connectionId)).find(({ capability }) => capability === name);
}
