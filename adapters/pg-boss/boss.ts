/** What is used of a pg-boss 12 instance. */
export interface PgBossLike {
  /** Makes a queue, if there is none. */
  createQueue(name: string, options?: QueueSettings & { readonly policy: string }): Promise<void>;
  /** Changes a queue. */
  updateQueue(name: string, options?: QueueSettings): Promise<void>;
  /** Adds jobs; one whose key is there already is left out. */
  insert(name: string, jobs: NewJob[]): Promise<unknown>;
  /** Begins to run jobs. */
  work(name: string, options: WorkSettings, handler: (jobs: WaitingJob[]) => Promise<JobResult[]>): Promise<string>;
  /** Ends it. */
  offWork(name: string, options: { readonly wait: boolean }): Promise<void>;
}

/** How a queue treats its jobs. */
export interface QueueSettings {
  readonly retryLimit?: number;
  readonly retryDelay?: number;
  readonly retryBackoff?: boolean;
  readonly retryDelayMax?: number;
  readonly heartbeatSeconds?: number;
  readonly expireInSeconds?: number;
  readonly deleteAfterSeconds?: number;
  readonly deadLetter?: string;
}

/** A job to be added. */
export interface NewJob {
  readonly data: object;
  readonly singletonKey: string;
}

/** A job that was fetched. */
export interface WaitingJob {
  readonly id: string;
  readonly data: unknown;
  readonly signal: AbortSignal;
}

/** What became of a job. */
export interface JobResult {
  id: string;
  status: 'completed' | 'failed' | 'deadletter';
  output?: object;
}

/** How a worker looks for jobs. */
export interface WorkSettings {
  readonly batchSize: number;
  readonly localConcurrency: number;
  readonly pollingIntervalSeconds: number;
  readonly burstWhenBatchFull: boolean;
  readonly perJobResults: true;
}
