import type { AuthStrategy, OAuthClient } from '@mca/core/provider-kit';

/** The host's app at Simkl. */
export interface SimklApp {
  readonly clientId: string;
  /** Lower case. */
  readonly appName: string;
  readonly appVersion: string;
  readonly baseUrl: string;
  readonly siteUrl: string;
}

/** The user agrees on Simkl's page; the API's own host has no such page. PKCE proves the app, which needs no secret then. */
export function authorizationCode(app: SimklApp): AuthStrategy {
  const { appName, appVersion } = app;
  return {
    type: 'oauth2',
    authorizationEndpoint: `${rootOf(app.siteUrl)}/oauth/authorize`,
    authorizationParameters: { 'app-name': appName, 'app-version': appVersion },
    pkce: 'S256',
    ...client(app),
  };
}

/**
 * The user types a PIN at simkl.com/pin, on another device. Older than the standard: GET throughout, the PIN itself is
 * what is polled for, and every outcome has status 200.
 */
export function pin(app: SimklApp): AuthStrategy {
  return {
    type: 'device-code',
    deviceEndpoint: address(app, '/oauth/pin'),
    deviceMethod: 'get',
    poll: { endpoint: address(app, '/oauth/pin/{user_code}'), errorField: 'message' },
    untypedTokens: true,
    ...client(app),
  };
}

function client(app: SimklApp): OAuthClient {
  return {
    clientId: app.clientId,
    tokenEndpoint: address(app, '/oauth/token'),
    tokenRequest: 'json',
    tokenHeaders: named(app),
    errorNames: {
      'Authorization pending': 'authorization_pending',
      'Slow down': 'slow_down',
      grant_error: 'invalid_grant',
      // Nothing but a verifier is sent that could be wrong: the app is not allowed to go without a secret.
      secret_error: 'invalid_client',
      client_id_failed: 'invalid_client',
    },
    // There is only one, `public`, and it comes by itself.
    scopes: [],
    sign({ url, headers }, { token = '' }) {
      for (const [name, value] of Object.entries(queryOf(app))) url.searchParams.set(name, value);
      for (const [name, value] of Object.entries(named(app))) headers.set(name, value);
      headers.set('content-type', 'application/json');
      headers.set('authorization', `Bearer ${token}`);
    },
  };
}

/** The header of before 2026 goes along: which of the two forms is looked at depends on the address. */
function named({ clientId, appName, appVersion }: SimklApp): Readonly<Record<string, string>> {
  return { 'user-agent': `${appName}/${appVersion}`, 'simkl-api-key': clientId };
}

function queryOf({ clientId, appName, appVersion }: SimklApp): Readonly<Record<string, string>> {
  return { client_id: clientId, 'app-name': appName, 'app-version': appVersion };
}

function address(app: SimklApp, path: string): string {
  return `${rootOf(app.baseUrl)}${path}?${new URLSearchParams(queryOf(app))}`;
}

function rootOf(url: string): string {
  return url.replace(/\/+$/, '');
}
