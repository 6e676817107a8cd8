import { DatabaseSync } from 'node:sqlite';
import { createRegistry, type Env, importFile, keyRing, McaError, type Registry, syncConnection } from '@mca/core';
import { sqlite } from '@mca/core/adapters/sqlite';
import { listenbrainz } from '@mca/core/providers/listenbrainz';
import { spotify } from '@mca/core/providers/spotify';

/** One for the whole process. */
export function openRegistry(env: Partial<Env> = {}): Registry {
  return createRegistry({
    providers: [spotify({ clientId: process.env.SPOTIFY_CLIENT_ID ?? 'of your app' }), listenbrainz()],
    ...sqlite({ database: new DatabaseSync(process.env.DATABASE ?? 'history.db') }),
    keys: keyRing({ primary: 'k1', keys: { k1: process.env.MCA_KEY } }), // openssl rand -base64 32
    env,
  });
}

/** Syncs all that a connection of the user has, and says how it went; `undefined` when the user has no such connection. */
export async function syncOne(registry: Registry, userId: string, connectionId: string) {
  try {
    const reports = await syncConnection(registry, { userId, connectionId });
    // Codes are for programs. Messages and hints are for your log, not for users.
    return reports.map(({ capability, status, counts, reason, error }) => {
      return { capability, status, counts, reason: reason ?? error?.reason ?? error?.code };
    });
  } catch (error) {
    // No such connection, or one of files, which has nobody to ask.
    if (McaError.isInstance(error) && /^(?:not_found|unsupported)$/.test(error.code)) return undefined;
    throw error;
  }
}

/** Imports what a user uploaded, and says how it went. */
export async function importOne(registry: Registry, userId: string, file: File) {
  try {
    const { status, provider, counts } = await importFile(registry, { userId, file });
    return { status, provider, counts };
  } catch (error) {
    // Nothing of the file was stored: it is damaged, of no known service, or not an export at all.
    if (McaError.isInstance(error) && error.code === 'file_parse_error')
      return { error: { code: error.code, reason: error.reason } };
    throw error;
  }
}
