import type { StandardSchema } from '../standard-schema.ts';

/** A request a provider makes. */
export interface HttpRequest<Output> {
  /** @default 'GET' */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE' | undefined;
  /**
   * Relative to the base URL (`me/tracks`), or the absolute address of a `next` link, which must lie on one of the
   * provider's hosts.
   */
  readonly path: string;
  /** What this call is for, such as `recently-played`: named in events and errors, which never show addresses. */
  readonly operation: string;
  /** `undefined` values are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly json?: unknown;
  /** Sent as `application/x-www-form-urlencoded`. */
  readonly form?: Readonly<Record<string, string>> | undefined;
  /**
   * The service drops repeats of this write by a key of its own, so it may be sent again after a lost answer.
   * GET, PUT and DELETE always may.
   *
   * @default false
   */
  readonly idempotent?: boolean | undefined;
  /** Checks and types the answer, `undefined` for an empty body; a mismatch is `invalid_data` `unexpected_answer`. */
  readonly schema: StandardSchema<Output, unknown>;
}

/** Already authorised, rate-limited, retried, size-capped and error-mapped. */
export interface HttpClient {
  /** Sends a request and answers its checked body. Throws `McaError` by the error table of the provider. */
  request<Output>(request: HttpRequest<Output>): Promise<Output>;
}

/** Whose account it is. */
export interface AccountContext {
  /** The connection's `account`: the service's own id or name of the user. */
  readonly id: string;
  /** Address of the user's own server. */
  readonly baseUrl?: string | undefined;
  /** What the user, or the host, filled in and is no secret, by field name. */
  readonly fields: Readonly<Record<string, string>>;
}

/** What a capability method works with. No secrets in sight. */
export interface ProviderContext {
  readonly http: HttpClient;
  readonly account: AccountContext;
  readonly signal: AbortSignal;
  /** Epoch milliseconds. */
  readonly now: () => number;
}
