import type { SignRequest } from './auth.ts';

/** Where and how an OAuth 2 service is asked. What it does by the standards (RFC 6749, 7009, 8628) need not be said. */
export interface OAuthClient {
  readonly clientId: string;
  /** Absent for public clients, which prove themselves by PKCE alone. */
  readonly clientSecret?: string | undefined;
  /**
   * How the secret is sent: `basic`, in the `authorization` header; `body`, as `client_secret` beside `client_id`.
   * Requests without a secret have `client_id` in the body either way.
   *
   * @default 'basic'
   */
  readonly clientAuthentication?: 'basic' | 'body' | undefined;
  /** The requests that the secret is sent with, where the service does not want it with each. @default all */
  readonly secretWith?: readonly OAuthRequest[] | undefined;
  readonly tokenEndpoint: string;
  readonly revocationEndpoint?: string | undefined;
  /** What tokens are handed in to be revoked. Without a refresh token it is the access token. @default 'refresh-token' */
  readonly revokes?: 'refresh-token' | 'access-token' | undefined;
  /** Asked for by default: the least that the provider's capabilities need. */
  readonly scopes: readonly string[];
  /** @default ' ' */
  readonly scopeSeparator?: string | undefined;
  /** Bodies of all these requests: a form, or one JSON object of texts. @default 'form' */
  readonly tokenRequest?: 'form' | 'json' | undefined;
  /** Headers of all these requests, never `authorization`. Anybody may see them. @default none */
  readonly tokenHeaders?: Readonly<Record<string, string>> | undefined;
  /** Parameters added to each refresh. Anybody may see them: no secrets. @default none */
  readonly refreshParameters?: Readonly<Record<string, string>> | undefined;
  /**
   * What the service calls errors of the standard, where it has names of its own: `{ grant_error: 'invalid_grant' }`.
   * Names that are not listed mean what they say.
   *
   * @default none
   */
  readonly errorNames?: Readonly<Record<string, OAuthErrorName>> | undefined;
  /** Answers do not say of what type their tokens are: bearer tokens. RFC 6749 wants `token_type`. @default false */
  readonly untypedTokens?: boolean | undefined;
  /** How long the user's consent lasts whatever is refreshed, in milliseconds (Spotify: six months). */
  readonly authorizationLifetimeMs?: number | undefined;
  /** @default a bearer token in the `authorization` header */
  readonly sign?: SignRequest | undefined;
}

/**
 * A request of the core to an OAuth service: trading a code for tokens, refreshing them, beginning a device flow, polling
 * it, revoking.
 */
export type OAuthRequest = 'code' | 'refresh' | 'device' | 'poll' | 'revocation';

/** The user agrees on the service's page (RFC 6749, 4.1). */
export interface AuthorizationCodeStrategy extends OAuthClient {
  readonly type: 'oauth2';
  readonly authorizationEndpoint: string;
  /** Extra parameters of the authorization request. */
  readonly authorizationParameters?: Readonly<Record<string, string>> | undefined;
  /** Issuer to expect in the `iss` parameter of the callback, where the service sends one. */
  readonly issuer?: string | undefined;
  /** @default 'S256' */
  readonly pkce?: 'S256' | 'unsupported' | undefined;
}

/** The user types a code on another device (RFC 8628). */
export interface DeviceCodeStrategy extends OAuthClient {
  readonly type: 'device-code';
  readonly deviceEndpoint: string;
  /**
   * How the flow is begun and polled. `get` puts all parameters into the query, and never a client secret: addresses are
   * kept in logs.
   *
   * @default 'post'
   */
  readonly deviceMethod?: 'post' | 'get' | undefined;
  /** For services whose flow is older than the standard. @default the token endpoint, asked as in RFC 8628, 3.4 */
  readonly poll?: DevicePoll | undefined;
}

/** How a device flow is polled at an address of its own. The request has the code and the client, and no `grant_type`. */
export interface DevicePoll {
  /** `{user_code}` in it stands for the code that the user types; the device code is not sent then, and may be anything. */
  readonly endpoint: string;
  /** What the device code is called there. @default 'device_code' */
  readonly codeParameter?: string | undefined;
  /**
   * Errors by the HTTP status that stands for them, whatever the body says: `{ 400: 'authorization_pending' }`.
   *
   * @default none; the `error` of the body says it
   */
  readonly statuses?: Readonly<Record<number, DevicePollError>> | undefined;
  /**
   * Field of the body, at any status, that says what `errorNames` has a name for. Looked at where there is no `error`.
   *
   * @default none
   */
  readonly errorField?: string | undefined;
}

/**
 * Errors of RFC 8628, 3.5, and what follows. `authorization_pending`: it is asked again. `slow_down`: the same, with
 * pauses five seconds longer. `access_denied`, `expired_token`, `invalid_grant`: the flow is over.
 */
export type DevicePollError =
  | 'authorization_pending'
  | 'slow_down'
  | 'access_denied'
  | 'expired_token'
  | 'invalid_grant';

/** Errors that follow from more than their name. `invalid_client`: the host's client id is wrong, and tokens are kept. */
export type OAuthErrorName = DevicePollError | 'invalid_client';
