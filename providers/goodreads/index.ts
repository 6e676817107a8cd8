/** @module @mca/core/providers/goodreads */

import { defineProvider, type FileImportProvider } from '@mca/core/provider-kit';
import { goodreadsFileImport } from './file-import.ts';
import type { GoodreadsOptions } from './schemas.ts';

export type { GoodreadsOptions, GoodreadsShelfOptions, GoodreadsSkipOptions } from './schemas.ts';

/**
 * Goodreads, from the library its users export: its API gives out no keys since 2020.
 *
 * Books of the shelf `read` are `consumed`, those of `to-read` `saved`; what has stars is `rated` as well. Reviews and
 * private notes stay behind. Identity, skips and limits: see this folder's README.
 *
 * @param options - defaults for every import; the options of one import go on top
 * @example
 * ```ts
 * import { createRegistry, importFile } from '@mca/core';
 * import { goodreads } from '@mca/core/providers/goodreads';
 *
 * const registry = createRegistry({ providers: [goodreads()], storage });
 * await importFile(registry, { userId: 'ana', provider: 'goodreads', file: 'goodreads_library_export.csv' });
 * ```
 */
export function goodreads(options?: GoodreadsOptions): FileImportProvider<'goodreads', GoodreadsOptions> {
  return defineProvider({
    id: 'goodreads',
    name: 'Goodreads',
    capabilities: { fileImport: goodreadsFileImport(options) },
  });
}
