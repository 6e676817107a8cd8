/** @module @mca/core/providers/letterboxd */

import { defineProvider, type FileImportProvider } from '@mca/core/provider-kit';
import { letterboxdFileImport } from './file-import.ts';
import type { LetterboxdOptions } from './schemas.ts';

export type { LetterboxdOptions, LetterboxdSectionOptions, LetterboxdSkipOptions } from './schemas.ts';

/**
 * Letterboxd, from the zip its users download: its API is for partners.
 *
 * Reads the diary, ratings, likes, the watchlist and the films marked as watched, loose or in their zip. Viewings are
 * `consumed` on the day the diary tells; films that are only marked have no date. Reviews, lists, comments and what was
 * deleted stay behind. Identity, skips and limits: see this folder's README.
 *
 * @param options - defaults for every import; the options of one import go on top
 * @example
 * ```ts
 * import { createRegistry, importFile } from '@mca/core';
 * import { letterboxd } from '@mca/core/providers/letterboxd';
 *
 * const registry = createRegistry({ providers: [letterboxd()], storage });
 * await importFile(registry, { userId: 'ana', provider: 'letterboxd', file: 'letterboxd-ana-2026-11-01.zip' });
 * ```
 */
export function letterboxd(options?: LetterboxdOptions): FileImportProvider<'letterboxd', LetterboxdOptions> {
  return defineProvider({
    id: 'letterboxd',
    name: 'Letterboxd',
    capabilities: { fileImport: letterboxdFileImport(options) },
  });
}
