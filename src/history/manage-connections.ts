import type { Connection } from '../contracts/connection.ts';
import { McaError } from '../contracts/errors.ts';
import type { ConnectionPatch } from '../contracts/storage/index.ts';
import type { SyncLogEntry } from '../contracts/sync.ts';
import { checkOneOf, FIRST_SYNCS } from '../registry/check-one-of.ts';
import { checkUserId } from '../registry/check-user-id.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { withFirstSync } from '../registry/first-sync.ts';
import { checkLimit } from './read-filter.ts';

/** Which connection of a user. */
export interface OwnConnection {
  readonly userId: string;
  readonly connectionId: string;
}

/** What a host may change about a connection. */
export interface ConnectionChange extends OwnConnection {
  /** `false` switches syncs off until it is switched on again; credentials are kept. */
  readonly enabled?: boolean | undefined;
  /** What the very first sync fetches, when it is the scheduler that does it. @default 'everything' */
  readonly firstSync?: 'everything' | 'new' | undefined;
}

/**
 * Switches a connection off or on, or says how its first sync begins.
 *
 * @throws McaError `not_found` when the user has no such connection; `invalid_data` `cannot_enable` for one that only its
 * user can bring back
 * @example
 * ```ts
 * await updateConnection(registry, { userId: 'ana', connectionId: connection.id, enabled: false });
 * ```
 */
export async function updateConnection(registry: AnyRegistry, change: ConnectionChange): Promise<Connection> {
  const { enabled, firstSync } = change;
  if (firstSync !== undefined) checkOneOf(firstSync, FIRST_SYNCS, 'firstSync');
  const connection = await ownConnection(registry, change);
  const { status, settings } = connection;
  if (enabled === true && status !== 'active' && status !== 'disabled') {
    throw new McaError({
      code: 'invalid_data',
      reason: 'cannot_enable',
      provider: connection.provider,
      message: `The connection is ${status}.`,
      hint: 'The user has to connect again: beginConnect.',
    });
  }
  const mayDisable = status === 'active';
  const patch: ConnectionPatch = {
    ...(enabled === true && { status: 'active', statusReason: null }),
    ...(enabled === false && mayDisable && { status: 'disabled', statusReason: 'by_host' }),
    ...(firstSync !== undefined && { settings: withFirstSync(settings, firstSync) }),
  };
  return (await registry.storage.updateConnection(connection.id, patch)) ?? connection;
}

/**
 * What became of a connection's syncs, newest first: at most the last 100 of each capability.
 *
 * @throws McaError `not_found` when the user has no such connection
 */
export async function listSyncLog(
  registry: AnyRegistry,
  request: OwnConnection & { readonly capability?: string | undefined; readonly limit?: number | undefined },
): Promise<readonly SyncLogEntry[]> {
  const { connectionId, capability, limit = 20 } = request;
  checkLimit(limit, 300);
  await ownConnection(registry, request);
  return registry.storage.listSyncLog({ connectionId, capability, limit });
}

/** @throws McaError `not_found` for a connection that is not the user's. */
export async function ownConnection(
  registry: AnyRegistry,
  { userId, connectionId }: OwnConnection,
): Promise<Connection> {
  checkUserId(userId);
  await registry.ready();
  const [connection] = await registry.storage.listConnections({ userId, id: connectionId });
  if (connection) return connection;
  throw new McaError({
    code: 'not_found',
    reason: 'connection_unknown',
    message: `The user has no connection ${connectionId}.`,
    hint: 'See listConnections.',
  });
}
