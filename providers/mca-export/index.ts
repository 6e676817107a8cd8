/** @module @mca/core/providers/mca-export */

import { defineProvider, type FileImportProvider } from '@mca/core/provider-kit';
import { mcaExportFileImport } from './file-import.ts';

/**
 * Our own exports: what `exportItems` wrote, as JSON Lines or CSV, comes back as the same set of items, of whatever platforms.
 *
 * @example
 * ```ts
 * const registry = createRegistry({ providers: [spotify(), mcaExport()], ...memory() });
 * await importFile(registry, { userId: 'ana', provider: 'mca-export', file: 'history.jsonl' });
 * ```
 */
export function mcaExport(): FileImportProvider<'mca-export', Record<never, never>> {
  return defineProvider({ id: 'mca-export', name: 'MCA export', capabilities: { fileImport: mcaExportFileImport() } });
}
