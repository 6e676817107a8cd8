/** @module @mca/core/providers/listenbrainz */

import {
  defineProvider,
  type FileImportCapability,
  type HistoryCapability,
  type Provider,
  type SessionCheckCapability,
} from '@mca/core/provider-kit';
import { userToken } from './auth.ts';
import { errors } from './errors.ts';
import { listensExport, type NoOptions } from './file-import.ts';
import { history } from './history.ts';
import { sessionCheck } from './session-check.ts';

/** What the factory takes. */
export interface ListenBrainzOptions {
  /** API root, for servers that speak the same language. @default 'https://api.listenbrainz.org/1' */
  readonly baseUrl?: string | undefined;
}

/** What {@link listenbrainz} can do. */
export interface ListenBrainzCapabilities {
  readonly history: HistoryCapability;
  readonly fileImport: FileImportCapability<NoOptions, NoOptions>;
  readonly sessionCheck: SessionCheckCapability;
}

/**
 * ListenBrainz, or a server that speaks its API: the user's listens, all of them, by user token, or from the export of an
 * account.
 *
 * @example
 * ```ts
 * const registry = createRegistry({ providers: [listenbrainz()], ...memory(), insecurePlaintextForTests: true });
 * await addConnection(registry, { userId: 'ana', provider: 'listenbrainz', credentials: { fields: { token } } });
 * await syncHistory(registry, { userId: 'ana', provider: 'listenbrainz' });
 * ```
 */
export function listenbrainz(options: ListenBrainzOptions = {}): Provider<'listenbrainz', ListenBrainzCapabilities> {
  return defineProvider({
    id: 'listenbrainz',
    name: 'ListenBrainz',
    baseUrl: options.baseUrl ?? 'https://api.listenbrainz.org/1',
    auth: [userToken],
    errors,
    // The server's default; what an answer's X-RateLimit headers say goes before.
    limits: [{ scope: 'app', requests: 30, perMs: 10_000 }],
    policy: { source: 'https://listenbrainz.org/terms-of-service/' },
    capabilities: { history, fileImport: listensExport, sessionCheck },
  });
}
