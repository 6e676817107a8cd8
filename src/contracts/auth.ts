import type { HttpClient } from './capabilities/context.ts';
import type { AuthorizationCodeStrategy, DeviceCodeStrategy } from './oauth.ts';

/** A request before it is sent; an auth strategy adds to it what proves who asks. */
export interface SignableRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  /** Body of a form request; `undefined` for other bodies. */
  readonly form: URLSearchParams | undefined;
  /** Object of a JSON request, to be added to; `undefined` for other bodies. */
  readonly json: Record<string, unknown> | undefined;
}

/** What signing may see. Never a refresh token, never a client secret. */
export interface SigningCredentials {
  /** OAuth access token, or session key. */
  readonly token?: string | undefined;
  /** What the user (or host) filled in, by field name. */
  readonly fields: Readonly<Record<string, string>>;
  /** The service's own id or name of the user. */
  readonly account: string;
}

/** Adds credentials to a request. Pure but for the request it changes. */
export type SignRequest = (request: SignableRequest, credentials: SigningCredentials) => void;

/** One way to connect a user. A provider lists all it supports (Trakt has two); the first is the default. */
export type AuthStrategy =
  | AuthorizationCodeStrategy
  | DeviceCodeStrategy
  | SessionKeyStrategy
  | { readonly type: 'form'; readonly fields: readonly FormField[]; readonly sign: SignRequest }
  /** Like `form`, but credentials come from the host's own login through `addConnection`; there is no connect flow. */
  | { readonly type: 'host-supplied'; readonly fields: readonly FormField[]; readonly sign: SignRequest }
  | { readonly type: 'file-import' }
  /** Nothing to log in to; `sign` may add an API key of the host's. */
  | { readonly type: 'none'; readonly sign?: SignRequest | undefined };

/** The user approves on the service's page, which comes back with a token that is traded for a lasting key (Last.fm). */
export interface SessionKeyStrategy {
  readonly type: 'session-key';
  /** Page to send the user to, given where it shall come back to. */
  readonly authorizeUrl: (callbackUrl: string) => string;
  /** Query parameter of the callback that holds the token. */
  readonly tokenParameter: string;
  /** Trades the token for a key. `http` signs nothing here: the strategy does it itself. */
  readonly exchange: (
    http: HttpClient,
    token: string,
  ) => Promise<{ readonly sessionKey: string; readonly account: string }>;
  readonly sign: SignRequest;
}

/** A field of a connect form that the host renders. */
export interface FormField {
  readonly name: string;
  readonly label: string;
  /** Never shown again, never logged. */
  readonly secret: boolean;
  /** `url` is the base URL of a server of the user's own. */
  readonly kind: 'text' | 'password' | 'url';
  /** @default false */
  readonly optional?: boolean | undefined;
  /** Where the user finds it. */
  readonly help?: string | undefined;
}
