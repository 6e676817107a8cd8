import type { ErrorRule } from '@mca/core/provider-kit';

/** Calls are counted over a rolling window of this length; answers without `Retry-After` get one of it. */
const WINDOW_MS = 30_000;
const CONNECT_AGAIN = 'Let the user connect again and agree to everything that is asked for.';

/** What its error answers mean. A 401 about scopes is not about the token: renewing that would change nothing. */
export const errors: readonly ErrorRule[] = [
  {
    status: 401,
    text: 'permissions missing',
    code: 'permission_denied',
    reason: 'missing_scopes',
    hint: CONNECT_AGAIN,
  },
  { status: 401, code: 'auth_expired', reason: 'token_rejected' },
  {
    status: 403,
    text: 'insufficient client scope',
    code: 'permission_denied',
    reason: 'missing_scopes',
    hint: CONNECT_AGAIN,
  },
  {
    status: 403,
    text: 'user may not be registered',
    code: 'permission_denied',
    reason: 'user_not_registered',
    hint: 'Your app is in development mode: add the user on its page at developer.spotify.com. There is room for five.',
  },
  {
    status: 403,
    text: 'premium subscription required',
    code: 'permission_denied',
    reason: 'owner_not_premium',
    hint: 'The owner of the app needs Spotify Premium. After paying it takes some hours.',
  },
  {
    status: 429,
    text: 'QUOTA_EXCEEDED',
    code: 'rate_limit',
    reason: 'quota_exceeded',
    retryAfterMs: WINDOW_MS,
    hint: 'The quota of development mode is counted over all client ids of your developer account.',
  },
  { status: 429, code: 'rate_limit', retryAfterMs: WINDOW_MS },
];
