/** @module @mca/core/providers/tmdb */

import { type CatalogLookup, defineProvider, type Provider, type SessionCheckCapability } from '@mca/core/provider-kit';
import { keyOfApp, keyOfUser } from './auth.ts';
import { catalog } from './catalog.ts';
import { errors } from './errors.ts';
import { sessionCheck } from './session-check.ts';

/** What the factory takes. */
export interface TmdbOptions {
  /** Language of titles and tags, such as `de-DE`; what is not translated comes in the original. @default 'en-US' */
  readonly language?: string | undefined;
  /** API root. @default 'https://api.themoviedb.org/3' */
  readonly baseUrl?: string | undefined;
}

/** With a key of the host's. */
export interface TmdbAppOptions extends TmdbOptions {
  /** API Read Access Token (preferred) or API key, from <https://www.themoviedb.org/settings/api>. */
  readonly apiKey: string;
}

/** Without one: each user fills in a key of their own. A key that may be missing is refused by the compiler. */
export interface TmdbUserOptions extends TmdbOptions {
  readonly apiKey?: never;
}

/** What {@link tmdb} can do. */
export interface TmdbCapabilities {
  readonly catalog: CatalogLookup;
  readonly sessionCheck: SessionCheckCapability;
}

/**
 * TMDB: looks up films, series and episodes by their ids at IMDb, TheTVDB and TMDB.
 *
 * With `apiKey` all requests go by the host's key, and there is nothing to log in to: a connection without credentials is
 * enough. Without it users connect with keys of their own.
 *
 * @throws McaError `configuration` `malformed_key` for an `apiKey` that is neither a token nor a key of TMDB
 * @example
 * ```ts
 * const registry = createRegistry({ providers: [tmdb({ apiKey })], ...memory() });
 * await addConnection(registry, { userId: 'my-app', provider: 'tmdb' });
 * const app = await userProvider(registry, { userId: 'my-app', provider: 'tmdb' });
 * const film = await app?.catalog.lookup({ imdb: 'tt0181852' });
 * const show = await app?.catalog.details('tv:8592');
 * ```
 */
export function tmdb(options: TmdbAppOptions): Provider<'tmdb', TmdbCapabilities>;
export function tmdb(options?: TmdbUserOptions): Provider<'tmdb', TmdbCapabilities>;
export function tmdb(options: TmdbAppOptions | TmdbUserOptions = {}): Provider<'tmdb', TmdbCapabilities> {
  const { apiKey, language = 'en-US', baseUrl = 'https://api.themoviedb.org/3' } = options;
  // Also when it is undefined or empty, as a missing environment variable is: that must not turn into another way to log in.
  const isOfApp = 'apiKey' in options;
  return defineProvider({
    id: 'tmdb',
    name: 'TMDB',
    baseUrl,
    auth: [isOfApp ? keyOfApp(apiKey ?? '') : keyOfUser],
    errors,
    // Documented is an upper bound of about 40 a second for each address, which may change.
    limits: [{ scope: 'app', requests: 20, perMs: 1_000, concurrency: 10 }],
    policy: {
      attribution: 'This product uses the TMDB API but is not endorsed or certified by TMDB.',
      retentionDays: 180,
      noMachineLearning: true,
      source: 'https://www.themoviedb.org/api-terms-of-use',
    },
    capabilities: { catalog: catalog(language), sessionCheck: sessionCheck(isOfApp ? 'app' : 'user') },
  });
}
