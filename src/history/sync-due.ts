import { INCREMENTAL_NAMES, type IncrementalName } from '../contracts/capabilities/index.ts';
import { McaError } from '../contracts/errors.ts';
import type { DueSync } from '../contracts/storage/index.ts';
import type { SyncSchedule } from '../contracts/sync.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { randomId } from '../runtime/env.ts';
import { dropLease, LEASE_MS } from './sync-lease.ts';
import type { SyncReport } from './sync-report.ts';
import { runClaimed } from './sync-run.ts';
import { checkWords, type SyncSettings } from './sync-tracks.ts';

/** How due syncs are worked off. */
export interface SyncDueOptions {
  /** Syncs at once. @default 4 */
  readonly concurrency?: number | undefined;
  /** Syncs after which the call ends although more are due. @default no limit */
  readonly limit?: number | undefined;
  /** Pages per sync, so that one long history does not hold up everybody else. @default 100 */
  readonly maxPagesPerSync?: number | undefined;
  /** What happens to items that the service no longer has; see {@link SyncSettings.removedUpstream}. @default 'report' */
  readonly removedUpstream?: SyncSettings['removedUpstream'];
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
  checkWords({ removedUpstream: options.removedUpstream });
  await registry.ready();
  const byStatus = new Map<SyncReport['status'], number>();
  const seen = new Set<string>();
  const again: DueSync[] = [];
  const claims = new Claims(registry);
  let synced = 0;

  async function worker(): Promise<void> {
    while (synced < limit && !options.signal?.aborted && !registry.access.closing.aborted) {
      synced += 1;
      const due = await claims.next();
      if (!due) {
        synced -= 1;
        return;
      }
      const key = `${due.schedule.connectionId}:${due.schedule.capability}`;
      if (seen.has(key)) {
        // Due again already: everybody else comes first. Given back when the round is over.
        again.push(due);
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
      tellReport(registry, report, options.onReport);
    }
  }
  // All of them to their end: one that fails must not leave the others running behind the caller's back.
  const workers = await registry.access.track(Promise.allSettled(Array.from({ length: concurrency }, worker)));
  for (const { lease } of again) await dropLease(registry, lease);
  for (const ended of workers) if (ended.status === 'rejected') throw ended.reason;
  return { synced, byStatus: Object.fromEntries(byStatus) };
}

/** Ids of the providers that have something to sync. */
export function providersThatSync(registry: AnyRegistry): readonly string[] {
  const able = registry.list().filter(({ capabilities }) => INCREMENTAL_NAMES.some((name) => capabilities[name]));
  return able.map(({ id }) => id);
}

/** Tells a hook of the host, whose failure must not be ours. */
export function tellReport(
  registry: AnyRegistry,
  report: SyncReport,
  onReport: ((report: SyncReport) => void) | undefined,
): void {
  try {
    onReport?.(report);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    registry.emit({ type: 'hook_failed', hook: 'onReport', message });
  }
}

/** Claims for all who ask while a claim is under way at once. */
class Claims {
  readonly #registry: AnyRegistry;
  readonly #owner: string;
  #asking: ReturnType<typeof Promise.withResolvers<DueSync | undefined>>[] = [];
  #isClaiming = false;

  constructor(registry: AnyRegistry) {
    this.#registry = registry;
    this.#owner = randomId(registry.env.random);
  }

  /** The next sync that is due, or `undefined` when there is none. */
  next(): Promise<DueSync | undefined> {
    const asked = Promise.withResolvers<DueSync | undefined>();
    this.#asking.push(asked);
    if (!this.#isClaiming) void this.#serve();
    return asked.promise;
  }

  async #serve(): Promise<void> {
    this.#isClaiming = true;
    // Whoever asks in the same breath is served together.
    await Promise.resolve();
    while (this.#asking.length > 0) {
      const asking = this.#asking.splice(0);
      try {
        const due = await this.#claim(asking.length);
        for (const [index, { resolve }] of asking.entries()) resolve(due[index]);
      } catch (error) {
        for (const { reject } of asking) reject(error);
      }
    }
    this.#isClaiming = false;
  }

  #claim(limit: number): Promise<readonly DueSync[]> {
    const providers = providersThatSync(this.#registry);
    return this.#registry.storage.claimDueConnections({ providers, limit, owner: this.#owner, ttlMs: LEASE_MS });
  }
}

async function syncOne(registry: AnyRegistry, due: DueSync, options: SyncDueOptions): Promise<SyncReport | undefined> {
  const { schedule, connection, lease } = due;
  const capabilities = registry.list().find(({ id }) => id === connection.provider)?.capabilities;
  const capability = capabilities?.[schedule.capability as IncrementalName];
  if (!capability) {
    try {
      await postponeUnknown(registry, schedule);
    } finally {
      await dropLease(registry, lease);
    }
    return undefined;
  }
  const { signal, maxPagesPerSync = 100, removedUpstream } = options;
  return runClaimed(registry, due, capability, { signal, maxPages: maxPagesPerSync, removedUpstream });
}

/** What was planned by a release or a set-up that could do more: looked at again tomorrow, not every minute. */
export async function postponeUnknown(
  registry: AnyRegistry,
  { connectionId, capability, failures }: Omit<SyncSchedule, 'dueAt' | 'blocked'>,
): Promise<void> {
  const dueAt = registry.env.clock.now() + 86_400_000;
  // Not blocked: nobody has to wait for what nobody does.
  await registry.storage.putSchedule({ connectionId, capability, dueAt, blocked: false, failures });
}

function checkConcurrency(concurrency: number): void {
  if (Number.isInteger(concurrency) && concurrency > 0) return;
  throw new McaError({
    code: 'invalid_data',
    reason: 'invalid_concurrency',
    message: 'concurrency must be a whole number above 0.',
  });
}
