/** @module @mca/core/providers/spotify */

import { defineProvider, type FileImportProvider } from '@mca/core/provider-kit';
import { spotifyFileImport } from './file-import.ts';
import type { SpotifyImportOptions } from './schemas.ts';

/** What the factory takes: defaults for every import. */
export interface SpotifyOptions extends SpotifyImportOptions {}

/**
 * Spotify. Without client credentials it imports the files people request under *Account privacy*: account data and
 * extended streaming history, old and new, zipped or not.
 *
 * @example
 * ```ts
 * const registry = createRegistry({ providers: [spotify()], ...memory() });
 * await importFile(registry, { userId: 'ana', provider: 'spotify', file: 'my_spotify_data.zip' });
 * ```
 */
export function spotify(options: SpotifyOptions = {}): FileImportProvider<'spotify', SpotifyImportOptions> {
  return defineProvider({
    id: 'spotify',
    name: 'Spotify',
    policy: {
      noMachineLearning: true,
      source: 'https://developer.spotify.com/policy',
    },
    capabilities: { fileImport: spotifyFileImport(options) },
  });
}

export type { SpotifyImportOptions } from './schemas.ts';
