import type { AuthStrategy } from '@mca/core/provider-kit';

/** The host's app at Spotify. */
export interface SpotifyApp {
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  /** Root of the accounts service. */
  readonly accountsUrl: string;
}

/** What each capability needs. */
export const SCOPES = {
  history: ['user-read-recently-played'],
  library: ['user-library-read'],
  identity: ['user-read-private'],
} as const;

/**
 * Spotify's refresh tokens die six months after the user agreed, whatever is refreshed meanwhile. Months differ: the
 * shortest six, September to February, have 181 days. So we never believe in a consent that is gone.
 */
const SIX_MONTHS_MS = 181 * 86_400_000;

/** Authorization code with PKCE; a client secret, where the host has one, comes on top. There is no revocation endpoint. */
export function authorizationCode({ clientId, clientSecret, accountsUrl }: SpotifyApp): AuthStrategy {
  const root = accountsUrl.replace(/\/+$/, '');
  return {
    type: 'oauth2',
    clientId,
    ...(clientSecret !== undefined && { clientSecret }),
    authorizationEndpoint: `${root}/authorize`,
    tokenEndpoint: `${root}/api/token`,
    scopes: [...SCOPES.history, ...SCOPES.library, ...SCOPES.identity],
    authorizationLifetimeMs: SIX_MONTHS_MS,
    pkce: 'S256',
  };
}
