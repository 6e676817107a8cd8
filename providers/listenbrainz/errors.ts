import type { ErrorRule } from '@mca/core/provider-kit';

/** Reset-In is on every answer; a server without it gets the length of its default window. */
const WINDOW_MS = 10_000;

/** What its error answers mean. A 401 is not always about the token. */
export const errors: readonly ErrorRule[] = [
  { status: 401, text: 'insufficient scope', code: 'permission_denied', reason: 'missing_scopes' },
  {
    status: 401,
    text: 'verified email',
    code: 'permission_denied',
    reason: 'email_not_verified',
    hint: 'The user has to verify the e-mail address of the MetaBrainz account.',
  },
  { status: 401, text: 'account is paused', code: 'permission_denied', reason: 'account_paused' },
  { status: 401, text: 'AI scrapers', code: 'permission_denied', reason: 'token_required' },
  { status: 401, code: 'auth_expired', reason: 'token_rejected' },
  { status: 404, text: 'cannot find user', code: 'not_found', reason: 'unknown_user' },
  { status: 429, code: 'rate_limit', retryAfterMs: WINDOW_MS },
];
