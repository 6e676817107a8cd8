import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Refusal } from './security.ts';

/** How far something is, and how it ended. What browsers are told, as it is. */
export interface JobView {
  readonly text: string;
  readonly done: number;
  /** Absent while nobody knows. */
  readonly total?: number | undefined;
  /** Absent while it runs. */
  readonly outcome?: 'good' | 'partly' | 'bad' | undefined;
}

/** Something a user waits for: a sync, an import. */
export interface Job {
  readonly id: string;
  readonly userId: string;
  /** What it is about: a connection id, or `import`. There is one job for each at a time. */
  readonly about: string;
  readonly view: JobView;
}

/** Does the work: tells how far it is, and answers how it ended; `undefined` when the user has heard of it elsewhere. */
export type Work = (tell: (view: JobView) => void, signal: AbortSignal) => Promise<JobView | undefined>;

interface RunningJob extends Job {
  view: JobView;
  readonly controller: AbortController;
  readonly ended: Promise<void>;
}

interface Listener {
  readonly userId: string;
  readonly hear: (job: Job) => void;
  readonly end: () => void;
}

const KEPT_MS = 10 * 60_000;
const STEP_MS = 60_000;
const BROKEN_OFF: JobView = { text: 'This was not finished.', done: 0, outcome: 'bad' };

/** What runs, and what ended a moment ago. In memory: a sync goes on where it stopped, whatever becomes of its job. */
export class Jobs {
  readonly #jobs = new Map<string, RunningJob>();
  readonly #listeners = new Set<Listener>();
  readonly #onError: (error: unknown, about: string) => JobView;
  /** Users whose work is not taken on any more. */
  readonly #shut = new Set<string>();
  /** Steps of connecting that wait for a service, and whose they are. */
  readonly #steps = new Map<Promise<unknown>, string>();
  readonly #stepMs: number;
  #isClosed = false;

  /** `stepMs` is for how long somebody who goes waits for a service that is being asked. */
  constructor(onError: (error: unknown, about: string) => JobView, stepMs = STEP_MS) {
    this.#onError = onError;
    this.#stepMs = stepMs;
  }

  /** Starts work; false when the user has the same under way, or is gone. */
  start(userId: string, about: string, text: string, work: Work): boolean {
    if (this.#isClosed || this.#shut.has(userId)) return false;
    if (this.isUnderWay(userId, about)) return false;
    this.forget(userId, about);
    const controller = new AbortController();
    const end = Promise.withResolvers<void>();
    const job: RunningJob = {
      ...{ id: randomUUID(), userId, about, controller },
      view: { text, done: 0 },
      ended: end.promise,
    };
    this.#jobs.set(job.id, job);
    const tell = (view: JobView): void => {
      job.view = view;
      const isIdle = !this.isBusy(userId);
      for (const listener of [...this.#listeners].filter((each) => each.userId === userId)) {
        listener.hear(job);
        if (isIdle) this.#endOf(listener);
      }
    };
    tell(job.view);
    void work(tell, controller.signal)
      .catch((error) => this.#onError(error, about))
      .then((last) => {
        tell(last ?? BROKEN_OFF);
        if (!last) this.#jobs.delete(job.id);
        end.resolve();
        setTimeout(() => this.#jobs.delete(job.id), KEPT_MS).unref();
      });
    return true;
  }

  /**
   * Runs what is no job but may store something for a user, such as a step of connecting: who goes waits for its end.
   *
   * @throws Refusal 409 when the user is gone
   */
  async during<Result>(userId: string, run: () => Promise<Result>): Promise<Result> {
    if (this.#isClosed || this.#shut.has(userId)) {
      throw new Refusal(
        409,
        'This is over',
        'Your data is being erased, or the app is closing. Begin anew afterwards.',
      );
    }
    const step = run();
    this.#steps.set(step, userId);
    try {
      return await step;
    } finally {
      this.#steps.delete(step);
    }
  }

  /** Forgets how a job ended: it is not true any more. One that runs goes on. */
  forget(userId: string, about: string): void {
    const job = this.of(userId, about);
    if (job?.view.outcome !== undefined) this.#jobs.delete(job.id);
  }

  /** The user's job about something, running or just ended. */
  of(userId: string, about: string): Job | undefined {
    return [...this.#jobs.values()].find((job) => job.userId === userId && job.about === about);
  }

  /** Whether the user waits for this. */
  isUnderWay(userId: string, about: string): boolean {
    const job = this.of(userId, about);
    return job !== undefined && job.view.outcome === undefined;
  }

  /** Whether the user waits for anything. */
  isBusy(userId: string): boolean {
    return [...this.#jobs.values()].some((job) => job.userId === userId && job.view.outcome === undefined);
  }

  /**
   * Hears how all jobs of the user go on: at once how far each is, then every step, also of jobs that are started
   * meanwhile, to the end of them all. `undefined` when there are none.
   */
  listen(userId: string, hear: (job: Job) => void, end: () => void): (() => void) | undefined {
    const jobs = [...this.#jobs.values()].filter((job) => job.userId === userId);
    if (jobs.length === 0) return undefined;
    const listener = { userId, hear, end };
    for (const job of jobs) hear(job);
    this.#listeners.add(listener);
    if (!this.isBusy(userId)) this.#endOf(listener);
    return () => void this.#listeners.delete(listener);
  }

  #endOf(listener: Listener): void {
    this.#listeners.delete(listener);
    listener.end();
  }

  /**
   * Stops the jobs of a user who goes, waits for steps that cannot be stopped, and takes on no more: nothing is stored
   * for somebody nobody can reach. What it answers lets the user in again, for when going has failed.
   *
   * @throws Refusal 503 when a service takes too long to answer; then the user is in
   */
  async shut(userId: string): Promise<() => void> {
    this.#shut.add(userId);
    // Requests that were under way have ended by then.
    setTimeout(() => this.#shut.delete(userId), KEPT_MS).unref();
    await this.stop(userId);
    const steps = [...this.#steps].filter(([, whose]) => whose === userId).map(([step]) => step);
    const isOver = Promise.allSettled(steps).then(() => true);
    if (!(await Promise.race([isOver, pause(this.#stepMs, false, { ref: false })]))) {
      this.#shut.delete(userId);
      throw new Refusal(503, 'Not yet', 'A service that you are connecting has not answered. Try again in a minute.');
    }
    return () => void this.#shut.delete(userId);
  }

  /** Stops everything, and takes on no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.stop();
  }

  /** Stops and forgets jobs: everybody's, the user's, or the user's about something. */
  async stop(userId?: string, about?: string): Promise<void> {
    const jobs = [...this.#jobs.values()].filter(
      (job) => job.userId === (userId ?? job.userId) && job.about === (about ?? job.about),
    );
    for (const { controller } of jobs) controller.abort();
    await Promise.all(jobs.map(({ ended }) => ended));
    for (const { id } of jobs) this.#jobs.delete(id);
  }
}
