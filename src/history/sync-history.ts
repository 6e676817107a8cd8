import { connectionOf } from '../auth/connection-of.ts';
import type { IncrementalName } from '../contracts/capabilities/index.ts';
import { McaError } from '../contracts/errors.ts';
import type { AnyProvider, ProviderIdWith } from '../contracts/provider.ts';
import { checkUserId } from '../registry/check-user-id.ts';
import { type AnyRegistry, capabilityOf, type Registry } from '../registry/create-registry.ts';
import { SyncLedger, type SyncReport } from './sync-report.ts';
import { runSync } from './sync-run.ts';
import { checkWords, type SyncSettings } from './sync-tracks.ts';

/** What to sync, for whom, and how. */
export interface SyncOptions<Id extends string> extends SyncSettings {
  readonly userId: string;
  readonly provider: Id;
  /** Which connection, where the user has several accounts of the provider. @default the only one */
  readonly connectionId?: string | undefined;
}

/**
 * Brings home what a user consumed since the last sync; the first time, everything the service has.
 *
 * One page is one transaction. A process that is killed loses nothing: the next sync goes on after the last committed
 * page. Two workers never sync one connection at once. A user who has not connected the provider gets a report that says
 * `skipped`, not an error.
 *
 * @returns what was read and stored, and what stopped it if anything did; see {@link SyncReport}
 * @throws McaError only for mistakes of the host: `not_found` for an unknown provider, `unsupported` when it has no
 * history, `invalid_data` for bad options
 * @example
 * ```ts
 * const report = await syncHistory(registry, { userId: 'ana', provider: 'spotify' });
 * if (report.status === 'partial') console.info('goes on next time', report.error?.reason);
 * ```
 */
export function syncHistory<const P extends readonly AnyProvider[], Id extends ProviderIdWith<P, 'history'>>(
  registry: Registry<P>,
  options: SyncOptions<Id>,
): Promise<SyncReport> {
  return sync(registry, 'history', options);
}

/** Brings home what a user liked and saved. Like {@link syncHistory}, with a position and a lease of its own. */
export function syncLibrary<const P extends readonly AnyProvider[], Id extends ProviderIdWith<P, 'library'>>(
  registry: Registry<P>,
  options: SyncOptions<Id>,
): Promise<SyncReport> {
  return sync(registry, 'library', options);
}

/** Brings home what a user rated. Like {@link syncHistory}, with a position and a lease of its own. */
export function syncRatings<const P extends readonly AnyProvider[], Id extends ProviderIdWith<P, 'ratings'>>(
  registry: Registry<P>,
  options: SyncOptions<Id>,
): Promise<SyncReport> {
  return sync(registry, 'ratings', options);
}

async function sync(registry: AnyRegistry, name: IncrementalName, options: SyncOptions<string>): Promise<SyncReport> {
  checkUserId(options.userId);
  checkMaxPages(options.maxPages);
  checkWords(options);
  const capability = capabilityOf(registry, options.provider, name);
  await registry.ready();
  const connection = await connectionOf(registry, options);
  if (!connection) {
    const { provider } = options;
    const nothing = { ...new SyncLedger().totals(), hasMore: false, durationMs: 0 };
    return { status: 'skipped', reason: 'not_connected', provider, capability: name, ...nothing };
  }
  return registry.access.track(runSync(registry, connection, name, capability, options));
}

/** @throws McaError `invalid_data` `invalid_max_pages` */
export function checkMaxPages(maxPages: number | undefined): void {
  if (maxPages === undefined || maxPages === Number.POSITIVE_INFINITY || (Number.isInteger(maxPages) && maxPages > 0))
    return;
  throw new McaError({
    code: 'invalid_data',
    reason: 'invalid_max_pages',
    message: 'maxPages must be a whole number above 0.',
    hint: 'Leave it out to sync everything there is.',
  });
}
