/** @module @mca/core/adapters/pg-boss */

import { type Job, type JobEngine, McaError, type RunJob } from '@mca/core/adapter-kit';
import type { JobResult, PgBossLike, QueueSettings, WaitingJob } from './boss.ts';

export type * from './boss.ts';

/** Options of {@link pgBossJobs}. */
export interface PgBossJobsOptions {
  /** A started pg-boss 12. Stopping it stays yours. */
  readonly boss: PgBossLike;
  /** Name of the queue; its dead letters go to `<queue>-dead`. @default 'mca-jobs' */
  readonly queue?: string | undefined;
  /** Jobs at once in this process, at most; odd numbers above 1 are rounded down. @default 4 */
  readonly concurrency?: number | undefined;
  /** Pause between two looks at an empty queue, in seconds, at least 0.5. @default 2 */
  readonly pollingIntervalSeconds?: number | undefined;
}

/**
 * Settings for `new PgBoss({ …, ...PG_BOSS_SETTINGS })`: the jobs of a worker that died are found within 35 seconds, instead
 * of 80 by pg-boss' own.
 */
export const PG_BOSS_SETTINGS: { readonly superviseIntervalSeconds: number; readonly monitorIntervalSeconds: number } =
  {
    superviseIntervalSeconds: 15,
    monitorIntervalSeconds: 15,
  };

const QUEUE: QueueSettings = {
  // The first try and eleven more, after waits that double from half a minute to six hours.
  retryLimit: 11,
  retryDelay: 30,
  retryBackoff: true,
  retryDelayMax: 6 * 3_600,
  heartbeatSeconds: 20,
  // The heartbeat tells who died; this ends only what hangs.
  expireInSeconds: 4 * 3_600,
  deleteAfterSeconds: 86_400,
};
/** Jobs that are fetched together end together: few, and still more than one, because only full batches are followed at once. */
const BATCH = 2;

/**
 * Does due work through pg-boss: any number of processes share one queue in Postgres.
 *
 * When a sync is due is told by the store, not by the queue: a job that has to wait is ended and handed over again at its
 * time, so that whoever moves a turn forward moves it everywhere. Of each connection and capability there is one job at
 * most. What fails for reasons of the service is no failed job either: the schedule waits, and only the twelfth failure in
 * a row becomes a dead letter. All processes of a queue need the same providers.
 *
 * @throws McaError `configuration` `no_queue` without a pg-boss
 * @example
 * ```ts
 * import { PgBoss } from 'pg-boss';
 * import { startScheduler } from '@mca/core';
 * import { PG_BOSS_SETTINGS, pgBossJobs } from '@mca/core/adapters/pg-boss';
 *
 * const boss = new PgBoss({ connectionString, ...PG_BOSS_SETTINGS });
 * boss.on('error', (error) => console.error(error.message)); // without a listener an error ends the process
 * await boss.start();
 * startScheduler(registry, { engine: pgBossJobs({ boss, concurrency: 8 }) });
 * ```
 */
export function pgBossJobs(options: PgBossJobsOptions): JobEngine {
  const { boss, queue = 'mca-jobs', concurrency = 4, pollingIntervalSeconds = 2 } = options;
  if (typeof boss?.insert !== 'function') {
    throw new McaError({
      code: 'configuration',
      reason: 'no_queue',
      message: 'pgBossJobs() needs a pg-boss.',
      hint: 'Pass a started one: pgBossJobs({ boss: await new PgBoss({ connectionString }).start() }).',
    });
  }
  const stopping = new AbortController();
  let preparing: Promise<void> | undefined;

  async function makeQueues(): Promise<void> {
    await boss.createQueue(`${queue}-dead`, { policy: 'standard' });
    const settings = { ...QUEUE, deadLetter: `${queue}-dead` };
    await boss.createQueue(queue, { policy: 'exclusive', ...settings });
    // One that an earlier release made keeps its settings otherwise.
    await boss.updateQueue(queue, settings);
  }
  async function prepare(): Promise<void> {
    preparing ??= makeQueues();
    try {
      await preparing;
    } catch (error) {
      preparing = undefined;
      throw error;
    }
  }

  async function runOne({ id, data, signal }: WaitingJob, run: RunJob): Promise<JobResult> {
    const job = data as Job;
    try {
      const outcome = await run(job, AbortSignal.any([signal, stopping.signal]));
      if (outcome.type === 'dead') return { id, status: 'deadletter', output: { message: outcome.message } };
      if (outcome.type === 'done') return { id, status: 'completed' };
      return { id, status: 'completed', output: { snoozedUntil: new Date(outcome.notBefore).toISOString() } };
    } catch (error) {
      return { id, status: 'failed', output: tellable(error) };
    }
  }

  return {
    apiVersion: 1,
    start: (run) =>
      asStorage(async () => {
        await prepare();
        await boss.work(
          queue,
          {
            batchSize: Math.min(BATCH, concurrency),
            localConcurrency: Math.max(1, Math.floor(concurrency / BATCH)),
            pollingIntervalSeconds,
            burstWhenBatchFull: true,
            perJobResults: true,
          },
          (jobs) => Promise.all(jobs.map((job) => runOne(job, run))),
        );
      }),
    enqueue: (jobs) =>
      asStorage(async () => {
        await prepare();
        await boss.insert(
          queue,
          jobs.map((job) => ({ data: job, singletonKey: job.key })),
        );
      }),
    stop: () =>
      asStorage(async () => {
        if (stopping.signal.aborted) return;
        stopping.abort();
        await boss.offWork(queue, { wait: true });
      }),
  };
}

/** What a dead letter may say of an error: nothing that could hold a secret. */
function tellable(error: unknown): object {
  if (McaError.isInstance(error)) {
    const { code, reason, message } = error;
    return { code, reason, message };
  }
  return { message: 'The job failed with an error that is none of the SDK; the log of its worker says more.' };
}

async function asStorage<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (McaError.isInstance(error)) throw error;
    throw new McaError({
      code: 'storage',
      reason: 'queue_failed',
      message: 'The job queue failed.',
      hint: 'Is pg-boss started, and its database reachable?',
      retryable: true,
      cause: error,
    });
  }
}
