import type { Connection } from '../contracts/connection.ts';
import type { ConnectionPatch } from '../contracts/storage/index.ts';

/** A connection as columns hold it: times as epoch milliseconds, lists and objects as JSON text, `null` for what is absent. */
export interface ConnectionRow {
  readonly id: string;
  readonly userId: string;
  readonly provider: string;
  readonly kind: string;
  readonly account: string;
  readonly label: string | null;
  readonly status: string;
  readonly statusReason: string | null;
  readonly settings: string;
  readonly grantedScopes: string;
  readonly createdAt: number;
  readonly lastSyncAt: number | null;
  readonly authorizedAt: number | null;
  readonly authorizationExpiresAt: number | null;
}

/** The connection of a row. Absent fields are left out rather than set to `undefined`, as with items. */
export function decodeConnection(row: ConnectionRow): Connection {
  return {
    id: row.id,
    userId: row.userId,
    provider: row.provider,
    kind: row.kind as Connection['kind'],
    account: row.account,
    ...(row.label !== null && { label: row.label }),
    status: row.status as Connection['status'],
    ...(row.statusReason !== null && { statusReason: row.statusReason }),
    settings: JSON.parse(row.settings) as Connection['settings'],
    grantedScopes: JSON.parse(row.grantedScopes) as string[],
    createdAt: new Date(row.createdAt),
    ...(row.lastSyncAt !== null && { lastSyncAt: new Date(row.lastSyncAt) }),
    ...(row.authorizedAt !== null && { authorizedAt: new Date(row.authorizedAt) }),
    ...(row.authorizationExpiresAt !== null && { authorizationExpiresAt: new Date(row.authorizationExpiresAt) }),
  };
}

/** A field that a patch may name. */
export type PatchField = keyof ConnectionPatch;

/** The fields that a patch names, with what they become in a row. `undefined` names nothing, `null` clears. */
export function encodePatch(patch: ConnectionPatch): readonly (readonly [PatchField, string | number | null])[] {
  const row: Readonly<Record<PatchField, string | number | null | undefined>> = {
    status: patch.status,
    statusReason: patch.statusReason,
    label: patch.label,
    settings: patch.settings && JSON.stringify(patch.settings),
    grantedScopes: patch.grantedScopes && JSON.stringify(patch.grantedScopes),
    lastSyncAt: patch.lastSyncAt?.getTime(),
    authorizedAt: patch.authorizedAt === null ? null : patch.authorizedAt?.getTime(),
    authorizationExpiresAt: patch.authorizationExpiresAt === null ? null : patch.authorizationExpiresAt?.getTime(),
  };
  return Object.entries(row).flatMap(([field, value]) =>
    value === undefined ? [] : [[field as PatchField, value] as const],
  );
}
