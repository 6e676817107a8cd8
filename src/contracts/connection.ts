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
  /** Label of the account, empty when the user has only one. Several accounts of one provider are several connections. */
  readonly account: string;
  readonly status: ConnectionStatus;
  readonly settings: { readonly [key: string]: Json };
  readonly grantedScopes: readonly string[];
  readonly createdAt: Date;
  readonly lastSyncAt?: Date | undefined;
}
