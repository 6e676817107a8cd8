import type { AuthStrategy } from '@mca/core/provider-kit';

/** The host's project at Google Cloud. */
export interface GoogleApp {
  readonly clientId: string;
  /** Google wants it of every kind of app, those on people's own machines included. */
  readonly clientSecret: string;
}

/** All that is asked for: reading what the user has at YouTube. */
export const READ_SCOPE = 'https://www.googleapis.com/auth/youtube.readonly';

/**
 * Authorization code with PKCE. Without `prompt=consent` Google gives a refresh token only the very first time a user
 * agrees, and none to a host that lost it. Refreshing gives no new refresh token.
 */
export function authorizationCode({ clientId, clientSecret }: GoogleApp): AuthStrategy {
  return {
    type: 'oauth2',
    clientId,
    clientSecret,
    clientAuthentication: 'body',
    authorizationEndpoint: 'https://accounts.google.com/o/oauth2/v2/auth',
    tokenEndpoint: 'https://oauth2.googleapis.com/token',
    revocationEndpoint: 'https://oauth2.googleapis.com/revoke',
    scopes: [READ_SCOPE],
    authorizationParameters: { access_type: 'offline', prompt: 'consent', include_granted_scopes: 'true' },
    pkce: 'S256',
  };
}
