import type { AuthStrategy, OAuthClient } from '@mca/core/provider-kit';

/** The host's app at Trakt. */
export interface TraktApp {
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  /** Sent with refreshes. */
  readonly redirectUri: string | undefined;
  /** How the app calls itself: `MyApp/1.0.0`. */
  readonly userAgent: string;
  /** Root of the service where users agree and tokens come from. */
  readonly authUrl: string;
}

/** The user agrees on Trakt's page. PKCE proves the app; Trakt has given up the client secret for this. */
export function authorizationCode(app: TraktApp): AuthStrategy {
  return { type: 'oauth2', authorizationEndpoint: `${rootOf(app)}/oauth/authorize`, pkce: 'S256', ...client(app) };
}

/** The user types a code at trakt.tv/activate, on another device. Older than the standard: answers are a status, mostly without a body. */
export function deviceCode(app: TraktApp): AuthStrategy {
  return {
    type: 'device-code',
    deviceEndpoint: `${rootOf(app)}/oauth/device/code`,
    poll: {
      endpoint: `${rootOf(app)}/oauth/device/token`,
      codeParameter: 'code',
      statuses: {
        400: 'authorization_pending',
        // Unknown, and used already: the flow is over either way.
        404: 'invalid_grant',
        409: 'invalid_grant',
        410: 'expired_token',
        418: 'access_denied',
        429: 'slow_down',
      },
    },
    ...client(app),
  };
}

function client(app: TraktApp): OAuthClient {
  const { clientId, clientSecret, redirectUri, userAgent } = app;
  const named = { 'user-agent': userAgent, 'trakt-api-version': '2', 'trakt-api-key': clientId };
  return {
    clientId,
    clientSecret,
    clientAuthentication: 'body',
    // Where PKCE proves the app Trakt wants no secret beside it; asking for a device code has never taken one.
    secretWith: ['refresh', 'poll', 'revocation'],
    tokenEndpoint: `${rootOf(app)}/oauth/token`,
    revocationEndpoint: `${rootOf(app)}/oauth/revoke`,
    revokes: 'access-token',
    tokenRequest: 'json',
    tokenHeaders: named,
    refreshParameters: redirectUri === undefined ? undefined : { redirect_uri: redirectUri },
    // There is only one, `public`, and it comes by itself.
    scopes: [],
    sign({ headers }, { token = '' }) {
      for (const [name, value] of Object.entries(named)) headers.set(name, value);
      headers.set('content-type', 'application/json');
      headers.set('authorization', `Bearer ${token}`);
    },
  };
}

function rootOf({ authUrl }: TraktApp): string {
  return authUrl.replace(/\/+$/, '');
}
