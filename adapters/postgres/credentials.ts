import type { CredentialStore, SealedCredential } from '@mca/core/adapter-kit';
import type { Session } from './session.ts';
import { sql, text, whole } from './sql.ts';

/**
 * Sealed credentials as rows. Versions come from a sequence and never repeat, not even after a delete: a writer that slept
 * through delete and put must still lose.
 */
export function credentialStore(session: Session): CredentialStore {
  const { credentials } = session.names;
  const select = sql`SELECT connection_id AS "connectionId", version::float8 AS version, sealed FROM ${credentials}`;
  return {
    apiVersion: 1,
    get: (connectionId) => session.row<SealedCredential>(sql`${select} WHERE connection_id = ${text(connectionId)}`),
    put: (connectionId, sealed, expectedVersion) =>
      session.row<{ readonly version: number }>(
        expectedVersion === undefined
          ? sql`INSERT INTO ${credentials} (connection_id, version, sealed)
                VALUES (${text(connectionId)}, ${session.next('credential_versions')}, ${text(sealed)})
                ON CONFLICT (connection_id) DO NOTHING RETURNING version::float8 AS version`
          : sql`UPDATE ${credentials} SET version = ${session.next('credential_versions')}, sealed = ${text(sealed)}
                WHERE connection_id = ${text(connectionId)} AND version = ${whole(expectedVersion)}
                RETURNING version::float8 AS version`,
      ),
    async delete(connectionId) {
      await session.rows(sql`DELETE FROM ${credentials} WHERE connection_id = ${text(connectionId)}`);
    },
    list: ({ after, limit }) =>
      session.rows<SealedCredential>(
        sql`${select} WHERE connection_id > ${text(after ?? '')} OR ${text(after)} IS NULL
            ORDER BY connection_id LIMIT ${whole(limit)}`,
      ),
  };
}
