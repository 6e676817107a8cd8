import type { CredentialStore, SealedCredential } from '@mca/core/adapter-kit';
import { nextCount } from './counters.ts';
import type { Session } from './session.ts';

const SELECT = 'SELECT connection_id AS connectionId, version, sealed FROM mca_credentials';
const BY_ID = `${SELECT} WHERE connection_id = ?`;

/** Sealed credentials as rows. */
export function credentialStore(session: Session): CredentialStore {
  return {
    apiVersion: 1,
    get: (connectionId) =>
      session.run(() => {
        const row = session.statement(BY_ID).get(connectionId);
        return row ? copy(row as SealedCredential) : undefined;
      }),
    put: (connectionId, sealed, expectedVersion) =>
      session.write(() => {
        const known = session.statement(BY_ID).get(connectionId);
        if ((known as SealedCredential | undefined)?.version !== expectedVersion) return undefined;
        // Versions never repeat, not even after a delete: a writer that slept through delete and put must still lose.
        const version = nextCount(session, 'credential_version');
        session
          .statement('INSERT OR REPLACE INTO mca_credentials (connection_id, version, sealed) VALUES (?, ?, ?)')
          .run(connectionId, version, sealed);
        return { version };
      }),
    delete: (connectionId) =>
      session.write(() => {
        session.statement('DELETE FROM mca_credentials WHERE connection_id = ?').run(connectionId);
      }),
    list: ({ after, limit }) =>
      session.run(() => {
        const rows = session
          .statement(`${SELECT} WHERE ? IS NULL OR connection_id > ? ORDER BY connection_id LIMIT ?`)
          .all(after ?? null, after ?? null, limit);
        return (rows as SealedCredential[]).map(copy);
      }),
  };
}

/** A plain object: `node:sqlite` rows have no prototype. */
function copy({ connectionId, version, sealed }: SealedCredential): SealedCredential {
  return { connectionId, version, sealed };
}
