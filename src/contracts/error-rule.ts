import type { ErrorCode } from './error-codes.ts';

/**
 * One line of a provider's error table: which answers mean what. Lines are tried in order, the first that fits decides;
 * after the last one come the defaults of HTTP (401 `auth_expired`, 403 `permission_denied`, 404 `not_found`,
 * 429 `rate_limit`, other 4xx `invalid_data`, 5xx `upstream`).
 *
 * All given conditions must hold. A line without `status` also fits answers of status 200 (Last.fm reports errors so).
 */
export interface ErrorRule {
  readonly status?: number | readonly number[] | undefined;
  /** A field of the JSON body, by its path, and the values it may have; numbers also fit their decimal text. */
  readonly field?: { readonly path: string; readonly equals: readonly (string | number)[] } | undefined;
  /** Part of the body's text, letter case ignored. */
  readonly text?: string | undefined;
  readonly code: ErrorCode;
  /** snake_case. @default none */
  readonly reason?: string | undefined;
  readonly hint?: string | undefined;
  /** Overrides the code's own: is the same request worth sending again? */
  readonly retryable?: boolean | undefined;
  /** Wait of a `rate_limit` or `upstream` whose answer does not say how long, in milliseconds. @default none */
  readonly retryAfterMs?: number | undefined;
}
