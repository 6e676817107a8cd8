/** @module @mca/core/providers/spotify */

import {
  defineProvider,
  type FileImportCapability,
  type FileImportProvider,
  type HistoryCapability,
  type LibraryCapability,
  type Provider,
  type ProviderDefinition,
  type SessionCheckCapability,
} from '@mca/core/provider-kit';
import { authorizationCode } from './auth.ts';
import { errors } from './errors.ts';
import { spotifyFileImport } from './file-import.ts';
import { history } from './history.ts';
import { library } from './library.ts';
import type { ResolvedImportOptions, SpotifyImportOptions } from './schemas.ts';
import { sessionCheck } from './session-check.ts';

/** What the factory takes: defaults for every import. */
export interface SpotifyOptions extends SpotifyImportOptions {}

/** What the factory takes to read accounts: your app at <https://developer.spotify.com/dashboard>, and defaults for imports. */
export interface SpotifyAppOptions extends SpotifyImportOptions {
  readonly clientId: string;
  /** Of confidential apps. Without it the app proves itself by PKCE alone. */
  readonly clientSecret?: string | undefined;
  /** API root. @default 'https://api.spotify.com/v1' */
  readonly baseUrl?: string | undefined;
  /** Root of the service where users agree and tokens come from. @default 'https://accounts.spotify.com' */
  readonly accountsUrl?: string | undefined;
}

/** What {@link spotify} can do with an app of yours. */
export interface SpotifyCapabilities {
  readonly fileImport: FileImportCapability<ResolvedImportOptions, SpotifyImportOptions>;
  readonly history: HistoryCapability;
  readonly library: LibraryCapability;
  readonly sessionCheck: SessionCheckCapability;
}

/**
 * Spotify. Without client credentials it imports the files people request under *Account privacy*: account data and
 * extended streaming history, old and new, zipped or not. With them it also reads what was played last and what is saved.
 *
 * @example
 * ```ts
 * const registry = createRegistry({ providers: [spotify()], ...memory() });
 * await importFile(registry, { userId: 'ana', provider: 'spotify', file: 'my_spotify_data.zip' });
 * ```
 * @example
 * ```ts
 * const registry = createRegistry({ providers: [spotify({ clientId })], ...memory(), keys });
 * const step = await beginConnect(registry, { userId: 'ana', provider: 'spotify', redirectUri, sessionBinding });
 * await syncHistory(registry, { userId: 'ana', provider: 'spotify' });
 * ```
 */
export function spotify(options: SpotifyAppOptions): Provider<'spotify', SpotifyCapabilities>;
export function spotify(options?: SpotifyOptions): FileImportProvider<'spotify', SpotifyImportOptions>;
export function spotify(options: Partial<SpotifyAppOptions> = {}): FileImportProvider<'spotify', SpotifyImportOptions> {
  const { clientId, clientSecret, baseUrl, accountsUrl, ...defaults } = options;
  const fileImport = spotifyFileImport(defaults);
  if (clientId === undefined) return defineProvider({ ...about, capabilities: { fileImport } });
  const app = { clientId, clientSecret, accountsUrl: accountsUrl ?? 'https://accounts.spotify.com' };
  return defineProvider({
    ...about,
    baseUrl: baseUrl ?? 'https://api.spotify.com/v1',
    auth: [authorizationCode(app), { type: 'file-import' }],
    errors,
    // Spotify publishes no figure. This is well below what peers were told off for.
    limits: [{ scope: 'app', requests: 2, perMs: 1_000, concurrency: 1 }],
    capabilities: { fileImport, history, library, sessionCheck },
  });
}

const about = {
  id: 'spotify',
  name: 'Spotify',
  policy: {
    noMachineLearning: true,
    // The policy is about what comes from the API; whether it reaches a user's own export is not settled.
    appliesToExports: false,
    source: 'https://developer.spotify.com/policy',
  },
} as const satisfies Omit<ProviderDefinition<'spotify', object>, 'capabilities'>;

export type { ResolvedImportOptions, SpotifyImportOptions } from './schemas.ts';
