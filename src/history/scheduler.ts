import { McaError } from '../contracts/errors.ts';
import type { Job, JobEngine, JobOutcome } from '../contracts/jobs.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { randomId } from '../runtime/env.ts';
import { dueJobs, runJob, warnAll } from './jobs.ts';
import { type SyncDueOptions, syncDue } from './sync-due.ts';
import { checkWords } from './sync-tracks.ts';

const WARN_EVERY_MS = 3_600_000;
const PLAN_MS = 10_000;
/** Longer than a page takes, and shorter than orchestrators wait after a SIGTERM. */
const STOP_MS = 20_000;

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
  checkWords({ removedUpstream: due.removedUpstream });
  const stopping = new AbortController();
  const signal = AbortSignal.any([stopping.signal, registry.access.closing]);

  let hasStarted = false;
  let warnAt = Number.NEGATIVE_INFINITY;
  async function round(): Promise<void> {
    // Looked at seldom: consents end once in months.
    const notices = registry.env.clock.now() >= warnAt;
    if (engine) {
      if (!hasStarted) await until(signal, engine.start(runAndTell));
      hasStarted = !signal.aborted;
      if (hasStarted) await planJobs(registry, engine, { everyMs, notices });
    } else {
      await syncDue(registry, { ...due, signal });
      if (notices) await warnAll(registry);
    }
    if (notices) warnAt = registry.env.clock.now() + WARN_EVERY_MS;
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
    if (engine) await stopEngine(registry, engine);
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

/**
 * Puts what is due into the queue. Of the machines with the same providers one does so at a time: whoever gets the lease,
 * which is not given back. It is short whatever the interval of its holder, who may have died, or look once an hour.
 */
async function planJobs(
  registry: AnyRegistry,
  engine: JobEngine,
  { everyMs, notices }: { readonly everyMs: number; readonly notices: boolean },
): Promise<void> {
  await registry.ready();
  const { storage, env } = registry;
  const providers = registry.list().map(({ id }) => id);
  const resource = `jobs:plan:${providers.toSorted().join(',')}`;
  const ttlMs = Math.min(everyMs, PLAN_MS);
  if (!(await storage.acquireLease({ resource, owner: randomId(env.random), ttlMs }))) return;
  const jobs = await dueJobs(registry, { notices });
  if (jobs.length > 0) await engine.enqueue(jobs);
}

/** A queue that cannot be stopped, or does not answer, must not keep the host from stopping. */
async function stopEngine(registry: AnyRegistry, engine: JobEngine): Promise<void> {
  const patience = new AbortController();
  const cancel = registry.env.timers.after(STOP_MS, () => patience.abort());
  try {
    await until(patience.signal, engine.stop());
    if (patience.signal.aborted) registry.env.logger.warn('the job queue did not stop in time', { ms: STOP_MS });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    registry.env.logger.warn('could not stop the job queue', { message });
  } finally {
    cancel();
  }
}

/** What ends with the work, or when the signal fires: then the work is left behind. */
function until(signal: AbortSignal, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => resolve();
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
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
