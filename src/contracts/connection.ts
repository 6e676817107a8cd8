import type { Json } from './media-item.ts';

/** How a connection gets its data: by files the user hands over, or from the service's API. */
export type ConnectionKind = 'file' | 'api';

/**
 * - `active` works
 * - `disabled` switched off by the host
 * - `needs_reauth` the user has to connect again
 * - `disconnected` ended by the user; its items stay until erased
 */
export type ConnectionStatus = 'active' | 'disabled' | 'needs_reauth' | 'disconnected';

/** One user's link to one account of one provider. */
export interface Connection {
  readonly id: string;
  readonly userId: string;
  readonly provider: string;
  readonly kind: ConnectionKind;
  /** The service's id of the account, or a label for imported files; empty when the user has only one. Several accounts of one provider are several connections. */
  readonly account: string;
  /** Name of the account to show. */
  readonly label?: string | undefined;
  readonly status: ConnectionStatus;
  /** Why the status is what it is, in snake_case: `revoked`, `expired`, `ambiguous`, … */
  readonly statusReason?: string | undefined;
  readonly settings: { readonly [key: string]: Json };
  readonly grantedScopes: readonly string[];
  readonly createdAt: Date;
  readonly lastSyncAt?: Date | undefined;
  /** When the user last agreed. */
  readonly authorizedAt?: Date | undefined;
  /** When that consent ends whatever is refreshed. */
  readonly authorizationExpiresAt?: Date | undefined;
}
