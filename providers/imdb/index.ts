/** @module @mca/core/providers/imdb */

import { defineProvider, type FileImportProvider } from '@mca/core/provider-kit';
import { imdbFileImport } from './file-import.ts';
import type { ImdbOptions } from './schemas.ts';

export type { ImdbOptions, ImdbSectionOptions } from './schemas.ts';

/**
 * IMDb, from the CSV files its users export: there is no API for what people rated.
 *
 * Reads the export of ratings (`rated`, 1 to 10) and those of the watchlist and other lists (`saved`). IMDb does not say
 * when something was watched, so nothing is `consumed`. Identity, skips and limits: see this folder's README.
 *
 * @param options - defaults for every import; the options of one import go on top
 * @example
 * ```ts
 * import { createRegistry, importFile } from '@mca/core';
 * import { imdb } from '@mca/core/providers/imdb';
 *
 * const registry = createRegistry({ providers: [imdb()], storage });
 * await importFile(registry, { userId: 'ana', provider: 'imdb', file: 'ratings.csv' });
 * ```
 */
export function imdb(options?: ImdbOptions): FileImportProvider<'imdb', ImdbOptions> {
  return defineProvider({ id: 'imdb', name: 'IMDb', capabilities: { fileImport: imdbFileImport(options) } });
}
