import { type ErrorRule, McaError } from '@mca/core/provider-kit';

const CODE = 'subsonic-response.error.code';
const LEGACY =
  'This server may refuse tokens. If the host accepts that the password stands in addresses: field legacyPassword, "yes".';

/**
 * What error answers mean. The Subsonic API answers errors with HTTP 200. Servers that take no tokens answer 10, 40, 41
 * or 42 to one.
 */
export const errors: readonly ErrorRule[] = [
  { field: { path: CODE, equals: [40, 44] }, code: 'auth_expired', reason: 'rejected', hint: LEGACY },
  { field: { path: CODE, equals: [41] }, code: 'auth_expired', reason: 'token_refused', hint: LEGACY },
  { field: { path: CODE, equals: [10] }, code: 'invalid_data', reason: 'parameter_missing', hint: LEGACY },
  { field: { path: CODE, equals: [42, 43] }, code: 'invalid_data', reason: 'auth_mechanism', hint: LEGACY },
  { field: { path: CODE, equals: [20, 30] }, code: 'unsupported', reason: 'protocol_version' },
  { field: { path: CODE, equals: [50] }, code: 'permission_denied' },
  { field: { path: CODE, equals: [60] }, code: 'permission_denied', reason: 'trial_over' },
  { field: { path: CODE, equals: [70] }, code: 'not_found' },
  { field: { path: CODE, equals: [0] }, text: 'required parameter', code: 'invalid_data', reason: 'parameter_missing' },
  { field: { path: CODE, equals: [0] }, text: 'invalid', code: 'invalid_data' },
  { field: { path: 'subsonic-response.status', equals: ['failed'] }, code: 'upstream' },
  // Navidrome's own API.
  { status: 401, text: 'not authenticated', code: 'upstream', reason: 'session_over', retryable: false },
  { status: 401, text: 'invalid username or password', code: 'auth_expired', reason: 'rejected' },
  // A log-in page of a proxy, or an address with nothing behind it.
  {
    status: [301, 302, 401, 403, 404],
    code: 'upstream',
    reason: 'no_subsonic_server',
    retryable: false,
    hint: 'Check the address, with its path; and that no log-in page stands in front of /rest.',
  },
  { status: [410, 501], code: 'unsupported', reason: 'method_missing' },
];

/** A server that gives the same page again and again. */
export function endlessList(what: string): McaError {
  return new McaError({
    code: 'upstream',
    reason: 'endless_list',
    provider: 'navidrome',
    retryable: false,
    message: `The server gives the same ${what} again and again, whatever part of the list it is asked for.`,
    hint: 'Look for a newer release of the server, and for a proxy that keeps answers.',
  });
}
