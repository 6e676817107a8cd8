import type { AnyRegistry } from '../registry/create-registry.ts';
import { type SyncDueOptions, syncDue } from './sync-due.ts';

/** How the scheduler of one process works. */
export interface SchedulerOptions extends Omit<SyncDueOptions, 'signal' | 'limit'> {
  /** Pause between two looks at what is due, in milliseconds. @default 10,000 */
  readonly everyMs?: number | undefined;
}

/** A running scheduler. */
export interface Scheduler {
  /** Starts nothing more; syncs under way stop after their page. Resolves when all is still. */
  stop(): Promise<void>;
}

/**
 * Syncs what is due, again and again, in this process. Rounds never overlap. Several processes may each run one: a due
 * sync is taken by one of them. With a job queue, call `syncDue` from its jobs instead.
 *
 * @example
 * ```ts
 * const scheduler = startScheduler(registry, { concurrency: 8 });
 * process.once('SIGTERM', () => scheduler.stop());
 * ```
 */
export function startScheduler(registry: AnyRegistry, options: SchedulerOptions = {}): Scheduler {
  const { everyMs = 10_000, ...due } = options;
  const stopping = new AbortController();
  const signal = AbortSignal.any([stopping.signal, registry.access.closing]);

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        await syncDue(registry, { ...due, signal });
      } catch (error) {
        // A store that is down now may be up at the next look.
        const message = error instanceof Error ? error.message : String(error);
        registry.env.logger.error('could not look for due syncs', { message });
      }
      await pause(registry, everyMs, signal);
    }
  }
  const running = registry.access.track(run());
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
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
