import type { ErrorCode, ErrorRule } from '@mca/core/provider-kit';

const KEY_HINT = 'Compare the API key with https://www.themoviedb.org/settings/api. TMDB keys do not expire.';

/** What its error answers mean: by HTTP first, then by the `status_code` of the body. Proxies answer 5xx in HTML. */
export const errors: readonly ErrorRule[] = [
  rule(401, [7], 'permission_denied', 'invalid_key', KEY_HINT),
  rule(401, [10], 'permission_denied', 'suspended_key', 'TMDB has suspended the API key: ask there why.'),
  rule(401, [16, 17, 33, 35], 'auth_expired', 'session_ended'),
  { status: 401, code: 'permission_denied', reason: 'not_allowed' },
  rule(403, [8], 'invalid_data', 'already_there'),
  rule(403, [45], 'permission_denied', 'suspended_user'),
  rule(404, [37], 'auth_expired', 'session_ended'),
  { status: 404, code: 'not_found' },
  { status: 405, code: 'invalid_data', reason: 'wrong_method' },
  { status: 406, code: 'invalid_data', reason: 'wrong_accept_header' },
  { status: [400, 422], code: 'invalid_data', reason: 'bad_request' },
  // Retry-After is not documented: without one the core backs off by itself.
  { status: 429, code: 'rate_limit' },
  rule(503, [9, 46], 'upstream', 'maintenance'),
  { status: [502, 504], code: 'upstream', reason: 'overloaded' },
];

function rule(
  status: number,
  equals: readonly number[],
  code: ErrorCode,
  reason: string,
  hint?: string | undefined,
): ErrorRule {
  return { status, field: { path: 'status_code', equals }, code, reason, hint };
}
