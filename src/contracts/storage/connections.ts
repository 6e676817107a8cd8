import type { Connection, ConnectionKind, ConnectionStatus } from '../connection.ts';
import type { Json } from '../media-item.ts';

/** What may change about a connection. */
export interface ConnectionPatch {
  readonly status?: ConnectionStatus | undefined;
  /** `null` clears. */
  readonly statusReason?: string | null | undefined;
  readonly label?: string | undefined;
  readonly settings?: { readonly [key: string]: Json } | undefined;
  readonly grantedScopes?: readonly string[] | undefined;
  readonly lastSyncAt?: Date | undefined;
  /** `null` clears. */
  readonly authorizedAt?: Date | null | undefined;
  /** `null` clears. */
  readonly authorizationExpiresAt?: Date | null | undefined;
}

/**
 * Connections and the erasing of users.
 *
 * - `CONN-1` ensuring the same (user, provider, kind, account) twice gives one connection, also from many callers at once
 * - `CONN-2` a patch changes what it names and nothing else; an unknown id answers `undefined`
 * - `CONN-3` listing shows only what the filter asks for, oldest first
 * - `CONN-4` erasing a user removes items, imports, connections, cursors, parked records, sync log, schedules, connect states, leases and feed entries, and nobody else's
 * - `CONN-5` erasing one connection leaves the user's other connections whole
 */
export interface ConnectionVerbs {
  /** Finds or makes the connection. `id` is used when it has to be made. */
  ensureConnection(request: {
    readonly id: string;
    readonly userId: string;
    readonly provider: string;
    readonly kind: ConnectionKind;
    readonly account: string;
  }): Promise<Connection>;
  /** Changes a connection and answers what it is now. */
  updateConnection(id: string, patch: ConnectionPatch): Promise<Connection | undefined>;
  /** Connections that match all given fields. */
  listConnections(filter: {
    readonly id?: string | undefined;
    readonly userId?: string | undefined;
    readonly provider?: string | undefined;
    /** Only `active` ones whose consent ends before this instant. */
    readonly consentEndsBefore?: Date | undefined;
  }): Promise<readonly Connection[]>;
  /** Removes every trace of a user, or of one connection, and says how many items went. */
  erase(scope: {
    readonly userId: string;
    readonly connectionId?: string | undefined;
  }): Promise<{ readonly items: number }>;
}
