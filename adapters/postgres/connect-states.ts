import type { ConnectState, ConnectStateVerbs } from '@mca/core/adapter-kit';
import type { Session } from './session.ts';
import { float, sql, text } from './sql.ts';

/** Connect flows under way, as rows. */
export function connectStateVerbs(session: Session): ConnectStateVerbs {
  const { connect_states, mca_now } = session.names;
  return {
    async putConnectState({ hash, userId, sealed, expiresAt }) {
      // What somebody else holds is theirs to clear away: waiting for it could be waiting for one another.
      await session.rows(
        sql`WITH expired AS (DELETE FROM ${connect_states} WHERE hash IN
              (SELECT hash FROM ${connect_states} WHERE expires_at <= (SELECT ${mca_now}()) AND hash <> ${text(hash)}
               FOR UPDATE SKIP LOCKED))
            INSERT INTO ${connect_states} (hash, user_id, sealed, expires_at)
            VALUES (${text(hash)}, ${text(userId)}, ${text(sealed)}, ${float(expiresAt)})
            ON CONFLICT (hash) DO UPDATE
            SET user_id = excluded.user_id, sealed = excluded.sealed, expires_at = excluded.expires_at`,
      );
    },
    async takeConnectState(hash) {
      const row = await session.row<ConnectState & { readonly isHeld: number }>(
        sql`DELETE FROM ${connect_states} WHERE hash = ${text(hash)}
            RETURNING hash, user_id AS "userId", sealed, expires_at AS "expiresAt",
              (expires_at > ${mca_now}())::int AS "isHeld"`,
      );
      if (!row?.isHeld) return undefined;
      const { isHeld: _, ...state } = row;
      return state;
    },
  };
}
