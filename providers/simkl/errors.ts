import type { ErrorRule } from '@mca/core/provider-kit';

/** Reason of a refusal that means a wrong client id, or one whose requests are used up. */
export const CLIENT_ID_FAILED = 'client_id_failed';

/** What its error answers mean: by the `error` of the body where that says more, else by the status. 5xx may be HTML. */
export const errors: readonly ErrorRule[] = [
  { status: 400, code: 'invalid_data', reason: 'bad_request' },
  {
    status: 401,
    code: 'auth_expired',
    reason: 'token_rejected',
    hint: 'There are no refresh tokens: let the user connect the account again.',
  },
  {
    status: 403,
    code: 'permission_denied',
    reason: 'app_not_allowed',
    hint: 'Check clientId given to simkl(), and whether the app is approved, at simkl.com/settings/developer.',
  },
  { status: 404, field: { path: 'error', equals: ['id_err'] }, code: 'not_found', reason: 'unknown_id' },
  { status: 404, field: { path: 'error', equals: ['url_failed'] }, code: 'not_found', reason: 'unknown_address' },
  { status: 404, code: 'not_found' },
  { status: 405, code: 'invalid_data', reason: 'wrong_method' },
  { status: 409, code: 'invalid_data', reason: 'already_there' },
  {
    status: 412,
    code: 'permission_denied',
    reason: CLIENT_ID_FAILED,
    hint: 'Check clientId given to simkl(). Simkl answers the same when all requests of an app are used up.',
  },
  // Retry-After is not documented: without one the core backs off by itself.
  { status: 429, code: 'rate_limit' },
];
