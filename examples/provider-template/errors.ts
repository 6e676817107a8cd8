import type { ErrorRule } from '@mca/core/provider-kit';

/**
 * What its error answers mean, the special before the general. After the last line come the defaults of HTTP: 401
 * `auth_expired`, 403 `permission_denied`, 404 `not_found`, 429 `rate_limit`, other 4xx `invalid_data`, 5xx `upstream`.
 */
export const errors: readonly ErrorRule[] = [
  // The code decides what the core does: `auth_expired` makes the user connect again, `rate_limit` waits, …
  {
    status: 403,
    field: { path: 'error', equals: ['history_private'] },
    code: 'permission_denied',
    reason: 'private_history',
  },
  // A page token that ran out. The core begins the walk again where the stored items end.
  { status: 400, field: { path: 'error', equals: ['page_unknown'] }, code: 'invalid_data', reason: 'cursor_invalid' },
  // For answers that do not say how long to wait.
  { status: 429, code: 'rate_limit', retryAfterMs: 60_000 },
];
