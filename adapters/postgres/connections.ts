import { type Connection, type ConnectionPatch, type ConnectionVerbs, unknownConnection } from '@mca/core/adapter-kit';
import { eraseConnections } from './erasing.ts';
import type { Queries, Session } from './session.ts';
import { type Bound, join, raw, type Sql, sql, text, whole } from './sql.ts';

/** A connection as {@link CONNECTION_COLUMNS} give it. */
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

/** Select list for {@link ConnectionRow}. The connections are called `c`, the users `u`. */
export const CONNECTION_COLUMNS: Sql =
  raw(`c.id, u.user_id AS "userId", c.provider, c.kind, c.account, c.label, c.status,
    c.status_reason AS "statusReason", c.settings, c.granted_scopes AS "grantedScopes", c.created_at::float8 AS "createdAt",
    c.last_sync_at::float8 AS "lastSyncAt", c.authorized_at::float8 AS "authorizedAt",
    c.authorization_expires_at::float8 AS "authorizationExpiresAt"`);

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
      const changes = changesOf(patch);
      const row = await session.row<ConnectionRow>(
        changes.length === 0
          ? sql`${select} WHERE c.id = ${text(id)}`
          : sql`UPDATE ${connections} c SET ${join(
              changes.map(([column, value]) => sql`${raw(column)} = ${value}`),
              ', ',
            )} FROM ${users} u WHERE u.user_no = c.user_no AND c.id = ${text(id)} RETURNING ${CONNECTION_COLUMNS}`,
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

/** The columns that a patch names, with what they become. `undefined` names nothing, `null` clears. */
function changesOf(patch: ConnectionPatch): readonly (readonly [string, Bound])[] {
  const named: Readonly<Record<string, Bound | undefined>> = {
    status: ifNamed(patch.status, text),
    status_reason: ifNamed(patch.statusReason, text),
    label: ifNamed(patch.label, text),
    settings: patch.settings && text(JSON.stringify(patch.settings)),
    granted_scopes: patch.grantedScopes && text(JSON.stringify(patch.grantedScopes)),
    last_sync_at: ifNamed(patch.lastSyncAt, instant),
    authorized_at: ifNamed(patch.authorizedAt, instant),
    authorization_expires_at: ifNamed(patch.authorizationExpiresAt, instant),
  };
  return Object.entries(named).flatMap(([column, value]) => (value === undefined ? [] : [[column, value] as const]));
}

function ifNamed<Value>(value: Value | undefined, bind: (value: Value) => Bound): Bound | undefined {
  return value === undefined ? undefined : bind(value);
}

function instant(value: Date | null): Bound {
  return whole(value?.getTime());
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

/** The connection of a row. */
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
