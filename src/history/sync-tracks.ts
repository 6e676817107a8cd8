import type { ProviderContext } from '../contracts/capabilities/context.ts';
import type { CapabilityMap, IncrementalName } from '../contracts/capabilities/index.ts';
import type { Connection } from '../contracts/connection.ts';
import type { SyncProgressEvent } from '../contracts/events.ts';
import type { UpdatePolicy } from '../contracts/storage/index.ts';
import { checkOneOf, FIRST_SYNCS, UPDATE_POLICIES } from '../registry/check-one-of.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { newTrail } from './next-page.ts';
import type { HeldLease } from './sync-lease.ts';
import type { SyncLedger } from './sync-report.ts';
import { backfillKey, startsOf } from './sync-start.ts';
import { type SyncJob, type Track, walk } from './sync-walk.ts';

/** How one sync is done. */
export interface SyncSettings {
  /**
   * What the very first sync of a connection fetches: everything, or what happened since the account was connected.
   *
   * @default 'everything', or what was said when the account was connected
   */
  readonly firstSync?: 'everything' | 'new' | undefined;
  /**
   * Walks through all there is once more, for what a service told of years late. Nothing stored is lost or doubled. Asked
   * for once: while `hasMore` is true, syncs without it go on.
   */
  readonly again?: 'everything' | undefined;
  /** Pages after which the sync ends although there is more; at most half of them are old history. @default no limit */
  readonly maxPages?: number | undefined;
  /** What happens to items stored already. @default 'replace': the service knows best */
  readonly updatePolicy?: UpdatePolicy | undefined;
  /**
   * What happens to stored items of this connection that the service no longer has, where it tells: they are reported
   * (`removedUpstream` of the report, event `items_removed_upstream`), or reported and deleted as `deleteItem` does.
   *
   * Deleted is for good: the very same event, with the same time, stays away also when the user adds it again. With another
   * time it is another event, and comes. What has no time in its name (ratings, plays without a date) could never come
   * back, so it is kept: `would_not_return`. When of more than 20 items over half are gone at once, none is deleted:
   * `implausible`.
   *
   * @default 'report'
   */
  readonly removedUpstream?: 'report' | 'delete' | undefined;
  /** Stops between two pages; committed pages stay. */
  readonly signal?: AbortSignal | undefined;
  /** Called after every page; drives a progress bar. */
  readonly onProgress?: ((event: SyncProgressEvent) => void) | undefined;
}

/** Words of {@link SyncSettings}, for hosts without a compiler. @throws McaError `invalid_data` `unknown_value` */
export function checkWords(settings: SyncSettings): void {
  const { firstSync, again, updatePolicy, removedUpstream } = settings;
  if (firstSync !== undefined) checkOneOf(firstSync, FIRST_SYNCS, 'firstSync');
  if (again !== undefined) checkOneOf(again, ['everything'], 'again');
  if (updatePolicy !== undefined) checkOneOf(updatePolicy, UPDATE_POLICIES, 'updatePolicy');
  if (removedUpstream !== undefined) checkOneOf(removedUpstream, ['report', 'delete'], 'removedUpstream');
}

/** One sync under its lease. */
export interface Attempt {
  readonly connection: Connection;
  readonly name: IncrementalName;
  readonly capability: CapabilityMap[IncrementalName];
  readonly settings: SyncSettings;
  readonly lease: HeldLease;
  readonly startedAt: number;
}

/** An attempt that has come as far as asking the service. */
export interface OpenAttempt extends Attempt {
  readonly ledger: SyncLedger;
  readonly signal: AbortSignal;
  readonly context: ProviderContext;
}

/** Old history is fetched so many pages at a time; in between comes what is new. */
const BACKFILL_SLICE = 10;

/** What is new first, then old history in slices with what is new in between. */
export async function walkTracks(registry: AnyRegistry, run: OpenAttempt): Promise<boolean> {
  const { connection, name, capability, settings, ledger } = run;
  const maxPages = settings.maxPages ?? Number.POSITIVE_INFINITY;
  const starts = await startsOf(registry, run);
  const recent: Track = { key: name, position: starts.recent, trail: newTrail() };
  const job: SyncJob = {
    registry,
    connection,
    name,
    capability,
    context: run.context,
    lease: run.lease,
    ledger,
    policy: settings.updatePolicy ?? 'replace',
    removedUpstream: settings.removedUpstream ?? 'report',
    signal: run.signal,
    onPage: (page) => tellProgress(registry, run, page),
  };
  const isWithinBudget = (): boolean => ledger.pages < maxPages;
  const { hasMore } = await walk(job, recent, isWithinBudget);
  if (hasMore || !starts.old) return hasMore;

  const old: Track = { key: backfillKey(name), ...starts.old, trail: newTrail() };
  let oldPages = 0;
  for (;;) {
    // One page at least, or a budget that what is new uses up would keep old history away for ever.
    if (oldPages > 0 && (oldPages >= maxPages / 2 || !isWithinBudget())) return true;
    let slice = 0;
    const mayGoOn = (): boolean => {
      slice += 1;
      oldPages += 1;
      return slice < BACKFILL_SLICE && oldPages < maxPages / 2 && isWithinBudget();
    };
    const { hasMore: hasOlder } = await walk(job, old, mayGoOn);
    if (!hasOlder) return false;
    if (isWithinBudget()) await walk(job, recent, isWithinBudget);
  }
}

function tellProgress(
  registry: AnyRegistry,
  { connection, name, settings, ledger }: Attempt & { readonly ledger: SyncLedger },
  { total, walk }: Parameters<SyncJob['onPage']>[0],
): void {
  const event: SyncProgressEvent = {
    type: 'sync_progress',
    provider: connection.provider,
    connectionId: connection.id,
    userId: connection.userId,
    capability: name,
    counts: ledger.counts(),
    pages: ledger.pages,
    walk,
    ...(total === undefined ? {} : { total }),
  };
  registry.emit(event);
  try {
    settings.onProgress?.(event);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    registry.emit({ type: 'hook_failed', hook: 'onProgress', message });
  }
}
