import { McaError } from '../contracts/errors.ts';

/**
 * - `refused` the grant is gone: `invalid_grant`; or a device flow will never give one
 * - `client` the service does not accept the host's own client id or secret
 * - `pending` and `slow_down` a device flow whose user has not answered yet
 * - `denied` the user said no
 * - `transient` anything else: tokens are kept and it is tried again
 */
export type TokenFailureKind = 'refused' | 'client' | 'pending' | 'slow_down' | 'denied' | 'transient';

/** Why an endpoint gave no tokens, and what follows. Never leaves this folder: hosts meet its `error`. */
export class TokenFailure extends Error {
  override readonly name = 'TokenFailure';
  readonly kind: TokenFailureKind;
  /** The service may have acted on the request although we have no usable answer. */
  readonly ambiguous: boolean;
  readonly error: McaError;

  constructor(kind: TokenFailureKind, error: McaError, ambiguous = false) {
    super(error.message);
    this.kind = kind;
    this.error = error;
    this.ambiguous = ambiguous;
  }
}

/** What an `error` of an endpoint means. `host` is all that is told of where it came from. */
export function refusalOf(oauthError: string, status: number, provider: string, host: string): TokenFailure {
  const named = { provider, retryable: false };
  // A gateway that is down may echo anything; only the service itself takes a grant back.
  if (status < 500) {
    if (oauthError === 'invalid_grant' || oauthError === 'expired_token') {
      return new TokenFailure(
        'refused',
        new McaError({
          ...named,
          code: 'auth_expired',
          reason: oauthError === 'expired_token' ? 'expired' : 'revoked',
          message: `${host} does not accept the grant any more.`,
          hint: 'Let the user connect the account again.',
        }),
      );
    }
    if (oauthError === 'invalid_client' || oauthError === 'unauthorized_client') {
      return new TokenFailure(
        'client',
        new McaError({
          ...named,
          code: 'configuration',
          reason: 'invalid_client',
          message: `${host} does not accept the client id or secret.`,
          hint: 'Compare both with the page of your app at the service. Tokens are kept: nobody has to connect again.',
        }),
      );
    }
    if (oauthError === 'authorization_pending' || oauthError === 'slow_down') {
      const kind = oauthError === 'slow_down' ? 'slow_down' : 'pending';
      return new TokenFailure(kind, transientError(provider, host, 'authorization_pending'));
    }
    if (oauthError === 'access_denied') return new TokenFailure('denied', accessDenied(provider));
  }
  // The name is the service's own text: only the known ones are told.
  const reason = /^(?:invalid_request|invalid_scope|unsupported_grant_type|temporarily_unavailable|server_error)$/.test(
    oauthError,
  )
    ? oauthError
    : 'unexpected_answer';
  return new TokenFailure('transient', transientError(provider, host, reason), status >= 500);
}

/** The user said no on the service's page. */
export function accessDenied(provider: string): McaError {
  return new McaError({
    code: 'permission_denied',
    reason: 'access_denied',
    provider,
    message: 'The user did not agree to connect the account.',
  });
}

/** A failure that may pass. */
export function transientError(provider: string, host: string, reason: string, retryAfterMs?: number): McaError {
  return new McaError({
    code: reason === 'too_many_requests' ? 'rate_limit' : 'upstream',
    reason,
    provider,
    message: `${host} gave no tokens.`,
    hint: 'Tokens are kept; it is tried again later.',
    retryAfterMs,
  });
}

/** The service answers polls of a device flow with `unsupported_grant_type`: it will never give tokens so. */
export function noDeviceFlow(provider: string, host: string): McaError {
  return new McaError({
    code: 'configuration',
    reason: 'unsupported_grant_type',
    provider,
    message: `${host} gives no tokens to devices.`,
    hint: 'Look up whether your app may use the device flow. Authors of the provider: see `poll` of the strategy.',
  });
}

/** What kept an answer from coming, as a failure that may pass. */
export function asTransient(error: unknown, provider: string, host: string): McaError {
  if (!McaError.isInstance(error)) return transientError(provider, host, 'network');
  if (error.code === 'cancelled') return error;
  return transientError(provider, host, error.reason ?? 'network');
}

/** Nothing reached the service when no connection came about. Anything else may have. */
export function wasSent(error: unknown): boolean {
  const cause = McaError.isInstance(error) ? (error as { readonly cause?: unknown }).cause : error;
  return !/ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|CONNECT_TIMEOUT/.test(String(cause));
}
