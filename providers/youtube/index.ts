/** @module @mca/core/providers/youtube */

import { defineProvider, type FileImportProvider } from '@mca/core/provider-kit';
import { youtubeFileImport } from './file-import.ts';
import type { YouTubeImportOptions } from './schemas.ts';

/** What the factory takes: defaults for every import. */
export interface YouTubeOptions extends YouTubeImportOptions {}

/**
 * YouTube and YouTube Music, from Google Takeout: the watch history as JSON or HTML, in any language of the folders,
 * zipped or not. YouTube's own API does not give the watch history.
 *
 * @example
 * ```ts
 * const registry = createRegistry({ providers: [youtube()], ...memory() });
 * await importFile(registry, { userId: 'ana', provider: 'youtube', file: 'takeout-20260115T103000Z-001.zip' });
 * ```
 */
export function youtube(options: YouTubeOptions = {}): FileImportProvider<'youtube', YouTubeImportOptions> {
  return defineProvider({
    id: 'youtube',
    name: 'YouTube',
    policy: { retentionDays: 30, source: 'https://developers.google.com/youtube/terms/developer-policies' },
    capabilities: { fileImport: youtubeFileImport(options) },
  });
}

export type { YouTubeImportOptions } from './schemas.ts';
