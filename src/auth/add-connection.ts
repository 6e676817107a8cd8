import type { Connection } from '../contracts/connection.ts';
import { McaError } from '../contracts/errors.ts';
import type { AnyProvider } from '../contracts/provider.ts';
import { checkOneOf, FIRST_SYNCS } from '../registry/check-one-of.ts';
import { checkUserId } from '../registry/check-user-id.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import type { AddConnectionOptions, ConnectedStep, GivenCredentials } from './connect-steps.ts';
import { hideFields, type StoredCredentials } from './credentials.ts';
import { establish } from './establish.ts';
import { checkFields } from './form-fields.ts';
import { Secret } from './secret.ts';
import { anonymousOf, providerOf, strategyOf } from './strategies.ts';
import type { OAuthStrategy } from './token-endpoint.ts';
import { unlessErased } from './unless-erased.ts';

/**
 * Connects an account with credentials the host has already: from its own login, or from another system. Where the
 * service can be asked, it is asked whose they are, before anything is stored.
 *
 * @throws McaError `auth_expired` `rejected` when the service does not accept them; `invalid_data` `account_mismatch` when
 *   they are not of the account of `connectionId`, `account_unknown` when nobody says whose they are and the user is
 *   connected already
 * @example
 * ```ts
 * const connection = await addConnection(registry, {
 *   userId: 'ana',
 *   provider: 'navidrome',
 *   credentials: { fields: { url: 'https://music.example', username: 'ana', password } },
 * });
 * ```
 */
export async function addConnection(registry: AnyRegistry, options: AddConnectionOptions): Promise<Connection> {
  const provider = providerOf(registry, options.provider);
  const { userId, connectionId, account = '', label, firstSync } = options;
  checkUserId(userId);
  if (firstSync !== undefined) checkOneOf(firstSync, FIRST_SYNCS, 'firstSync');
  await registry.ready();
  const credentials = storable(registry, provider, options.credentials);
  const scopes = credentials?.kind === 'oauth' ? credentials.scopes : [];
  const signal = options.signal ?? new AbortController().signal;
  const known = { userId, provider, connectionId, account, label, firstSync };
  const watched = { registry, userId, provider: provider.id };
  const step = await unlessErased<ConnectedStep>(watched, () =>
    establish(registry, { ...known, credentials, scopes, signal }),
  );
  return step.connection;
}

function storable(
  registry: AnyRegistry,
  provider: AnyProvider,
  given: GivenCredentials | undefined,
): StoredCredentials | undefined {
  if (!given) {
    if (anonymousOf(provider)) return undefined;
    throw unfit(provider, 'needs credentials', fieldsHint(provider));
  }
  if ('fields' in given) {
    const strategy = provider.auth.find((each) => each.type === 'form' || each.type === 'host-supplied');
    if (!strategy) throw unfit(provider, 'does not log in by fields');
    const fields = hideFields(checkFields(provider.id, strategy.fields, given.fields));
    return { kind: 'fields', strategy: strategy.type, fields };
  }
  if ('sessionKey' in given) {
    strategyOf(provider, 'session-key');
    if (!isToken(given.sessionKey)) throw unfit(provider, 'needs a session key that is not empty');
    return { kind: 'session', strategy: 'session-key', sessionKey: new Secret(given.sessionKey) };
  }
  const isOAuth = (each: AnyProvider['auth'][number]): each is OAuthStrategy =>
    each.type === 'oauth2' || each.type === 'device-code';
  const strategy = provider.auth.find(isOAuth);
  if (!strategy) throw unfit(provider, 'does not log in by tokens');
  const { accessToken, refreshToken, expiresAt, scopes = strategy.scopes, authorizedAt } = given;
  if (!isToken(accessToken)) throw unfit(provider, 'needs an access token that is not empty');
  const agreedAt = authorizedAt?.getTime() ?? registry.env.clock.now();
  const lifetimeMs = strategy.authorizationLifetimeMs;
  return {
    kind: 'oauth',
    strategy: strategy.type,
    accessToken: new Secret(accessToken),
    ...(isToken(refreshToken) && { refreshToken: new Secret(refreshToken) }),
    ...(expiresAt && { expiresAt: expiresAt.getTime() }),
    scopes,
    authorizedAt: agreedAt,
    ...(lifetimeMs !== undefined && { authorizationExpiresAt: agreedAt + lifetimeMs }),
  };
}

function isToken(value: string | undefined): value is string {
  return typeof value === 'string' && value !== '';
}

/** What to pass to a provider that logs in by fields. */
function fieldsHint({ auth }: AnyProvider): string | undefined {
  const fields = auth.flatMap((each) => ('fields' in each ? each.fields : []));
  if (fields.length === 0) return undefined;
  return `Pass credentials: { fields: { ${fields.map(({ name, optional }) => (optional ? `${name}?` : name)).join(', ')} } }.`;
}

function unfit(provider: AnyProvider, fault: string, hint?: string): McaError {
  return new McaError({
    code: 'invalid_data',
    reason: 'unfit_credentials',
    provider: provider.id,
    message: `${provider.name} ${fault}.`,
    hint: hint ?? `It can log in by: ${provider.auth.map(({ type }) => type).join(', ') || 'nothing'}.`,
  });
}
