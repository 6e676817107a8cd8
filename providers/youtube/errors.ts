import type { ErrorRule } from '@mca/core/provider-kit';

/** Where Google says why. Lists and status are optional, so several places are looked at. */
const REASON = 'error.errors.0.reason';
const DETAIL = 'error.details.0.reason';

/**
 * The day's units come back at midnight in California; an answer does not say when that is, so it is asked again every
 * two hours at the most.
 */
const QUOTA_WAIT_MS = 2 * 3_600_000;

/** What its error answers mean, by the reason first, then by the status. */
export const errors: readonly ErrorRule[] = [
  {
    field: { path: REASON, equals: ['quotaExceeded', 'dailyLimitExceeded'] },
    code: 'rate_limit',
    reason: 'quota_exceeded',
    retryAfterMs: QUOTA_WAIT_MS,
    hint: 'The units of your Google Cloud project are used up for today; all of its users share them.',
  },
  { field: { path: REASON, equals: ['rateLimitExceeded', 'userRateLimitExceeded'] }, code: 'rate_limit' },
  {
    field: { path: REASON, equals: ['youtubeSignupRequired'] },
    code: 'permission_denied',
    reason: 'no_channel',
    hint: 'The Google account has no YouTube channel.',
  },
  {
    field: { path: REASON, equals: ['insufficientPermissions'] },
    code: 'permission_denied',
    reason: 'missing_scopes',
    hint: 'Let the user connect again and agree to everything that is asked for.',
  },
  {
    field: { path: DETAIL, equals: ['ACCESS_TOKEN_SCOPE_INSUFFICIENT'] },
    code: 'permission_denied',
    reason: 'missing_scopes',
    hint: 'Let the user connect again and agree to everything that is asked for.',
  },
  {
    field: { path: REASON, equals: ['accessNotConfigured'] },
    code: 'permission_denied',
    reason: 'api_disabled',
    hint: 'Switch the YouTube Data API v3 on in your Google Cloud project.',
  },
  {
    field: { path: REASON, equals: ['watchHistoryNotAccessible', 'watchLaterNotAccessible'] },
    code: 'permission_denied',
    reason: 'takeout_only',
    hint: 'YouTube gives this in Google Takeout only: import that.',
  },
  { field: { path: REASON, equals: ['invalidPageToken'] }, code: 'invalid_data', reason: 'cursor_invalid' },
  { field: { path: REASON, equals: ['playlistNotFound'] }, code: 'not_found', reason: 'playlist_unknown' },
  { status: 400, text: 'API_KEY_INVALID', code: 'configuration', reason: 'invalid_client' },
  { status: 401, code: 'auth_expired', reason: 'token_rejected' },
  { status: 409, code: 'upstream' },
];
