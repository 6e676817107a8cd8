import type { ProviderContext } from '../contracts/capabilities/context.ts';
import type { Connection } from '../contracts/connection.ts';
import { McaError } from '../contracts/errors.ts';
import type { AnyProvider } from '../contracts/provider.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { createHttpClient } from '../runtime/http/client.ts';
import type { Authoriser } from '../runtime/http/setup.ts';
import { openFieldsOf } from '../runtime/open-fields.ts';
import { anonymousAuthoriser, connectionAuthoriser, trialAuthoriser } from './authoriser.ts';
import { revealFields, type StoredCredentials, userUrlOf } from './credentials.ts';
import { missingScopesOf } from './missing-scopes.ts';
import { needsReauth, warnOfReauth } from './reauth.ts';
import { httpStateOf, serviceNow } from './service-time.ts';
import { anonymousOf, providerOf, strategyOf } from './strategies.ts';
import { KeptCredentials } from './vault.ts';

/**
 * What a capability works with on behalf of a connection: an HTTP client that signs with the user's credentials, and
 * keeps them fresh.
 *
 * @throws McaError `auth_expired` when only the user can help; `configuration` when the host set something up wrongly
 */
export async function openContext(
  registry: AnyRegistry,
  connection: Connection,
  signal: AbortSignal,
): Promise<ProviderContext> {
  const provider = providerOf(registry, connection.provider);
  assertUsable(connection);
  const anonymous = anonymousOf(provider);
  const kept = new KeptCredentials(registry, connection);
  // Of a service without logins nothing is kept, and there may be no keys to open it with.
  const stored = registry.credentials && keepsSecrets(provider) ? await kept.read() : undefined;
  if (!stored) {
    if (!anonymous) throw needsReauth(connection, 'not_connected');
    const authoriser = anonymousAuthoriser(provider, anonymous.sign, connection.account);
    return contextOf(registry, { provider, connection, authoriser, filled: {}, signal });
  }
  const { credentials } = stored;
  if (credentials.kind === 'oauth') {
    const { tokenEndpoint } = strategyOf(provider, credentials.strategy);
    await warnOfReauth(registry, connection, serviceNow(registry, provider, tokenEndpoint));
  }
  const authoriser = connectionAuthoriser(registry, provider, connection, credentials, kept);
  return contextOf(registry, { provider, connection, authoriser, filled: filledIn(provider, credentials), signal });
}

/** A context of credentials that are not stored yet, for asking the service whose they are. */
export function openTrialContext(
  registry: AnyRegistry,
  provider: AnyProvider,
  given: { readonly credentials: StoredCredentials | undefined; readonly account: string },
  signal: AbortSignal,
): ProviderContext {
  const { credentials, account } = given;
  const authoriser = credentials
    ? trialAuthoriser(provider, credentials, account)
    : anonymousAuthoriser(provider, anonymousOf(provider)?.sign, account);
  const filled = credentials ? filledIn(provider, credentials) : {};
  return contextOf(registry, { provider, connection: { account }, authoriser, filled, signal });
}

/** A context that signs nothing: for trading a token, before there is anybody to sign for. */
export function openUnsignedContext(
  registry: AnyRegistry,
  provider: AnyProvider,
  signal: AbortSignal,
): ProviderContext {
  return contextOf(registry, {
    provider,
    connection: { account: '' },
    authoriser: undefined,
    filled: {},
    signal,
  });
}

/**
 * Refuses before the first call what the user did not allow.
 *
 * @throws McaError `permission_denied` `missing_scopes`, naming them
 */
export function assertScopes(
  connection: Pick<Connection, 'provider' | 'grantedScopes'>,
  scopes?: readonly string[],
): void {
  const missing = missingScopesOf(connection, scopes);
  if (missing.length === 0) return;
  throw new McaError({
    code: 'permission_denied',
    reason: 'missing_scopes',
    provider: connection.provider,
    message: `The user did not grant: ${missing.join(', ')}.`,
    hint: 'Let the user connect the account again and agree to everything this needs.',
  });
}

/** What a form gave besides secrets. */
interface Filled {
  /** Address of the user's own server. */
  readonly userUrl?: string | undefined;
  readonly fields?: Readonly<Record<string, string>> | undefined;
}

interface Opening {
  readonly provider: AnyProvider;
  readonly connection: Pick<Connection, 'account'> & Partial<Pick<Connection, 'id' | 'userId'>>;
  readonly authoriser: Authoriser | undefined;
  readonly filled: Filled;
  readonly signal: AbortSignal;
}

function contextOf(registry: AnyRegistry, opening: Opening): ProviderContext {
  const { env, access } = registry;
  const { provider, authoriser } = opening;
  const { userUrl, fields = {} } = opening.filled;
  const { id, userId, account } = opening.connection;
  if (userUrl !== undefined && !access.guardedFetch) throw noGuardedNetwork(provider);
  const signal = AbortSignal.any([opening.signal, access.closing]);
  const http = createHttpClient({
    env,
    provider,
    connection: id !== undefined && userId !== undefined ? { id, userId } : undefined,
    baseUrl: userUrl ?? baseUrlOf(provider),
    guardedFetch: userUrl === undefined ? undefined : access.guardedFetch,
    authoriser,
    state: httpStateOf(registry),
    emit: (event) => registry.emit(event),
    signal,
  });
  return { http, account: { id: account, baseUrl: userUrl, fields }, signal, now: () => env.clock.now() };
}

function keepsSecrets({ auth }: AnyProvider): boolean {
  return auth.some(({ type }) => type !== 'file-import' && type !== 'none');
}

function assertUsable(connection: Connection): void {
  const { status, kind, provider } = connection;
  if (status === 'disabled') {
    throw new McaError({
      code: 'permission_denied',
      reason: 'connection_disabled',
      provider,
      message: 'The connection is switched off.',
      hint: 'Switch it on with updateConnection({ enabled: true }), or connect the account again.',
    });
  }
  if (status === 'needs_reauth') throw needsReauth(connection, 'needs_reauth');
  if (status === 'disconnected' || kind === 'file') throw needsReauth(connection, 'not_connected');
}

function baseUrlOf(provider: AnyProvider): string {
  const [host] = provider.hosts ?? [];
  const baseUrl = provider.baseUrl ?? (host && `https://${host}/`);
  if (baseUrl) return baseUrl;
  throw new McaError({
    code: 'plugin',
    reason: 'no_base_url',
    provider: provider.id,
    message: `${provider.name} has no address to call.`,
    hint: 'Give the provider a baseUrl, or a form field of kind "url".',
  });
}

function filledIn(provider: AnyProvider, credentials: StoredCredentials): Filled {
  if (credentials.kind !== 'fields') return {};
  const fields = openFieldsOf([strategyOf(provider, credentials.strategy)], revealFields(credentials.fields));
  return { userUrl: userUrlOf(provider, credentials), fields };
}

function noGuardedNetwork(provider: AnyProvider): McaError {
  return new McaError({
    code: 'configuration',
    reason: 'no_guarded_network',
    provider: provider.id,
    message: `${provider.name} is reached at an address that a user typed in, and nothing keeps that from being one of yours.`,
    hint: 'Pass ...guardedNetwork() of @mca/core/adapters/guarded-network to createRegistry.',
  });
}
