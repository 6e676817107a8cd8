import {
  type Clock,
  type ConnectionRow,
  type ConnectionVerbs,
  decodeConnection,
  encodePatch,
  type PatchField,
  unknownConnection,
} from '@mca/core/adapter-kit';
import { eraseConnections } from './erasing.ts';
import type { Session } from './session.ts';

/** Select list for `ConnectionRow`. The connections are called `c`, the users `u`. */
export const CONNECTION_COLUMNS: string = `c.id, u.user_id AS userId, c.provider, c.kind, c.account, c.label, c.status,
    c.status_reason AS statusReason, c.settings, c.granted_scopes AS grantedScopes, c.created_at AS createdAt,
    c.last_sync_at AS lastSyncAt, c.authorized_at AS authorizedAt, c.authorization_expires_at AS authorizationExpiresAt`;

/** Columns of what a patch may name. */
const PATCHED: Readonly<Record<PatchField, string>> = {
  status: 'status',
  statusReason: 'status_reason',
  label: 'label',
  settings: 'settings',
  grantedScopes: 'granted_scopes',
  lastSyncAt: 'last_sync_at',
  authorizedAt: 'authorized_at',
  authorizationExpiresAt: 'authorization_expires_at',
};

const SELECT = `SELECT ${CONNECTION_COLUMNS}
  FROM mca_connections c JOIN mca_users u ON u.user_no = c.user_no`;

/** Connections as rows. */
export function connectionVerbs(session: Session, clock: Clock): ConnectionVerbs {
  return {
    ensureConnection: ({ id, userId, provider, kind, account }) =>
      session.write(() => {
        const userNo = ensureUser(session, userId);
        session
          .statement(
            `INSERT INTO mca_connections (id, user_no, provider, kind, account, status, settings, granted_scopes, created_at)
             VALUES (?, ?, ?, ?, ?, 'active', '{}', '[]', ?) ON CONFLICT (user_no, provider, kind, account) DO NOTHING`,
          )
          .run(id, userNo, provider, kind, account, clock.now());
        const row = session
          .statement(`${SELECT} WHERE c.user_no = ? AND c.provider = ? AND c.kind = ? AND c.account = ?`)
          .get(userNo, provider, kind, account);
        return decodeConnection(row as ConnectionRow);
      }),
    updateConnection: (id, patch) =>
      session.write(() => {
        const changes = encodePatch(patch);
        if (changes.length > 0) {
          const assignments = changes.map(([field]) => `${PATCHED[field]} = ?`).join(', ');
          session
            .statement(`UPDATE mca_connections SET ${assignments} WHERE id = ?`)
            .run(...changes.map(([, value]) => value), id);
        }
        const row = session.statement(`${SELECT} WHERE c.id = ?`).get(id);
        return row ? decodeConnection(row as ConnectionRow) : undefined;
      }),
    listConnections: (filter) =>
      session.run(() => {
        const columns = { 'c.id': filter.id, 'u.user_id': filter.userId, 'c.provider': filter.provider };
        const asked = Object.entries(columns).flatMap(([column, value]) =>
          value === undefined ? [] : { column, value },
        );
        const endsBefore = filter.consentEndsBefore?.getTime();
        const where = [
          ...asked.map(({ column }) => `${column} = ?`),
          ...(endsBefore === undefined ? [] : [`c.status = 'active' AND c.authorization_expires_at < ?`]),
        ].join(' AND ');
        const rows = session
          .statement(`${SELECT} WHERE ${where || 'true'} ORDER BY c.connection_no`)
          .all(...asked.map(({ value }) => value), ...(endsBefore === undefined ? [] : [endsBefore]));
        return (rows as ConnectionRow[]).map(decodeConnection);
      }),
    erase: (scope) => session.write(() => ({ items: eraseConnections(session, scope) })),
  };
}

/** Numbers of a connection and its user, for writing about it. */
export function findConnection(
  session: Session,
  id: string,
): { readonly connectionNo: number; readonly userNo: number } {
  const row = session
    .statement('SELECT connection_no AS connectionNo, user_no AS userNo FROM mca_connections WHERE id = ?')
    .get(id);
  if (!row) throw unknownConnection(id);
  return row as { readonly connectionNo: number; readonly userNo: number };
}

/** The small number that stands for a user in every row. */
export function ensureUser(session: Session, userId: string): number {
  const known = session.statement('SELECT user_no AS userNo FROM mca_users WHERE user_id = ?').get(userId);
  if (known) return (known as { readonly userNo: number }).userNo;
  return Number(session.statement('INSERT INTO mca_users (user_id) VALUES (?)').run(userId).lastInsertRowid);
}
