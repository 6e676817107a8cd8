import { INCREMENTAL_NAMES, type IncrementalName } from '../contracts/capabilities/index.ts';
import { McaError } from '../contracts/errors.ts';
import type { DueSync } from '../contracts/storage/index.ts';
import type { SyncSchedule } from '../contracts/sync.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { LEASE_MS } from './sync-lease.ts';
import type { SyncReport } from './sync-report.ts';
import { runSync } from './sync-run.ts';

/** How due syncs are worked off. */
export interface SyncDueOptions {
  /** Syncs at once. @default 4 */
  readonly concurrency?: number | undefined;
  /** Syncs after which the call ends although more are due. @default no limit */
  readonly limit?: number | undefined;
  /** Pages per sync, so that one long history does not hold up everybody else. @default 100 */
  readonly maxPagesPerSync?: number | undefined;
  /** Starts nothing more, and stops what runs between two pages. */
  readonly signal?: AbortSignal | undefined;
  /** Hears of each sync that ended. */
  readonly onReport?: ((report: SyncReport) => void) | undefined;
}

/** What a round of due syncs did. */
export interface SyncDueReport {
  readonly synced: number;
  /** How many ended how. */
  readonly byStatus: Readonly<Partial<Record<SyncReport['status'], number>>>;
}

/**
 * Syncs every connection whose turn has come, the longest overdue first. Any number of machines may call it at once:
 * each due sync is taken by one of them.
 *
 * @example
 * ```ts
 * await syncDue(registry, { concurrency: 8 }); // from cron, a job queue, or startScheduler
 * ```
 */
export async function syncDue(registry: AnyRegistry, options: SyncDueOptions = {}): Promise<SyncDueReport> {
  const { concurrency = 4, limit = Number.POSITIVE_INFINITY } = options;
  checkConcurrency(concurrency);
  await registry.ready();
  const byStatus = new Map<SyncReport['status'], number>();
  const seen = new Set<string>();
  const again: SyncSchedule[] = [];
  let synced = 0;

  function tell(report: SyncReport): void {
    try {
      options.onReport?.(report);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      registry.emit({ type: 'hook_failed', hook: 'onReport', message });
    }
  }

  async function worker(): Promise<void> {
    while (synced < limit && !options.signal?.aborted && !registry.access.closing.aborted) {
      synced += 1;
      const due = await claimOne(registry);
      if (!due) {
        synced -= 1;
        return;
      }
      const key = `${due.schedule.connectionId}:${due.schedule.capability}`;
      if (seen.has(key)) {
        // Due again already, or still running: everybody else comes first. Given back when the round is over.
        again.push(due.schedule);
        synced -= 1;
        continue;
      }
      seen.add(key);
      const report = await syncOne(registry, due, options);
      if (!report) {
        synced -= 1;
        continue;
      }
      byStatus.set(report.status, (byStatus.get(report.status) ?? 0) + 1);
      tell(report);
    }
  }
  // All of them to their end: one that fails must not leave the others running behind the caller's back.
  const workers = await registry.access.track(Promise.allSettled(Array.from({ length: concurrency }, worker)));
  await giveBack(registry, again);
  for (const ended of workers) if (ended.status === 'rejected') throw ended.reason;
  return { synced, byStatus: Object.fromEntries(byStatus) };
}

async function claimOne(registry: AnyRegistry): Promise<DueSync | undefined> {
  const providers = registry
    .list()
    .filter(({ capabilities }) => INCREMENTAL_NAMES.some((name) => capabilities[name]))
    .map(({ id }) => id);
  const [due] = await registry.storage.claimDueConnections({ providers, limit: 1, claimMs: LEASE_MS });
  return due;
}

/** Ends claims that nothing came of, unless the schedule has changed since. */
async function giveBack(registry: AnyRegistry, schedules: readonly SyncSchedule[]): Promise<void> {
  for (const { connectionId, capability, dueAt } of schedules) {
    const current = await registry.storage.readSchedule(connectionId, capability);
    if (current && current.dueAt === dueAt) await registry.storage.putSchedule(current);
  }
}

async function syncOne(
  registry: AnyRegistry,
  { schedule, connection }: DueSync,
  options: SyncDueOptions,
): Promise<SyncReport | undefined> {
  const name = schedule.capability as IncrementalName;
  const capability = registry.list().find(({ id }) => id === connection.provider)?.capabilities[name];
  if (!capability) {
    // Planned by a release or a set-up that could do more: asked again tomorrow, not every minute.
    await registry.storage.putSchedule({ ...schedule, dueAt: registry.env.clock.now() + 86_400_000 });
    return undefined;
  }
  const { signal, maxPagesPerSync = 100 } = options;
  return runSync(registry, connection, name, capability, { signal, maxPages: maxPagesPerSync });
}

function checkConcurrency(concurrency: number): void {
  if (Number.isInteger(concurrency) && concurrency > 0) return;
  throw new McaError({
    code: 'invalid_data',
    reason: 'invalid_concurrency',
    message: 'concurrency must be a whole number above 0.',
  });
}
