/** What jobs do: sync one capability of a connection; tell the host that a user's consent will end. */
export type JobName = 'sync' | 'reauth-notice';

/** A piece of work that any of many machines may do. Plain data, so that it can wait in any queue. */
export interface Job {
  readonly name: JobName;
  /** Equal keys are the same work: `sync:<connectionId>:<capability>`, `reauth-notice:<connectionId>`. */
  readonly key: string;
  readonly connectionId: string;
  /** With `sync`: `history`, `library` or `ratings`. */
  readonly capability?: string | undefined;
}

/**
 * What came of a job.
 *
 * - `done` its next turn comes from the schedule
 * - `snooze` not before an instant, epoch milliseconds: the service asked for it, or it is not due. No failure. The queue may
 *   keep the job until then or drop it: it is handed over again when it is due.
 * - `dead` it failed too often; a person should look. `message` is the last error, without secrets.
 */
export type JobOutcome =
  | { readonly type: 'done' }
  | { readonly type: 'snooze'; readonly notBefore: number }
  | { readonly type: 'dead'; readonly message: string };

/** Does a job. Rejects only when the work could not be tried (the store is down) or has a defect: then it is tried again. */
export type RunJob = (job: Job, signal: AbortSignal) => Promise<JobOutcome>;

/**
 * A job queue that a host has already, as the scheduler sees it. `jobEngineConformance` of `@mca/core/testing` proves an
 * implementation.
 *
 * - `JOB-1` a job that was enqueued is run, on one of the engines that share a queue
 * - `JOB-2` of equal keys at most one waits, runs or is to be tried again; what is handed over meanwhile is left out
 * - `JOB-3` a snoozed job is not run before its instant unless it is handed over again, and that is no failed attempt
 * - `JOB-4` a job whose work rejects is tried again after growing waits; after the last attempt it is a dead letter
 * - `JOB-5` a dead letter keeps the job and its last error, and is not run again by itself
 * - `JOB-6` a job whose worker died is run again by another
 * - `JOB-7` stopping aborts the signal of what runs, waits for it, and starts nothing more; what waits stays
 * - `JOB-8` failures of the queue surface as `McaError` `storage`
 */
export interface JobEngine {
  readonly apiVersion: 1;
  /** Begins to run jobs. Called once. */
  start(run: RunJob): Promise<void>;
  /** Adds jobs. What is there already stays as it is. */
  enqueue(jobs: readonly Job[]): Promise<void>;
  /** Ends running jobs; safe to call twice. */
  stop(): Promise<void>;
}
