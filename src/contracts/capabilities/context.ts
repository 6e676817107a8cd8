import type { StandardSchema } from '../standard-schema.ts';

/** A request a provider makes. Paths are relative to the provider's base URL. */
export interface HttpRequest<Output> {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE' | undefined;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>> | undefined;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>> | undefined;
  /** Checks and types the answer; a mismatch is `invalid_data`. */
  readonly schema: StandardSchema<Output>;
}

/** Already authorised, rate-limited, retried, size-capped and error-mapped. */
export interface HttpClient {
  /** Sends a request and answers its checked body. Throws `McaError` by the error table of the provider. */
  request<Output>(request: HttpRequest<Output>): Promise<Output>;
}

/** What a capability method works with. No secrets in sight. */
export interface ProviderContext {
  readonly http: HttpClient;
  readonly account: { readonly id: string; readonly baseUrl?: string | undefined };
  readonly signal: AbortSignal;
  /** Epoch milliseconds. */
  readonly now: () => number;
}
