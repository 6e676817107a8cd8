import type { ErrorRule } from '@mca/core/provider-kit';

/** Nothing says how long to wait; this much was enough in practice. */
const WAIT_MS = 60_000;
const SERVER_FAULTS = [500, 502, 503, 504];

const numbered = (...numbers: number[]): NonNullable<ErrorRule['field']> => ({ path: 'error', equals: numbers });

/** Its own number goes before the status: errors come with status 200, 400, 403, 404, 429, 500 or 503 as it pleases. */
export const errors: readonly ErrorRule[] = [
  { field: numbered(29), code: 'rate_limit', retryAfterMs: WAIT_MS },
  { field: numbered(8, 11, 16), code: 'upstream', reason: 'try_again' },
  { status: SERVER_FAULTS, field: numbered(2), code: 'upstream', reason: 'service_offline' },
  { field: numbered(9), code: 'auth_expired', reason: 'session_revoked' },
  { field: numbered(4), code: 'auth_expired', reason: 'authentication_failed' },
  { field: numbered(15), code: 'auth_expired', reason: 'token_expired' },
  {
    field: numbered(14),
    code: 'permission_denied',
    reason: 'token_not_approved',
    hint: 'The user has not approved yet.',
  },
  {
    field: numbered(17),
    code: 'permission_denied',
    reason: 'private_history',
    hint: 'The user hides recent listening: connect through the log-in page, or turn it off in the privacy settings.',
  },
  {
    field: numbered(10),
    code: 'permission_denied',
    reason: 'invalid_api_key',
    hint: 'Check apiKey given to lastfm().',
  },
  { field: numbered(26), code: 'permission_denied', reason: 'api_key_suspended' },
  { field: numbered(12, 18), code: 'permission_denied', reason: 'subscribers_only' },
  { field: numbered(6), text: 'not found', code: 'not_found', reason: 'unknown_user' },
  { field: numbered(7, 20, 21, 22, 23, 24, 25), code: 'not_found' },
  {
    field: numbered(13),
    code: 'invalid_data',
    reason: 'invalid_signature',
    hint: 'Check sharedSecret given to lastfm().',
  },
  { field: numbered(2, 3, 5, 6, 27), code: 'invalid_data' },
  // Without a number of its own, 400 on a plain read passes by itself.
  { status: 400, code: 'upstream', reason: 'try_again' },
  { status: 429, code: 'rate_limit', retryAfterMs: WAIT_MS },
];
