import {
  type ConnectionRow,
  type ConnectionVerbs,
  decodeConnection,
  encodePatch,
  type PatchField,
  unknownConnection,
} from '@mca/core/adapter-kit';
import { eraseConnections } from './erasing.ts';
import type { Queries, Session } from './session.ts';
import { join, raw, type Sql, sql, text, whole } from './sql.ts';

/** Select list for `ConnectionRow`. The connections are called `c`, the users `u`. */
export const CONNECTION_COLUMNS: Sql =
  raw(`c.id, u.user_id AS "userId", c.provider, c.kind, c.account, c.label, c.status,
    c.status_reason AS "statusReason", c.settings, c.granted_scopes AS "grantedScopes", c.created_at::float8 AS "createdAt",
    c.last_sync_at::float8 AS "lastSyncAt", c.authorized_at::float8 AS "authorizedAt",
    c.authorization_expires_at::float8 AS "authorizationExpiresAt"`);

const textIn = (column: string) => ({ column, type: 'text' });
const instantIn = (column: string) => ({ column, type: 'bigint' });

/** Columns of what a patch may name. */
const PATCHED: Readonly<Record<PatchField, { readonly column: string; readonly type: string }>> = {
  status: textIn('status'),
  statusReason: textIn('status_reason'),
  label: textIn('label'),
  settings: textIn('settings'),
  grantedScopes: textIn('granted_scopes'),
  lastSyncAt: instantIn('last_sync_at'),
  authorizedAt: instantIn('authorized_at'),
  authorizationExpiresAt: instantIn('authorization_expires_at'),
};

/** Numbers of a connection and its user. */
export interface ConnectionNumbers {
  readonly connectionNo: number;
  readonly userNo: number;
}

/** Connections as rows. */
export function connectionVerbs(session: Session): ConnectionVerbs {
  const { connections, mca_now, users } = session.names;
  const select = sql`SELECT ${CONNECTION_COLUMNS} FROM ${connections} c JOIN ${users} u ON u.user_no = c.user_no`;
  return {
    async ensureConnection({ id, userId, provider, kind, account }) {
      const find = sql`${select} WHERE u.user_id = ${text(userId)} AND c.provider = ${text(provider)}
        AND c.kind = ${text(kind)} AND c.account = ${text(account)}`;
      const known = await session.row<ConnectionRow>(find);
      if (known) return decodeConnection(known);
      return session.write(async (transaction) => {
        // Written also when it is there: that keeps the user from being erased before the end of this.
        await transaction.row(
          sql`WITH owner AS (INSERT INTO ${users} (user_id) VALUES (${text(userId)})
                ON CONFLICT (user_id) DO UPDATE SET user_id = excluded.user_id RETURNING user_no)
              INSERT INTO ${connections}
                (id, user_no, provider, kind, account, status, settings, granted_scopes, created_at)
              SELECT ${text(id)}, user_no, ${text(provider)}, ${text(kind)}, ${text(account)}, 'active', '{}', '[]',
                ${mca_now}() FROM owner
              ON CONFLICT (user_no, provider, kind, account) DO NOTHING`,
        );
        const row = await transaction.row<ConnectionRow>(find);
        if (!row) throw unknownConnection(id);
        return decodeConnection(row);
      });
    },
    async updateConnection(id, patch) {
      const changes = encodePatch(patch).map(([field, value]) => {
        const { column, type } = PATCHED[field];
        return sql`${raw(column)} = ${{ value, type }}`;
      });
      const row = await session.row<ConnectionRow>(
        changes.length === 0
          ? sql`${select} WHERE c.id = ${text(id)}`
          : sql`UPDATE ${connections} c SET ${join(changes, ', ')} FROM ${users} u WHERE u.user_no = c.user_no AND c.id = ${text(id)} RETURNING ${CONNECTION_COLUMNS}`,
      );
      return row && decodeConnection(row);
    },
    async listConnections(filter) {
      const columns = { 'c.id': filter.id, 'u.user_id': filter.userId, 'c.provider': filter.provider };
      const asked = Object.entries(columns).flatMap(([column, value]) =>
        value === undefined ? [] : [sql`${raw(column)} = ${text(value)}`],
      );
      const endsBefore = filter.consentEndsBefore?.getTime();
      if (endsBefore !== undefined) {
        asked.push(sql`c.status = 'active' AND c.authorization_expires_at < ${whole(endsBefore)}`);
      }
      const rows = await session.rows<ConnectionRow>(
        sql`${select} WHERE ${asked.length === 0 ? raw('true') : join(asked, ' AND ')} ORDER BY c.connection_no`,
      );
      return rows.map(decodeConnection);
    },
    erase: (scope) =>
      session.write(async (transaction) => ({ items: await eraseConnections(session, transaction, scope) })),
  };
}

/** Numbers of a connection, which stays until the end of the transaction. */
export async function findConnection(session: Session, transaction: Queries, id: string): Promise<ConnectionNumbers> {
  const row = await transaction.row<ConnectionNumbers>(
    sql`SELECT connection_no::float8 AS "connectionNo", user_no::float8 AS "userNo" FROM ${session.names.connections}
        WHERE id = ${text(id)} FOR KEY SHARE`,
  );
  if (!row) throw unknownConnection(id);
  return row;
}
