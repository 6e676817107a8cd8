/** How many records went where. `read = inserted + updated + unchanged + skipped + rejected`, always. */
export interface ImportCounts {
  /** Records the parser saw, counted before any logic. */
  readonly read: number;
  readonly inserted: number;
  /** Stored before, now with more or newer content. */
  readonly updated: number;
  /** Stored before with the same content, or deleted by the host before. */
  readonly unchanged: number;
  /** Left out on purpose. */
  readonly skipped: number;
  /** Could not be read. */
  readonly rejected: number;
}

/** A stretch of time of which one source told, without a silence of more than a week. */
export interface Coverage {
  readonly platform: string;
  readonly source: string;
  /** Profile or account label of the items, where they have one. */
  readonly account?: string | undefined;
  /** First and last event, both included. */
  readonly from: Date;
  readonly to: Date;
}

/** - `running` in progress, or interrupted by a crash - `undone` its items were taken out again */
export type ImportStatus = 'running' | 'complete' | 'partial' | 'failed' | 'cancelled' | 'undone';

/** What the store remembers of one import. */
export interface ImportRecord {
  readonly id: string;
  readonly connectionId: string;
  readonly userId: string;
  readonly provider: string;
  readonly status: ImportStatus;
  readonly startedAt: Date;
  readonly finishedAt?: Date | undefined;
  /** Base names of the files. */
  readonly files: readonly string[];
  readonly counts: ImportCounts;
  /** Counts by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly rejected: Readonly<Record<string, number>>;
  /** What the committed items tell of. Reads leave out coarser items there. */
  readonly coverage: readonly Coverage[];
}
