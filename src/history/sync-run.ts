import { assertScopes, openContext } from '../auth/connection-context.ts';
import { requireReauth } from '../auth/reauth.ts';
import type { CapabilityMap, IncrementalName } from '../contracts/capabilities/index.ts';
import type { Connection } from '../contracts/connection.ts';
import { McaError } from '../contracts/errors.ts';
import type { SyncStatus } from '../contracts/sync.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { randomId } from '../runtime/env.ts';
import { holdLease } from './sync-lease.ts';
import { outcomeOf, SyncLedger, type SyncReport } from './sync-report.ts';
import { DEFAULT_WAIT_MS, nextTurn } from './sync-schedule.ts';
import { type Attempt, type SyncSettings, walkTracks } from './sync-tracks.ts';

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
    hasMore = await walkTracks(registry, { ...attempt, ledger, signal, context });
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
