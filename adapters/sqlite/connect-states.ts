import type { Clock, ConnectState, ConnectStateVerbs } from '@mca/core/adapter-kit';
import type { Session } from './session.ts';

/** Connect flows under way, as rows. */
export function connectStateVerbs(session: Session, clock: Clock): ConnectStateVerbs {
  return {
    putConnectState: ({ hash, userId, sealed, expiresAt }) =>
      session.write(() => {
        session.statement('DELETE FROM mca_connect_states WHERE expires_at <= ?').run(clock.now());
        session
          .statement(
            'INSERT OR REPLACE INTO mca_connect_states (hash, user_id, sealed, expires_at) VALUES (?, ?, ?, ?)',
          )
          .run(hash, userId, sealed, expiresAt);
      }),
    takeConnectState: (hash) =>
      session.write(() => {
        const row = session
          .statement(
            `DELETE FROM mca_connect_states WHERE hash = ?
             RETURNING hash, user_id AS userId, sealed, expires_at AS expiresAt`,
          )
          .get(hash) as ConnectState | undefined;
        // Spread into a plain object: `node:sqlite` rows have no prototype.
        return row && row.expiresAt > clock.now() ? { ...row } : undefined;
      }),
  };
}
