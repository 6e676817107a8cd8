/** @module @mca/core/providers/lastfm */

import {
  defineProvider,
  type HistoryCapability,
  type Provider,
  type SessionCheckCapability,
} from '@mca/core/provider-kit';
import { type LastfmApp, userName, webSession } from './auth.ts';
import { errors } from './errors.ts';
import { history } from './history.ts';
import { sessionCheck } from './session-check.ts';

/** What the factory takes: the API account of your app, from <https://www.last.fm/api/account/create>. */
export interface LastfmOptions {
  readonly apiKey: string;
  /** Signs the log-in of users. Without it users connect by their name alone, which reads public histories. */
  readonly sharedSecret?: string | undefined;
  /** API address, for servers that speak the same language (`https://libre.fm/2.0/`). @default 'https://ws.audioscrobbler.com/2.0/' */
  readonly baseUrl?: string | undefined;
  /** Page on which users approve. @default 'https://www.last.fm/api/auth/' */
  readonly authorizeUrl?: string | undefined;
}

/** What {@link lastfm} can do. */
export interface LastfmCapabilities {
  readonly history: HistoryCapability;
  readonly sessionCheck: SessionCheckCapability;
}

/**
 * Last.fm, or a server that speaks its API: the user's scrobbles, all of them.
 *
 * @example
 * ```ts
 * const registry = createRegistry({
 *   providers: [lastfm({ apiKey: 'of your app', sharedSecret: 'of your app' })],
 *   ...memory(),
 *   insecurePlaintextForTests: true,
 * });
 * ```
 */
export function lastfm(options: LastfmOptions): Provider<'lastfm', LastfmCapabilities> {
  const { apiKey, sharedSecret } = options;
  const authorizeUrl = options.authorizeUrl ?? 'https://www.last.fm/api/auth/';
  const app: LastfmApp = { apiKey, sharedSecret, authorizeUrl };
  return defineProvider({
    id: 'lastfm',
    name: 'Last.fm',
    baseUrl: options.baseUrl ?? 'https://ws.audioscrobbler.com/2.0/',
    auth: sharedSecret === undefined ? [userName(app)] : [webSession({ ...app, sharedSecret }), userName(app)],
    errors,
    limits: [{ scope: 'app', requests: 5, perMs: 1_000 }],
    policy: { attribution: 'powered by Last.fm', source: 'https://www.last.fm/api/tos' },
    capabilities: { history, sessionCheck },
  });
}
