/** Where and how an OAuth 2 service is asked. */
export interface OAuthClient {
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
  readonly tokenEndpoint: string;
  readonly scopes: readonly string[];
}

/** One way to connect a user. A provider lists all it supports (Trakt has two). */
export type AuthStrategy =
  | (OAuthClient & {
      readonly type: 'oauth2';
      readonly authorizationEndpoint: string;
      readonly revocationEndpoint?: string | undefined;
      /** @default 'S256' */
      readonly pkce?: 'S256' | 'unsupported' | undefined;
      /** How long the user's consent lasts whatever is refreshed, in milliseconds (Spotify: six months). */
      readonly authorizationLifetimeMs?: number | undefined;
    })
  | (OAuthClient & { readonly type: 'device-code'; readonly deviceEndpoint: string })
  | { readonly type: 'session-key'; readonly authorizeUrl: string }
  | { readonly type: 'form'; readonly fields: readonly FormField[] }
  | { readonly type: 'host-supplied'; readonly fields: readonly FormField[] }
  | { readonly type: 'file-import' }
  | { readonly type: 'none' };

/** A field of a connect form that the host renders. */
export interface FormField {
  readonly name: string;
  readonly label: string;
  readonly secret: boolean;
  readonly kind: 'text' | 'password' | 'url';
}
