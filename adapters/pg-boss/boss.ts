/** What is used of a pg-boss 12 instance. */
export interface PgBossLike {
  createQueue(name: string, options?: QueueSettings & { readonly policy: string }): Promise<void>;
  updateQueue(name: string, options?: QueueSettings): Promise<void>;
  insert(name: string, jobs: NewJob[]): Promise<unknown>;
  work(name: string, options: WorkSettings, handler: (jobs: WaitingJob[]) => Promise<JobResult[]>): Promise<string>;
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
