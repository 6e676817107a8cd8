import { assertScopes, openContext } from '../auth/connection-context.ts';
import { requireReauth } from '../auth/reauth.ts';
import type { ProviderContext } from '../contracts/capabilities/context.ts';
import type { CapabilityMap } from '../contracts/capabilities/index.ts';
import type { Connection } from '../contracts/connection.ts';
import { McaError } from '../contracts/errors.ts';
import type { SyncProgressEvent } from '../contracts/events.ts';
import type { UpdatePolicy } from '../contracts/storage/index.ts';
import type { SyncStatus } from '../contracts/sync.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { randomId } from '../runtime/env.ts';
import { type HeldLease, holdLease } from './sync-lease.ts';
import { type Position, readPosition } from './sync-position.ts';
import { outcomeOf, SyncLedger, type SyncReport } from './sync-report.ts';
import { DEFAULT_WAIT_MS, nextTurn } from './sync-schedule.ts';
import { type SyncJob, type Track, walk } from './sync-walk.ts';

/** Capabilities that are paged incrementally. */
export type IncrementalName = 'history' | 'library' | 'ratings';

/** Names of {@link IncrementalName}. */
export const INCREMENTAL_NAMES: readonly IncrementalName[] = ['history', 'library', 'ratings'];

/** How one sync is done. */
export interface SyncSettings {
  /** What the very first sync of a connection fetches. @default 'everything' */
  readonly first?: 'everything' | 'new' | undefined;
  /** Pages after which the sync ends although there is more; at most half of them are old history. @default no limit */
  readonly maxPages?: number | undefined;
  /** What happens to items stored already. @default 'replace': the service knows best */
  readonly updatePolicy?: UpdatePolicy | undefined;
  /** Stops between two pages; committed pages stay. */
  readonly signal?: AbortSignal | undefined;
  /** Called after every page; drives a progress bar. */
  readonly onProgress?: ((event: SyncProgressEvent) => void) | undefined;
}

/** Old history is fetched so many pages at a time; in between comes what is new. */
const BACKFILL_SLICE = 10;

/**
 * Syncs one capability of one connection: takes its lease, walks, logs, plans the next turn. Never throws for what a
 * service or a store does; that is in the report.
 */
export async function runSync(
  registry: AnyRegistry,
  connection: Connection,
  name: IncrementalName,
  capability: CapabilityMap[IncrementalName],
  settings: SyncSettings,
): Promise<SyncReport> {
  const startedAt = registry.env.clock.now();
  const base = { provider: connection.provider, connectionId: connection.id, capability: name };
  const skip = (more: Pick<SyncReport, 'reason' | 'notBefore'>): SyncReport => ({
    status: 'skipped',
    ...base,
    ...new SyncLedger().totals(),
    hasMore: false,
    ...more,
    durationMs: registry.env.clock.now() - startedAt,
  });
  if (connection.status !== 'active')
    return skip({ reason: connection.status === 'disconnected' ? 'not_connected' : connection.status });
  const schedule = await registry.storage.readSchedule(connection.id, name);
  if (schedule?.blocked && schedule.dueAt > startedAt)
    return skip({ reason: 'not_yet', notBefore: new Date(schedule.dueAt) });
  const lease = await holdLease(registry, `sync:${connection.id}:${name}`);
  if (!lease) return skip({ reason: 'already_running' });
  try {
    return await underLease(registry, { connection, name, capability, settings, lease, startedAt });
  } finally {
    await lease.release();
  }
}

interface Attempt {
  readonly connection: Connection;
  readonly name: IncrementalName;
  readonly capability: CapabilityMap[IncrementalName];
  readonly settings: SyncSettings;
  readonly lease: HeldLease;
  readonly startedAt: number;
}

async function underLease(registry: AnyRegistry, attempt: Attempt): Promise<SyncReport> {
  const { connection, name, settings, lease, startedAt } = attempt;
  const ledger = new SyncLedger();
  const signal = AbortSignal.any(
    [settings.signal, registry.access.closing, lease.lost].filter((each) => each !== undefined),
  );
  let stopped: McaError | undefined;
  let hasMore = true;
  try {
    assertScopes(connection, attempt.capability.scopes ?? []);
    const context = await openContext(registry, connection, signal);
    hasMore = await walkAll(registry, { ...attempt, ledger, signal, context });
  } catch (error) {
    stopped = asMcaError(error, connection.provider);
  }
  if (stopped?.code === 'auth_expired') await askBack(registry, connection, stopped);
  const { status, error } = outcomeOf(ledger, stopped, connection.provider);
  const waitMs = stopped?.code === 'rate_limit' ? (stopped.retryAfterMs ?? DEFAULT_WAIT_MS) : undefined;
  const report: SyncReport = {
    status,
    provider: connection.provider,
    connectionId: connection.id,
    capability: name,
    ...ledger.totals(),
    hasMore,
    ...(status === 'skipped' && { reason: 'rate_limited' }),
    ...(waitMs !== undefined && { notBefore: new Date(registry.env.clock.now() + waitMs) }),
    error,
    durationMs: registry.env.clock.now() - startedAt,
  };
  await conclude(registry, attempt, report, stopped);
  return report;
}

/** The service refused what was renewed as well: only the user can help. Told once; strategies may have told already. */
async function askBack(registry: AnyRegistry, { id }: Connection, stopped: McaError): Promise<void> {
  try {
    const [connection] = await registry.storage.listConnections({ id });
    if (connection?.status === 'active') await requireReauth(registry, connection, stopped.reason ?? 'rejected');
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    registry.env.logger.warn('could not note that a user has to connect again', { message });
  }
}

/** What is new first, then old history in slices with what is new in between. */
async function walkAll(
  registry: AnyRegistry,
  run: Attempt & { readonly ledger: SyncLedger; readonly signal: AbortSignal; readonly context: ProviderContext },
): Promise<boolean> {
  const { connection, name, capability, settings, ledger } = run;
  const maxPages = settings.maxPages ?? Number.POSITIVE_INFINITY;
  const recent: Track = { key: name, position: await startOf(registry, run) };
  const job: SyncJob = {
    registry,
    connection,
    name,
    capability,
    context: run.context,
    lease: run.lease,
    ledger,
    policy: settings.updatePolicy ?? 'replace',
    signal: run.signal,
    onPage: ({ total }) => tellProgress(registry, run, total),
  };
  const isWithinBudget = (): boolean => ledger.pages < maxPages;
  const { hasMore } = await walk(job, recent, isWithinBudget);
  const until = recent.position?.backfillUntil;
  if (hasMore || until === undefined) return hasMore;

  const { position } = await readPosition(registry, connection, `${name}:backfill`);
  if (position?.isDone) return false;
  const old: Track = { key: `${name}:backfill`, position, until };
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

/** Where the track of new items begins. */
async function startOf(
  registry: AnyRegistry,
  { connection, name, capability, settings }: Attempt,
): Promise<Position | undefined> {
  const { position, damaged } = await readPosition(registry, connection, name);
  if (damaged > 0)
    registry.env.logger.warn('passed over cursors that cannot be read', { provider: connection.provider, damaged });
  if (position) return position;
  const now = registry.env.clock.now();
  const told = connection.settings['mca.first'] === 'new' ? 'new' : 'everything';
  const first = settings.first ?? told;
  // Written down before anything is fetched: if this sync fails, the next one is still the first.
  if (first !== told)
    await registry.storage.updateConnection(connection.id, {
      settings: { ...connection.settings, 'mca.first': first },
    });
  if (first === 'new') return { highWater: now, floor: now, deepAt: now, opaque: '' };
  return capability.backfill ? { highWater: now, backfillUntil: now, opaque: '' } : undefined;
}

function tellProgress(
  registry: AnyRegistry,
  { connection, name, settings, ledger }: Attempt & { readonly ledger: SyncLedger },
  total: number | undefined,
): void {
  const event: SyncProgressEvent = {
    type: 'sync_progress',
    provider: connection.provider,
    connectionId: connection.id,
    userId: connection.userId,
    capability: name,
    counts: ledger.counts(),
    pages: ledger.pages,
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

/** Logs the sync and plans the next. What fails here must not hide how the sync ended. */
async function conclude(
  registry: AnyRegistry,
  attempt: Attempt,
  report: SyncReport,
  stopped: McaError | undefined,
): Promise<void> {
  const { connection, name, capability, lease, startedAt } = attempt;
  const { storage, env } = registry;
  const finishedAt = new Date(env.clock.now());
  const { status, counts, pages, gaps, error } = report;
  const told = error && { code: error.code, reason: error.reason, message: error.message };
  registry.emit({
    type: 'sync_finished',
    provider: connection.provider,
    connectionId: connection.id,
    userId: connection.userId,
    capability: name,
    status,
    counts,
    durationMs: report.durationMs,
    ...(told && { error: { code: told.code, reason: told.reason } }),
  });
  // Whoever took over plans the next turn.
  if (lease.lost.aborted) return;
  try {
    const id = randomId(env.random);
    await storage.appendSyncLog({
      id,
      connectionId: connection.id,
      capability: name,
      status,
      startedAt: new Date(startedAt),
      finishedAt,
      counts,
      pages,
      gaps,
      ...(told && { error: told }),
    });
    const before = await storage.readSchedule(connection.id, name);
    await storage.putSchedule(
      nextTurn({ connectionId: connection.id, capability: name, failures: before?.failures ?? 0 }, report, stopped, {
        now: finishedAt.getTime(),
        intervalMs: capability.intervalMs,
        random: env.random,
      }),
    );
    if (hasSucceeded(status)) await storage.updateConnection(connection.id, { lastSyncAt: finishedAt });
  } catch (error) {
    const { message } = asMcaError(error, connection.provider);
    env.logger.warn('could not note how a sync ended', { provider: connection.provider, message });
  }
}

function hasSucceeded(status: SyncStatus): boolean {
  return status === 'complete' || status === 'partial';
}

/** Anything a provider must not throw is a defect of the provider. */
export function asMcaError(error: unknown, provider: string): McaError {
  if (McaError.isInstance(error)) return error;
  return new McaError({
    code: 'plugin',
    reason: 'unexpected_error',
    provider,
    message: `The provider ${provider} threw an error it must not throw.`,
    hint: 'This is a defect of the provider; its `cause` says more.',
    cause: error,
  });
}
