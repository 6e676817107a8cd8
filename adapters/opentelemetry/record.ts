import type { McaEvent } from '@mca/core/adapter-kit';
import type { Instruments } from './instruments.ts';
import type { Attributes, Counter } from './meter.ts';

/** Where records go; `read` is their sum. */
const RESULTS = ['inserted', 'updated', 'unchanged', 'skipped', 'rejected'] as const;

/** Turns one event into measurements. */
export function record(to: Instruments, event: McaEvent): void {
  switch (event.type) {
    case 'request':
      to.requests.record(event.durationMs / 1_000, {
        'mca.provider': event.provider,
        ...(event.status !== undefined && { 'http.response.status_code': event.status }),
        ...errorOf(event.error?.code),
      });
      break;
    case 'request_waiting':
      to.waits.record(event.waitMs / 1_000, { 'mca.provider': event.provider, 'mca.wait.cause': event.cause });
      break;
    case 'token_refreshed':
      to.refreshes.add(1, { 'mca.provider': event.provider });
      break;
    case 'refresh_failed':
      to.refreshes.add(1, { 'mca.provider': event.provider, ...errorOf(event.code) });
      break;
    case 'sync_finished': {
      const of = { 'mca.provider': event.provider, 'mca.capability': event.capability };
      to.syncs.record(event.durationMs / 1_000, { ...of, 'mca.status': event.status, ...errorOf(event.error?.code) });
      addItems(to.syncItems, event.counts, of);
      break;
    }
    case 'sync_stuck':
      to.stuckSyncs.add(1, {
        'mca.provider': event.provider,
        'mca.capability': event.capability,
        ...errorOf(event.error.code),
      });
      break;
    case 'import_finished': {
      const of = { 'mca.provider': event.provider };
      const how = { 'mca.status': event.status, 'mca.import.dry_run': event.dryRun };
      to.imports.record(event.durationMs / 1_000, { ...of, ...how });
      // Of a dry run nothing went anywhere.
      if (!event.dryRun) addItems(to.importItems, event.counts, of);
      break;
    }
    case 'circuit_opened':
      to.openCircuits.add(1, { 'mca.provider': event.provider });
      break;
    case 'circuit_closed':
      to.openCircuits.add(-1, { 'mca.provider': event.provider });
      break;
    case 'coverage_gap':
      to.gaps.add(1, { 'mca.provider': event.provider, 'mca.capability': event.capability });
      break;
    case 'items_removed_upstream':
      to.removedUpstream.add(event.count, { 'mca.provider': event.provider, 'mca.capability': event.capability });
      break;
    case 'reauth_required':
      to.reauths.add(1, { 'mca.provider': event.provider, 'mca.reason': event.reason });
      break;
    case 'reauth_due':
      to.reauthsDue.add(1, { 'mca.provider': event.provider, 'mca.days_left': event.daysLeft });
      break;
    case 'scopes_missing':
      to.missingScopes.add(1, { 'mca.provider': event.provider, 'mca.capability': event.capability });
      break;
    case 'connected':
    case 'reconnected':
    case 'disconnected':
      to.connections.add(1, { 'mca.provider': event.provider, 'mca.change': event.type });
      break;
    case 'clock_skew':
      to.clockSkews.add(1, { 'mca.provider': event.provider });
      break;
    case 'hook_failed':
      to.hookFailures.add(1, { 'mca.hook': event.hook });
      break;
    // Progress is for bars: what it tells comes once more, whole, when the work is over.
    case 'sync_progress':
    case 'import_progress':
      break;
  }
}

function errorOf(code: string | undefined): Attributes {
  return code === undefined ? {} : { 'error.type': code };
}

function addItems(to: Counter, counts: Readonly<Record<(typeof RESULTS)[number], number>>, of: Attributes): void {
  for (const result of RESULTS) if (counts[result] > 0) to.add(counts[result], { ...of, 'mca.result': result });
}
