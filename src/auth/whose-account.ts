import type { AuthStrategy } from '../contracts/auth.ts';
import type { Connection } from '../contracts/connection.ts';
import { McaError } from '../contracts/errors.ts';
import type { AnyProvider } from '../contracts/provider.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';

/** Who connects what, and which connection again, if any. */
export interface Connecting {
  readonly userId: string;
  readonly provider: AnyProvider;
  readonly connectionId?: string | undefined;
}

/**
 * The connection that is to be connected again; `undefined` when none was named.
 *
 * @throws McaError `not_found` `connection_unknown` when the user has no such connection with the provider
 */
export async function connectionToRenew(
  registry: AnyRegistry,
  { userId, provider, connectionId }: Connecting,
): Promise<Connection | undefined> {
  if (connectionId === undefined) return undefined;
  const found = await registry.storage.listConnections({ id: connectionId, userId, provider: provider.id });
  const connection = found.find(({ kind }) => kind === 'api');
  if (connection) return connection;
  throw new McaError({
    code: 'not_found',
    reason: 'connection_unknown',
    provider: provider.id,
    message: `The user has no such connection with ${provider.name}.`,
    hint: 'See listConnections.',
  });
}

/** Setting that says whose a connection turned out to be that was made before anybody knew. */
const ACCOUNT_SETTING = 'mca.account';

function ownAccount({ account, settings }: Connection): string {
  const told = settings[ACCOUNT_SETTING];
  return account === '' && typeof told === 'string' ? told : account;
}

/** Settings that remember whose the connection is, where its account does not say. */
export function withAccount({ account: own, settings }: Connection, account: string): Connection['settings'] {
  return own === '' ? { ...settings, [ACCOUNT_SETTING]: account } : settings;
}

/**
 * Refuses credentials of one account for the connection of another. `account` is empty when nobody says whose they are;
 * then the host is believed, which named the connection.
 *
 * @throws McaError `invalid_data` `account_mismatch`
 */
export async function checkSameAccount(registry: AnyRegistry, connection: Connection, account: string): Promise<void> {
  const { id, userId, provider } = connection;
  const own = ownAccount(connection);
  if (account === '' || account === own) return;
  // Connected before anybody said whose it is: it may be this account's, unless that has a connection of its own.
  const others = own === '' ? await registry.storage.listConnections({ userId, provider }) : undefined;
  if (others && !others.some((other) => other.id !== id && other.kind === 'api' && other.account === account)) return;
  throw new McaError({
    code: 'invalid_data',
    reason: 'account_mismatch',
    provider,
    message: 'The user logged in with another account than that of the connection. Nothing was changed.',
    hint: 'Let the user log in with the account of the connection, or leave connectionId out to add the other account.',
  });
}

/**
 * Refuses a flow that could only end with {@link accountUnknown}, before the user is sent anywhere.
 *
 * @throws McaError `invalid_data` `account_unknown`
 */
export async function checkRoom(
  registry: AnyRegistry,
  { userId, provider }: Connecting,
  strategy: AuthStrategy,
): Promise<void> {
  const mayNotSay = strategy.type === 'oauth2' || strategy.type === 'device-code' || strategy.type === 'form';
  if (!mayNotSay || provider.capabilities.sessionCheck) return;
  const connections = await registry.storage.listConnections({ userId, provider: provider.id });
  const nameless = connections.find(({ kind, account }) => kind === 'api' && account === '');
  if (nameless && isInUse(nameless) && (await registry.credentials?.get(nameless.id))) throw accountUnknown(provider);
}

/** Whether credentials of the connection are good, as far as we know, so that they must not be replaced unasked. */
export function isInUse({ status }: Connection): boolean {
  return status === 'active' || status === 'disabled';
}

/** Nobody says whose the credentials are, and the connection they would go to works with others. */
export function accountUnknown(provider: AnyProvider): McaError {
  return new McaError({
    code: 'invalid_data',
    reason: 'account_unknown',
    provider: provider.id,
    message: `The user is connected already, and ${provider.name} does not say whose account this is.`,
    hint: 'Pass connectionId to connect it again, or account to add another.',
  });
}
