import type { Clock, Connection, ConnectionVerbs } from '@mca/core/adapter-kit';
import { eraseConnections } from './erasing.ts';
import type { Session } from './session.ts';

interface ConnectionRow {
  readonly id: string;
  readonly userId: string;
  readonly provider: string;
  readonly kind: string;
  readonly account: string;
  readonly status: string;
  readonly settings: string;
  readonly grantedScopes: string;
  readonly createdAt: number;
  readonly lastSyncAt: number | null;
}

const SELECT = `SELECT c.id, u.user_id AS userId, c.provider, c.kind, c.account, c.status, c.settings,
    c.granted_scopes AS grantedScopes, c.created_at AS createdAt, c.last_sync_at AS lastSyncAt
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
        session
          .statement(
            `UPDATE mca_connections SET status = coalesce(?, status), settings = coalesce(?, settings),
               granted_scopes = coalesce(?, granted_scopes), last_sync_at = coalesce(?, last_sync_at) WHERE id = ?`,
          )
          .run(
            patch.status ?? null,
            patch.settings ? JSON.stringify(patch.settings) : null,
            patch.grantedScopes ? JSON.stringify(patch.grantedScopes) : null,
            patch.lastSyncAt?.getTime() ?? null,
            id,
          );
        const row = session.statement(`${SELECT} WHERE c.id = ?`).get(id);
        return row ? decodeConnection(row as ConnectionRow) : undefined;
      }),
    listConnections: (filter) =>
      session.run(() => {
        const columns = { 'c.id': filter.id, 'u.user_id': filter.userId, 'c.provider': filter.provider };
        const asked = Object.entries(columns).flatMap(([column, value]) =>
          value === undefined ? [] : { column, value },
        );
        const where = asked.map(({ column }) => `${column} = ?`).join(' AND ');
        const rows = session
          .statement(`${SELECT} WHERE ${where || 'true'} ORDER BY c.connection_no`)
          .all(...asked.map(({ value }) => value));
        return (rows as ConnectionRow[]).map(decodeConnection);
      }),
    erase: (scope) => session.write(() => ({ items: eraseConnections(session, scope) })),
  };
}

/** The small number that stands for a user in every row. */
export function ensureUser(session: Session, userId: string): number {
  const known = session.statement('SELECT user_no AS userNo FROM mca_users WHERE user_id = ?').get(userId);
  if (known) return (known as { readonly userNo: number }).userNo;
  return Number(session.statement('INSERT INTO mca_users (user_id) VALUES (?)').run(userId).lastInsertRowid);
}

function decodeConnection(row: ConnectionRow): Connection {
  return {
    id: row.id,
    userId: row.userId,
    provider: row.provider,
    kind: row.kind as Connection['kind'],
    account: row.account,
    status: row.status as Connection['status'],
    settings: JSON.parse(row.settings) as Connection['settings'],
    grantedScopes: JSON.parse(row.grantedScopes) as string[],
    createdAt: new Date(row.createdAt),
    ...(row.lastSyncAt !== null && { lastSyncAt: new Date(row.lastSyncAt) }),
  };
}
