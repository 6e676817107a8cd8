/** @module @mca/core/providers/netflix */

import { defineProvider, type FileImportProvider } from '@mca/core/provider-kit';
import { netflixFileImport } from './file-import.ts';
import type { NetflixOptions } from './schemas.ts';

export type { DateOrder } from './dates.ts';
export type { NetflixOptions, NetflixSkipOptions } from './schemas.ts';

/**
 * Netflix, from the files its users download: Netflix has had no API for the viewing history since 2014.
 *
 * Reads `NetflixViewingHistory.csv` (one profile, days) and `ViewingActivity.csv` and `Ratings.csv` of the full data
 * request (all profiles, seconds), loose or in their zip. Every view becomes an item of type `video` with subtype
 * `tv_episode` or `movie` where the title tells. Identity, skips and limits: see this folder's README.
 *
 * @param options - defaults for every import; the options of one import go on top
 * @example
 * ```ts
 * import { createRegistry, importFile } from '@mca/core';
 * import { netflix } from '@mca/core/providers/netflix';
 *
 * const registry = createRegistry({ providers: [netflix()], storage });
 * await importFile(registry, {
 *   userId: 'ana',
 *   provider: 'netflix',
 *   file: 'NetflixViewingHistory.csv',
 *   options: { dateOrder: 'DMY' },
 * });
 * ```
 */
export function netflix(options?: NetflixOptions): FileImportProvider<'netflix', NetflixOptions> {
  return defineProvider({ id: 'netflix', name: 'Netflix', capabilities: { fileImport: netflixFileImport(options) } });
}
