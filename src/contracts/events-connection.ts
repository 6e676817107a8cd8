import type { ErrorCode } from './error-codes.ts';

/** Where something happened. */
export interface AtConnection {
  readonly provider: string;
  readonly connectionId: string;
  readonly userId: string;
}

/** An account was connected, connected again, or let go. */
export interface ConnectionEvent extends AtConnection {
  readonly type: 'connected' | 'reconnected' | 'disconnected';
  /** Scopes that were asked for and not granted. */
  readonly missingScopes: readonly string[];
}

/** New tokens are stored. */
export interface TokenRefreshedEvent extends AtConnection {
  readonly type: 'token_refreshed';
}

/** Tokens could not be refreshed; they are kept and tried again. */
export interface RefreshFailedEvent extends AtConnection {
  readonly type: 'refresh_failed';
  readonly code: ErrorCode;
  readonly reason?: string | undefined;
  /** Nothing is asked before this instant, epoch milliseconds. */
  readonly retryAt: number;
}

/**
 * The user has to connect again: ask them to. A process that dies may take the event along; the status `needs_reauth` of
 * the connection stays.
 */
export interface ReauthRequiredEvent extends AtConnection {
  readonly type: 'reauth_required';
  /** `revoked`, `expired`, `ambiguous`, `exhausted`, `rejected`, … */
  readonly reason: string;
}

/** The user's consent will end: ask them to renew it in time. Told 14 and 3 days before. */
export interface ReauthDueEvent extends AtConnection {
  readonly type: 'reauth_due';
  readonly authorizationExpiresAt: Date;
  readonly daysLeft: 14 | 3;
}

/**
 * A sync was refused because the user did not grant what it needs: ask them to connect again and agree to these. Told by
 * each such sync.
 */
export interface ScopesMissingEvent extends AtConnection {
  readonly type: 'scopes_missing';
  /** The capability that was to be synced. */
  readonly capability: string;
  /** Scopes as the service names them. */
  readonly missing: readonly string[];
}
