import type { Fetch } from '../contracts/env.ts';
import type { FakeGrant } from './fake-oauth-grants.ts';

/** How a {@link FakeOAuthServer} behaves. All of it can be changed while it runs. */
export interface FakeOAuthBehaviour {
  /** @default 'client' */
  clientId: string;
  /** `undefined` is a public client. */
  clientSecret: string | undefined;
  /** Where the secret has to be. @default either will do */
  clientAuthentication: 'basic' | 'body' | undefined;
  /** Redirect addresses that are registered, byte for byte. @default none is checked */
  redirectUris: readonly string[] | undefined;
  /** Life of an access token in milliseconds. @default an hour; `undefined` does not say and never ends */
  accessLifetimeMs: number | undefined;
  /** Life of a consent whatever is refreshed, in milliseconds. @default without end */
  grantLifetimeMs: number;
  /**
   * What a refresh answers: a new refresh token each time, the old one being good for nothing and its use revoking the
   * whole family (`rotating`); the same one (`sticky`); none (`omitted`); an empty one (`empty`).
   *
   * @default 'rotating'
   */
  refreshTokens: 'rotating' | 'sticky' | 'omitted' | 'empty';
  /** Scopes the user grants. @default all that are asked for */
  grantedScopes: readonly string[] | undefined;
  /** Whose account it is. @default 'ada' */
  account: string;
  /** Value of `expires_in`, when it shall not be what `accessLifetimeMs` says; `null` leaves it out. */
  expiresIn: unknown;
  /**
   * Runs before a request to the token endpoint is looked at: for delays. The signal of the request fires when whoever
   * sent it has hung up, and then nothing happens any more.
   */
  beforeToken: ((form: URLSearchParams, request: Request) => Promise<void>) | undefined;
  /** Seconds between two polls of a device flow. @default 5 */
  deviceIntervalSeconds: number;
  /**
   * A device flow older than the standard: it is polled at `devicePollEndpoint`, with the device code as `code`, and
   * answers errors by these statuses, without a body: `{ authorization_pending: 400 }`. @default as in RFC 8628
   */
  devicePollStatuses: Readonly<Record<string, number>> | undefined;
}

/** Something else than the right answer. */
export type FakeOAuthFailure =
  | { readonly status: number; readonly body?: string | undefined; readonly headers?: Readonly<Record<string, string>> }
  /** The request is not even looked at. */
  | 'drop-before'
  /** Everything is done, the answer never comes. */
  | 'drop-after';

/** One call that a {@link FakeOAuthServer} met. Its tokens are nobody's: they may be looked at. */
export interface FakeOAuthCall {
  readonly endpoint: string;
  readonly grantType: string | undefined;
  /** The refresh token or code that was handed in. */
  readonly handedIn: string | undefined;
  /** `granted`, the `error`, or how it was made to fail. */
  readonly outcome: string;
  readonly authorization: string | null;
  readonly headers: Headers;
  /** What the body had, be it a form or JSON. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** An OAuth 2 service in memory. */
export interface FakeOAuthServer {
  readonly behaviour: FakeOAuthBehaviour;
  /** Every call, in order. */
  readonly calls: readonly FakeOAuthCall[];
  /** Every consent and what came of it. */
  readonly grants: readonly FakeGrant[];
  /** Most requests to the token endpoint that were under way at once. */
  readonly mostTokenCallsAtOnce: number;
  /** Answers a request; throws when the connection is to be dropped. */
  handle(request: Request): Promise<Response>;
  /** `handle` in the shape of `env.fetch`. */
  readonly fetch: Fetch;
  /** Endpoints below an origin. @default `https://oauth.test` */
  endpoints(origin?: string): FakeOAuthEndpoints;
  /** The next calls to an endpoint (`token`, `revoke`, `device`, `device-token`, `me`) fail. */
  failNext(endpoint: string, times: number, failure: FakeOAuthFailure): void;
  /** A consent given outside any flow, with its first tokens. */
  grant(scopes?: readonly string[]): { readonly accessToken: string; readonly refreshToken: string };
  /** The user answers a device flow. */
  answerDevice(userCode: string, answer: 'approve' | 'deny'): void;
  /** Whose token a request bears, if it is good: for fake APIs. */
  requireToken(request: Request): { readonly account: string; readonly scopes: readonly string[] } | undefined;
  /** Listens on the loopback address and answers its origin, for tests of several processes. */
  listen(): Promise<string>;
  /** Stops listening. */
  close(): Promise<void>;
}

/** Addresses of a {@link FakeOAuthServer}. */
export interface FakeOAuthEndpoints {
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly revocationEndpoint: string;
  readonly deviceEndpoint: string;
  /** Polled where `devicePollStatuses` are given. */
  readonly devicePollEndpoint: string;
  readonly me: string;
}
