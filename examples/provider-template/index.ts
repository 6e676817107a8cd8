/** @module @mca/core/providers/my-service */

import {
  defineProvider,
  type FileImportCapability,
  type HistoryCapability,
  type Provider,
  type SessionCheckCapability,
} from '@mca/core/provider-kit';
import { userToken } from './auth.ts';
import { errors } from './errors.ts';
import { myServiceFileImport } from './file-import.ts';
import { history } from './history.ts';
import type { MyServiceImportOptions, ResolvedImportOptions } from './schemas.ts';
import { sessionCheck } from './session-check.ts';

/** What the factory takes: where the service is, and defaults for every import. */
export interface MyServiceOptions extends MyServiceImportOptions {
  /** API root. @default 'https://api.my-service.example/v1' */
  readonly baseUrl?: string | undefined;
}

/** What {@link myService} can do. A key that is not here cannot be asked for: the host's compiler says so. */
export interface MyServiceCapabilities {
  readonly history: HistoryCapability;
  readonly sessionCheck: SessionCheckCapability;
  readonly fileImport: FileImportCapability<ResolvedImportOptions, MyServiceImportOptions>;
}

/**
 * My service: the plays of an account, by user token, and the CSV people download under *Settings, Export*.
 *
 * @example
 * ```ts
 * const registry = createRegistry({ providers: [myService()], ...memory(), keys });
 * await addConnection(registry, { userId: 'ana', provider: 'my-service', credentials: { fields: { token } } });
 * await syncHistory(registry, { userId: 'ana', provider: 'my-service' });
 * await importFile(registry, { userId: 'ana', provider: 'my-service', file: 'plays.csv' });
 * ```
 */
export function myService(options: MyServiceOptions = {}): Provider<'my-service', MyServiceCapabilities> {
  const { baseUrl = 'https://api.my-service.example/v1', ...importDefaults } = options;
  return defineProvider({
    id: 'my-service',
    name: 'My service',
    // Hosts of baseUrl and of auth endpoints may be called, no others. Hosts may override it: for tests, for mirrors.
    baseUrl,
    auth: [userToken, { type: 'file-import' }],
    errors,
    // As the service documents it, counted over all users of a host ('app') or for each of them ('connection').
    limits: [{ scope: 'app', requests: 60, perMs: 60_000 }],
    // What its terms ask of whoever keeps the data: retention, attribution, no machine learning.
    policy: { source: 'https://my-service.example/terms' },
    capabilities: { history, sessionCheck, fileImport: myServiceFileImport(importDefaults) },
  });
}

export type { MyServiceImportOptions } from './schemas.ts';
