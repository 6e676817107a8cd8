import { defineProvider, type FileImportProvider } from '@mca/core/provider-kit';
import { myServiceFileImport } from './file-import.ts';
import type { MyServiceOptions } from './schemas.ts';

/**
 * My service: reads the CSV people download under *Settings, Export*.
 *
 * @example
 * ```ts
 * const registry = createRegistry({ providers: [myService()], ...memory() });
 * await importFile(registry, { userId: 'ana', provider: 'my-service', file: 'plays.csv' });
 * ```
 */
export function myService(options: MyServiceOptions = {}): FileImportProvider<'my-service', MyServiceOptions> {
  return defineProvider({
    id: 'my-service',
    name: 'My service',
    capabilities: { fileImport: myServiceFileImport(options) },
  });
}

export type { MyServiceOptions } from './schemas.ts';
