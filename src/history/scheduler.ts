import { McaError } from '../contracts/errors.ts';
import type { Job, JobEngine, JobOutcome } from '../contracts/jobs.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { randomId } from '../runtime/env.ts';
import { dueJobs, runJob, warnAll } from './jobs.ts';
import { type SyncDueOptions, syncDue } from './sync-due.ts';

/** How the scheduler of one process works. */
export interface SchedulerOptions extends Omit<SyncDueOptions, 'signal' | 'limit'> {
  /** Pause between two looks at what is due, in milliseconds. @default 10,000 */
  readonly everyMs?: number | undefined;
  /**
   * A job queue that does the work: `pgBossJobs({ boss })`, or one of your own. `concurrency` is the queue's then.
   *
   * @default none: this process takes what is due from the store by itself
   */
  readonly engine?: JobEngine | undefined;
}

/** A running scheduler. */
export interface Scheduler {
  /** Starts nothing more; syncs under way stop after their page. Resolves when all is still. */
  stop(): Promise<void>;
}

/**
 * Syncs what is due and tells whose consent will end, again and again, in this process. Rounds never overlap. Any number of
 * processes may each run one: a due sync is taken by one of them.
 *
 * @throws McaError `invalid_data` `invalid_interval` when `everyMs` is no number above 0
 * @example
 * ```ts
 * const scheduler = startScheduler(registry, { concurrency: 8 });
 * process.once('SIGTERM', () => scheduler.stop());
 * ```
 */
export function startScheduler(registry: AnyRegistry, options: SchedulerOptions = {}): Scheduler {
  const { everyMs = 10_000, engine, ...due } = options;
  checkInterval(everyMs);
  const stopping = new AbortController();
  const signal = AbortSignal.any([stopping.signal, registry.access.closing]);

  let hasStarted = false;
  async function round(): Promise<void> {
    if (engine) {
      if (!hasStarted) await engine.start(runAndTell);
      hasStarted = true;
      return planJobs(registry, engine, everyMs);
    }
    await syncDue(registry, { ...due, signal });
    await warnAll(registry);
  }
  async function runAndTell(job: Job, ended: AbortSignal): Promise<JobOutcome> {
    try {
      return await runJob(registry, job, { ...due, signal: AbortSignal.any([signal, ended]) });
    } catch (error) {
      // The queue tries it again, and may not keep what went wrong.
      const message = error instanceof Error ? error.message : String(error);
      registry.env.logger.error('a job failed', { job: job.key, message });
      throw error;
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        await round();
      } catch (error) {
        // A store that is down now may be up at the next look.
        const message = error instanceof Error ? error.message : String(error);
        registry.env.logger.error('could not look for due syncs', { message });
      }
      await pause(registry, everyMs, signal);
    }
    await engine?.stop();
  }
  const running = registry.access.track(run());
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

function checkInterval(everyMs: number): void {
  if (everyMs > 0 && everyMs < 2 ** 31) return;
  throw new McaError({
    code: 'invalid_data',
    reason: 'invalid_interval',
    message: 'everyMs must be a number of milliseconds above 0 and below 2^31.',
  });
}

/** Puts what is due into the queue. Of many machines one does so at a time: whoever gets the lease, for as long as it lasts. */
async function planJobs(registry: AnyRegistry, engine: JobEngine, everyMs: number): Promise<void> {
  await registry.ready();
  const { storage, env } = registry;
  const lease = await storage.acquireLease({ resource: 'jobs:plan', owner: randomId(env.random), ttlMs: everyMs });
  if (!lease) return;
  const jobs = await dueJobs(registry);
  if (jobs.length > 0) await engine.enqueue(jobs);
}

/** Waits, or less when the signal fires. */
function pause(registry: AnyRegistry, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = registry.env.timers.after(ms, end);
    signal.addEventListener('abort', end);
  });
}
