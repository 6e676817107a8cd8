import type { ProviderContext } from '../contracts/capabilities/context.ts';
import { INCREMENTAL_NAMES, type SessionCheck } from '../contracts/capabilities/index.ts';
import type { Connection } from '../contracts/connection.ts';
import { McaError } from '../contracts/errors.ts';
import type { AnyProvider } from '../contracts/provider.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { type FirstSync, withFirstSync } from '../registry/first-sync.ts';
import { randomId } from '../runtime/env.ts';
import { rejected } from './authoriser.ts';
import type { ConnectedStep } from './connect-steps.ts';
import { openTrialContext } from './connection-context.ts';
import type { StoredCredentials } from './credentials.ts';
import { atConnection } from './reauth.ts';
import { deleteCredentials, forgetOpened, vaultOf } from './vault.ts';
import { accountUnknown, checkSameAccount, connectionToRenew, isInUse, withAccount } from './whose-account.ts';

/** A user who has just proved who they are at a service. */
export interface Established {
  readonly userId: string;
  readonly provider: AnyProvider;
  /** Absent for services without logins. */
  readonly credentials: StoredCredentials | undefined;
  /** What was asked for. */
  readonly scopes: readonly string[];
  /** As far as known before the service is asked; empty when nobody said. */
  readonly account: string;
  /** The connection to connect again, where one was named. */
  readonly connectionId?: string | undefined;
  readonly firstSync?: FirstSync | undefined;
  readonly label?: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Makes a connection of credentials, or gives new ones to the connection this account has already. New ones of the same
 * account always win: the user just agreed.
 *
 * @throws McaError `invalid_data` `account_mismatch` or `account_unknown` rather than give a connection the credentials
 *   of somebody else
 */
export async function establish(registry: AnyRegistry, established: Established): Promise<ConnectedStep> {
  const { userId, provider, credentials, scopes, signal } = established;
  const named = await connectionToRenew(registry, established);
  const check = await ask(provider, openTrial(registry, established, signal));
  const account = check?.account || established.account;
  if (named) await checkSameAccount(registry, named, account);
  const id = randomId(registry.env.random);
  const found =
    named ?? (await registry.storage.ensureConnection({ id, userId, provider: provider.id, kind: 'api', account }));
  const isNew = found.id === id;
  if (credentials) await keep(registry, provider, found, credentials, named !== undefined || account !== '');
  forgetOpened(registry, found.id);
  const label = check?.label ?? established.label;
  const oauth = credentials?.kind === 'oauth' ? credentials : undefined;
  const connection = await registry.storage.updateConnection(found.id, {
    status: 'active',
    statusReason: null,
    ...(label !== undefined && { label }),
    // Before it is scheduled, so that no sync begins without knowing.
    settings: settingsOf(found, established, account),
    grantedScopes: oauth?.scopes ?? [],
    authorizedAt: new Date(oauth?.authorizedAt ?? registry.env.clock.now()),
    authorizationExpiresAt: oauth?.authorizationExpiresAt === undefined ? null : new Date(oauth.authorizationExpiresAt),
  });
  if (!connection) {
    // Erased meanwhile: no secret may outlive its connection.
    await deleteCredentials(registry, found.id);
    throw goneMeanwhile(provider);
  }
  await scheduleNow(registry, provider, connection);
  const missingScopes = oauth ? scopes.filter((scope) => !oauth.scopes.includes(scope)) : [];
  registry.emit({ type: isNew ? 'connected' : 'reconnected', ...atConnection(connection), missingScopes });
  return { step: 'connected', connection, missingScopes, isNew };
}

/** What stands in the connection besides: the choice of its first sync, and whose it turned out to be. */
function settingsOf(found: Connection, { firstSync }: Established, account: string): Connection['settings'] {
  const settings = account === '' ? found.settings : withAccount(found, account);
  return firstSync !== undefined && found.lastSyncAt === undefined ? withFirstSync(settings, firstSync) : settings;
}

/**
 * Stores credentials. Where nobody says whose they are, only in a connection that has none that work: two accounts must
 * not pass for one, whichever of two flows is faster.
 */
async function keep(
  registry: AnyRegistry,
  provider: AnyProvider,
  connection: Connection,
  credentials: StoredCredentials,
  isKnownWhose: boolean,
): Promise<void> {
  const vault = vaultOf(registry);
  if (isKnownWhose) {
    await vault.overwrite(connection, credentials);
    return;
  }
  const kept = await registry.credentials?.get(connection.id);
  const mayReplace = !kept || !isInUse(connection);
  const version = mayReplace ? await vault.write(connection, credentials, kept?.version) : undefined;
  if (version === undefined) throw accountUnknown(provider);
}

/** What the service says about the account, where it can be asked. */
async function ask(provider: AnyProvider, open: () => ProviderContext): Promise<SessionCheck | undefined> {
  const check = await provider.capabilities.sessionCheck?.check(open());
  if (check && !check.valid) throw rejected(provider);
  return check;
}

function openTrial(
  registry: AnyRegistry,
  { provider, credentials, account }: Established,
  signal: AbortSignal,
): () => ProviderContext {
  return () => openTrialContext(registry, provider, { credentials, account }, signal);
}

/** Whatever waited, or had given up, goes on at once. */
async function scheduleNow(registry: AnyRegistry, provider: AnyProvider, { id }: Connection): Promise<void> {
  const dueAt = registry.env.clock.now();
  for (const capability of INCREMENTAL_NAMES.filter((name) => provider.capabilities[name] !== undefined)) {
    await registry.storage.putSchedule({ connectionId: id, capability, dueAt, blocked: false, failures: 0 });
  }
}

function goneMeanwhile(provider: AnyProvider): McaError {
  return new McaError({
    code: 'not_found',
    reason: 'connection_unknown',
    provider: provider.id,
    message: 'The connection was erased while it was made.',
  });
}
