import { assertScopes, openContext } from '../auth/connection-context.ts';
import { missingScopesOf, tellMissingScopes } from '../auth/missing-scopes.ts';
import { requireReauth } from '../auth/reauth.ts';
import type { CapabilityMap, IncrementalName } from '../contracts/capabilities/index.ts';
import type { Connection } from '../contracts/connection.ts';
import { McaError } from '../contracts/errors.ts';
import type { DueSync } from '../contracts/storage/index.ts';
import type { SyncSchedule, SyncStatus } from '../contracts/sync.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { randomId } from '../runtime/env.ts';
import { holdLease, keepLease } from './sync-lease.ts';
import { outcomeOf, SyncLedger, type SyncReport } from './sync-report.ts';
import { DEFAULT_WAIT_MS, FAILURES_TO_STUCK, nextTurn, waitOf } from './sync-schedule.ts';
import { type Attempt, checkWords, type SyncSettings, walkTracks } from './sync-tracks.ts';

/**
 * Syncs one capability of one connection: takes its lease, walks, logs, plans the next turn. Never throws for what a
 * service does; that is in the report.
 *
 * @param isTurnOnly - does nothing before its turn has come; otherwise only a wait that the service asked for is kept
 */
export async function runSync(
  registry: AnyRegistry,
  connection: Connection,
  name: IncrementalName,
  capability: CapabilityMap[IncrementalName],
  settings: SyncSettings,
  isTurnOnly = false,
): Promise<SyncReport> {
  checkWords(settings);
  const startedAt = registry.env.clock.now();
  const skip = (more: Pick<SyncReport, 'reason' | 'notBefore'>): SyncReport => ({
    status: 'skipped',
    provider: connection.provider,
    connectionId: connection.id,
    capability: name,
    ...new SyncLedger().totals(),
    hasMore: false,
    ...more,
    durationMs: registry.env.clock.now() - startedAt,
  });
  if (connection.status !== 'active')
    return skip({ reason: connection.status === 'disconnected' ? 'not_connected' : connection.status });
  const lease = await holdLease(registry, `sync:${connection.id}:${name}`);
  if (!lease) return skip({ reason: 'already_running' });
  try {
    // Under the lease: nobody moves the turn any more, and the store has told its time.
    const schedules = await registry.storage.readSchedules(connection.id);
    const own = schedules.find((schedule) => schedule.capability === name);
    const now = startedAt + lease.aheadMs;
    const notBefore = waitOf(schedules, now) ?? (isTurnOnly && own && own.dueAt > now ? own.dueAt : undefined);
    if (notBefore !== undefined) return skip({ reason: 'not_yet', notBefore: new Date(notBefore - lease.aheadMs) });
    const failures = own?.failures ?? 0;
    return await attemptSync(registry, { connection, name, capability, settings, lease, startedAt, failures });
  } finally {
    await lease.release();
  }
}

/** The same for a sync that was claimed, and with it its lease. */
export async function runClaimed(
  registry: AnyRegistry,
  { schedule, connection, lease: claimed }: DueSync,
  capability: CapabilityMap[IncrementalName],
  settings: SyncSettings,
): Promise<SyncReport> {
  const lease = keepLease(registry, claimed);
  try {
    return await attemptSync(registry, {
      connection,
      name: schedule.capability as IncrementalName,
      capability,
      settings,
      lease,
      startedAt: registry.env.clock.now(),
      failures: schedule.failures,
    });
  } finally {
    await lease.release();
  }
}

/** An attempt with the failures in a row before it. */
type PlannedAttempt = Attempt & Pick<SyncSchedule, 'failures'>;

async function attemptSync(registry: AnyRegistry, attempt: PlannedAttempt): Promise<SyncReport> {
  const { connection, name, settings, lease, startedAt } = attempt;
  const ledger = new SyncLedger();
  const signal = settings.signal ? AbortSignal.any([settings.signal, lease.lost]) : lease.lost;
  let stopped: McaError | undefined;
  let hasMore = true;
  try {
    tellMissingScopes(registry, connection, name, missingScopesOf(connection, attempt.capability.scopes));
    assertScopes(connection, attempt.capability.scopes);
    const context = await openContext(registry, connection, signal);
    // Its signal also fires when the registry closes.
    hasMore = await walkTracks(registry, { ...attempt, ledger, signal: context.signal, context });
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
  attempt: PlannedAttempt,
  report: SyncReport,
  stopped: McaError | undefined,
): Promise<void> {
  const { connection, name, capability, lease, startedAt, failures } = attempt;
  const { storage, env } = registry;
  const connectionId = connection.id;
  const now = env.clock.now();
  const { status, counts, pages, gaps, error } = report;
  const told = error && { code: error.code, reason: error.reason, message: error.message };
  registry.emit({
    type: 'sync_finished',
    provider: connection.provider,
    connectionId,
    userId: connection.userId,
    capability: name,
    status,
    counts,
    durationMs: report.durationMs,
    ...(told && { error: { code: told.code, reason: told.reason } }),
  });
  // Whoever took over plans the next turn.
  if (lease.lost.aborted) return;
  const finishedAt = new Date(now);
  const ended = { connectionId, capability: name, status, startedAt: new Date(startedAt), finishedAt };
  const log = { id: randomId(env.random), ...ended, counts, pages, gaps, ...(told && { error: told }) };
  const { intervalMs } = capability;
  const before = { connectionId, capability: name, failures };
  const turn = nextTurn(before, report, stopped, { now: now + lease.aheadMs, intervalMs, random: env.random });
  try {
    if (told && turn.failures === FAILURES_TO_STUCK) {
      const { provider, userId } = connection;
      registry.emit({
        type: 'sync_stuck',
        provider,
        connectionId,
        userId,
        capability: name,
        error: { code: told.code, reason: told.reason },
      });
    }
    await lease.releaseWith((current) =>
      storage.concludeSync({
        lease: current,
        log,
        schedules: [turn],
        ...(hasSucceeded(status) && { lastSyncAt: finishedAt }),
      }),
    );
  } catch (failure) {
    const { message } = asMcaError(failure, connection.provider);
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
