/** @module @mca/core/providers/tiktok */

import { defineProvider, type FileImportProvider } from '@mca/core/provider-kit';
import { tiktokFileImport } from './file-import.ts';
import type { TikTokOptions } from './schemas.ts';

export type { TikTokOptions, TikTokSectionOptions, TikTokSkipOptions } from './schemas.ts';

/**
 * TikTok, from the JSON file its users download: there is no API for what people watched.
 *
 * Reads `user_data_tiktok.json` (and the older `user_data.json`), loose or in its zip: watch history, likes, favourite
 * videos and live streams watched. Messages, comments, searches and own posts are never read.
 *
 * @param options - defaults for every import; the options of one import go on top
 * @example
 * ```ts
 * import { createRegistry, importFile } from '@mca/core';
 * import { tiktok } from '@mca/core/providers/tiktok';
 *
 * const registry = createRegistry({ providers: [tiktok({ sections: { likes: false } })], storage });
 * await importFile(registry, { userId: 'ana', provider: 'tiktok', file: 'TikTok_Data_1790000000.zip' });
 * ```
 */
export function tiktok(options?: TikTokOptions): FileImportProvider<'tiktok', TikTokOptions> {
  return defineProvider({ id: 'tiktok', name: 'TikTok', capabilities: { fileImport: tiktokFileImport(options) } });
}
