import type { AuthStrategy, SignRequest } from '../contracts/auth.ts';
import type { Connection } from '../contracts/connection.ts';
import { McaError } from '../contracts/errors.ts';
import type { AnyProvider } from '../contracts/provider.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import type { Authoriser, VersionedCredentials } from '../runtime/http/setup.ts';
import { revealFields, type StoredCredentials, userUrlOf } from './credentials.ts';
import { needsReauth, requireReauth } from './reauth.ts';
import { TokenKeeper } from './refresh-tokens.ts';
import { Secret } from './secret.ts';
import { strategyOf } from './strategies.ts';
import { KeptCredentials } from './vault.ts';

/** Signs requests of one connection with what the vault has, refreshed where it can be. */
export function connectionAuthoriser(
  registry: AnyRegistry,
  provider: AnyProvider,
  connection: Connection,
  credentials: StoredCredentials,
  kept: KeptCredentials = new KeptCredentials(registry, connection),
): Authoriser {
  if (credentials.kind === 'oauth') {
    const strategy = strategyOf(provider, credentials.strategy);
    const keeper = new TokenKeeper(registry, connection, provider, strategy, kept);
    const answer = async (signal: AbortSignal, refused?: Secret): Promise<VersionedCredentials> => {
      const { credentials: tokens, version } = await keeper.fresh(signal, refused);
      return { token: tokens.accessToken.reveal(), fields: {}, account: connection.account, version };
    };
    return {
      sign: strategy.sign ?? signBearer,
      current: (signal) => answer(signal),
      renew: ({ token = '' }, signal) => answer(signal, new Secret(token)),
    };
  }
  const url = userUrlOf(provider, credentials);
  /** The secret of one server is not for another: requests under way go to the address of before. */
  const checkAddress = (now: StoredCredentials): void => {
    if (userUrlOf(provider, now) !== url) throw addressChanged(provider);
  };
  return {
    sign: signOf(strategyOf(provider, credentials.strategy)),
    async current() {
      const stored = kept.recent ?? (await kept.read());
      if (!stored) throw needsReauth(connection, 'not_connected');
      checkAddress(stored.credentials);
      return { ...plain(stored.credentials, connection.account), version: stored.version };
    },
    async renew(refused) {
      const stored = await kept.read();
      // The user connected again while the request was under way: the new key deserves its try.
      if (stored && stored.version !== refused.version) {
        checkAddress(stored.credentials);
        return { ...plain(stored.credentials, connection.account), version: stored.version };
      }
      await requireReauth(registry, connection, 'rejected');
      throw needsReauth(connection, 'rejected');
    },
  };
}

/** Signs with credentials that are not stored yet: the service is asked whose they are before they are. */
export function trialAuthoriser(provider: AnyProvider, credentials: StoredCredentials, account: string): Authoriser {
  const trial = { ...plain(credentials, account), version: 0 };
  return {
    sign: signOf(strategyOf(provider, credentials.strategy)),
    current: async () => trial,
    renew: async (_refused, _signal, said) => {
      // Where the service says more than no, the user needs to hear it.
      throw said.reason === undefined ? rejected(provider) : said;
    },
  };
}

/** Signs with the host's own API key, where the service has one; nobody is logged in. */
export function anonymousAuthoriser(provider: AnyProvider, sign: SignRequest | undefined, account: string): Authoriser {
  return {
    sign,
    current: async () => ({ fields: {}, account, version: 0 }),
    renew: async () => {
      throw new McaError({
        code: 'configuration',
        reason: 'invalid_client',
        provider: provider.id,
        message: `${provider.name} does not accept the API key.`,
        hint: 'Compare it with the page of your app at the service.',
      });
    },
  };
}

/** The user connected again with another address while requests to the old one were under way. */
function addressChanged(provider: AnyProvider): McaError {
  return new McaError({
    code: 'upstream',
    reason: 'address_changed',
    provider: provider.id,
    message: 'The user connected again, with another address.',
    hint: 'The next sync goes to the new address.',
    retryable: true,
  });
}

/** The service does not accept what the user gave. */
export function rejected(provider: AnyProvider): McaError {
  return new McaError({
    code: 'auth_expired',
    reason: 'rejected',
    provider: provider.id,
    message: `${provider.name} does not accept these credentials.`,
    hint: 'Let the user check them and try again.',
  });
}

function plain(credentials: StoredCredentials, account: string): Omit<VersionedCredentials, 'version'> {
  switch (credentials.kind) {
    case 'oauth':
      return { token: credentials.accessToken.reveal(), fields: {}, account };
    case 'session':
      return { token: credentials.sessionKey.reveal(), fields: {}, account };
    case 'fields':
      return { fields: revealFields(credentials.fields), account };
  }
}

function signOf(strategy: AuthStrategy): SignRequest | undefined {
  if (strategy.type === 'file-import') return undefined;
  if (strategy.type === 'oauth2' || strategy.type === 'device-code') return strategy.sign ?? signBearer;
  return strategy.sign;
}

const signBearer: SignRequest = (request, { token = '' }) => {
  request.headers.set('authorization', `Bearer ${token}`);
};
