import type { ErrorRule } from '@mca/core/provider-kit';

/** What Trakt asks clients to wait when it is overloaded. */
const OVERLOADED_MS = 30_000;

/** What its error answers mean. Bodies are empty or HTML as often as not, so nearly all goes by the status. */
export const errors: readonly ErrorRule[] = [
  { status: 400, code: 'invalid_data', reason: 'bad_request' },
  { status: 401, code: 'auth_expired', reason: 'token_rejected' },
  {
    status: 403,
    text: '<html',
    code: 'permission_denied',
    reason: 'blocked_by_proxy',
    hint: 'The proxy in front of Trakt refused the request: give a userAgent of your own to trakt(), like MyApp/1.0.0.',
  },
  {
    status: 403,
    code: 'permission_denied',
    reason: 'app_not_allowed',
    hint: 'Check clientId given to trakt(), and whether the app is approved for this, at app.trakt.tv/settings/apps/api.',
  },
  { status: 404, code: 'not_found' },
  { status: 405, code: 'invalid_data', reason: 'wrong_method' },
  { status: 409, code: 'invalid_data', reason: 'already_there' },
  { status: 412, code: 'invalid_data', reason: 'missing_headers' },
  {
    status: 420,
    code: 'permission_denied',
    reason: 'account_limit',
    hint: 'The account holds as much as it may; Trakt VIP raises the limits. Waiting changes nothing.',
  },
  { status: 422, code: 'invalid_data', reason: 'invalid_values' },
  {
    status: 423,
    code: 'permission_denied',
    reason: 'account_locked',
    hint: 'The account is locked or deactivated: its owner has to write to support@trakt.tv.',
  },
  { status: 426, code: 'permission_denied', reason: 'vip_only', hint: 'Only accounts with Trakt VIP may do this.' },
  // Without Retry-After the core backs off by itself.
  { status: 429, code: 'rate_limit' },
  { status: [502, 503, 504], code: 'upstream', reason: 'overloaded', retryAfterMs: OVERLOADED_MS },
  { status: [520, 521, 522], code: 'upstream', reason: 'unreachable' },
];
