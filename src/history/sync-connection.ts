import { INCREMENTAL_NAMES } from '../contracts/capabilities/index.ts';
import { McaError } from '../contracts/errors.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { findProvider } from '../registry/find-provider.ts';
import { type OwnConnection, ownConnection } from './manage-connections.ts';
import { checkMaxPages } from './sync-history.ts';
import type { SyncReport } from './sync-report.ts';
import { runSync } from './sync-run.ts';
import type { SyncSettings } from './sync-tracks.ts';

/** Which connection to sync, and how. `maxPages` is for each capability. */
export interface SyncConnectionOptions extends SyncSettings, OwnConnection {}

/**
 * Brings home all that a connection has, one capability after the other: what a button that says "Sync now" does. Like
 * `syncHistory`, `syncLibrary` and `syncRatings` in a row, for a connection whose provider the compiler does not know.
 *
 * @returns a report for each capability that its provider syncs, in the order history, library, ratings
 * @throws McaError only for mistakes of the host: `not_found` when the user has no such connection or its provider is not
 * registered, `unsupported` `nothing_to_sync` for a connection of files, `invalid_data` for bad options
 * @example
 * ```ts
 * for (const { capability, status, counts } of await syncConnection(registry, { userId: 'ana', connectionId })) {
 *   console.info(capability, status, `${counts.inserted} new`);
 * }
 * ```
 */
export async function syncConnection(
  registry: AnyRegistry,
  { userId, connectionId, ...settings }: SyncConnectionOptions,
): Promise<readonly SyncReport[]> {
  checkMaxPages(settings.maxPages);
  const found = await ownConnection(registry, { userId, connectionId });
  const { kind, provider } = found;
  const { name: providerName, capabilities } = findProvider(registry.list(), provider);
  const reports: SyncReport[] = [];
  for (const name of kind === 'api' ? INCREMENTAL_NAMES : []) {
    const capability = capabilities[name];
    if (!capability) continue;
    // What the capability before has found out holds for this one, too. The store is not asked: whatever happened to the
    // connection meanwhile, what came home so far is told.
    const isRefused = reports.some(({ error }) => error?.code === 'auth_expired');
    const connection = isRefused ? ({ ...found, status: 'needs_reauth' } as const) : found;
    reports.push(await registry.access.track(runSync(registry, connection, name, capability, settings)));
  }
  if (reports.length > 0) return reports;
  throw new McaError({
    code: 'unsupported',
    reason: 'nothing_to_sync',
    provider,
    message: `There is nothing to sync in this connection of ${providerName}.`,
    hint: 'Connections of files grow by importFile.',
  });
}
