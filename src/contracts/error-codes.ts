/**
 * The closed set of error codes. A code says what the caller should do; `reason` says precisely what happened.
 *
 * - `auth_expired` connect again: the grant is gone
 * - `rate_limit` try again after `retryAfterMs`; not a failure
 * - `partial_sync` only inside reports: part arrived and is stored, the rest comes next time
 * - `upstream` the service failed; retried already
 * - `invalid_data` the service or the caller sent something of the wrong shape; do not retry
 * - `permission_denied` scopes or rights are missing
 * - `file_parse_error` the user's file cannot be read; `position` says where, `hint` what to do
 * - `not_found` the item, account, connection or import does not exist
 * - `configuration` the host set something up wrongly
 * - `storage` an injected adapter failed
 * - `plugin` a provider broke its contract
 * - `unsupported` the provider cannot do this
 * - `cancelled` the host's `AbortSignal` fired
 */
export const ERROR_CODES = [
  'auth_expired',
  'rate_limit',
  'partial_sync',
  'upstream',
  'invalid_data',
  'permission_denied',
  'file_parse_error',
  'not_found',
  'configuration',
  'storage',
  'plugin',
  'unsupported',
  'cancelled',
] as const;

/** One of {@link ERROR_CODES}. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Where in a file something is wrong. Lines, columns and records count from 1, bytes from 0. */
export interface FilePosition {
  /** File name; inside an archive `archive.zip!path/in/archive.csv`. */
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  /** Number of the record: data row of a CSV (header not counted), element of a JSON list, cell of an HTML page. */
  readonly record?: number | undefined;
  /** Offset in decoded bytes. */
  readonly byte?: number | undefined;
  /** Column name or JSON key. */
  readonly field?: string | undefined;
}
