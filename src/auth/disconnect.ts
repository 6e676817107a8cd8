import type { Connection } from '../contracts/connection.ts';
import { McaError } from '../contracts/errors.ts';
import { checkUserId } from '../registry/check-user-id.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { openContext } from './connection-context.ts';
import type { OAuthTokens } from './credentials.ts';
import { atConnection, requireReauth } from './reauth.ts';
import { providerOf, strategyOf } from './strategies.ts';
import { TokenEndpoint } from './token-endpoint.ts';
import { deleteCredentials, vaultOf } from './vault.ts';

const REVOKE_MS = 5_000;

/** Which connection of which user. */
export interface ConnectionRef {
  readonly userId: string;
  readonly connectionId: string;
}

/** What {@link disconnect} did. */
export interface DisconnectReport {
  /** Whether the service forgot the tokens too; `unsupported` when it offers no way to ask for that. */
  readonly remoteRevoked: boolean | 'unsupported';
}

/**
 * Ends a connection: the service is asked to forget the tokens (5 seconds, one try), ours are deleted whatever it
 * says. Items stay until erased.
 *
 * @throws McaError `not_found` when the user has no such connection
 * @example
 * ```ts
 * const { remoteRevoked } = await disconnect(registry, { userId: 'ana', connectionId });
 * ```
 */
export async function disconnect(registry: AnyRegistry, ref: ConnectionRef): Promise<DisconnectReport> {
  const connection = await findConnection(registry, ref);
  let remoteRevoked: DisconnectReport['remoteRevoked'] = 'unsupported';
  try {
    remoteRevoked = await revoke(registry, connection);
  } finally {
    await deleteCredentials(registry, connection.id);
  }
  await registry.storage.updateConnection(connection.id, {
    status: 'disconnected',
    statusReason: null,
    grantedScopes: [],
    authorizedAt: null,
    authorizationExpiresAt: null,
  });
  registry.emit({ type: 'disconnected', ...atConnection(connection), missingScopes: [] });
  return { remoteRevoked };
}

async function revoke(registry: AnyRegistry, connection: Connection): Promise<DisconnectReport['remoteRevoked']> {
  const { env } = registry;
  const provider = registry.list().find(({ id }) => id === connection.provider);
  if (!provider?.auth.some((each) => 'revocationEndpoint' in each && each.revocationEndpoint)) return 'unsupported';
  const controller = new AbortController();
  const stopTimer = env.timers.after(REVOKE_MS, () => controller.abort());
  try {
    const stored = await vaultOf(registry).read(connection);
    if (stored?.credentials.kind !== 'oauth') return 'unsupported';
    const tokens: OAuthTokens = stored.credentials;
    const strategy = strategyOf(provider, tokens.strategy);
    if (!strategy.revocationEndpoint) return 'unsupported';
    const endpoint = new TokenEndpoint(registry, provider, strategy, controller.signal);
    // With the refresh token go the access tokens that came of it; the other way round need not be.
    const refreshToken = strategy.revokes === 'access-token' ? undefined : tokens.refreshToken;
    await endpoint.revoke(refreshToken ?? tokens.accessToken);
    return true;
  } catch (error) {
    const reason = McaError.isInstance(error) ? error.reason : undefined;
    env.logger.warn('Tokens could not be revoked at the service.', { provider: provider.id, reason });
    return false;
  } finally {
    stopTimer();
  }
}

/** What {@link connectionStatus} tells. */
export interface ConnectionReport {
  readonly connection: Connection;
  /** What the service said just now; absent when it was not asked, or cannot be. */
  readonly valid?: boolean | undefined;
}

/**
 * How a connection is. With `check` the service is asked whether the key is still good, and a refusal is remembered.
 *
 * @throws McaError `not_found` when the user has no such connection; with `check` also `upstream` and `rate_limit`
 * @example
 * ```ts
 * const { connection, valid } = await connectionStatus(registry, { userId: 'ana', connectionId, check: true });
 * if (connection.status === 'needs_reauth' || valid === false) askToConnectAgain();
 * ```
 */
export async function connectionStatus(
  registry: AnyRegistry,
  options: ConnectionRef & { readonly check?: boolean | undefined; readonly signal?: AbortSignal | undefined },
): Promise<ConnectionReport> {
  const connection = await findConnection(registry, options);
  const sessionCheck = options.check ? providerOf(registry, connection.provider).capabilities.sessionCheck : undefined;
  if (!sessionCheck) return { connection };
  const valid = await isValid(registry, connection, sessionCheck, options.signal ?? new AbortController().signal);
  return { connection: await findConnection(registry, options), valid };
}

async function isValid(
  registry: AnyRegistry,
  connection: Connection,
  sessionCheck: { check(context: Awaited<ReturnType<typeof openContext>>): Promise<{ readonly valid: boolean }> },
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const { valid } = await sessionCheck.check(await openContext(registry, connection, signal));
    if (!valid) await requireReauth(registry, connection, 'rejected');
    return valid;
  } catch (error) {
    if (McaError.isInstance(error) && error.code === 'auth_expired') return false;
    throw error;
  }
}

async function findConnection(registry: AnyRegistry, { userId, connectionId }: ConnectionRef): Promise<Connection> {
  checkUserId(userId);
  await registry.ready();
  const [connection] = await registry.storage.listConnections({ userId, id: connectionId });
  if (connection) return connection;
  throw new McaError({
    code: 'not_found',
    reason: 'connection_unknown',
    message: 'The user has no such connection.',
    hint: 'See listConnections.',
  });
}
