/** @module @mca/core/adapters/memory */

import type { Clock, CredentialStore, Storage } from '@mca/core/adapter-kit';
import { connectStateVerbs } from './connect-states.ts';
import { connectionVerbs } from './connections.ts';
import { credentialStore } from './credentials.ts';
import { importVerbs } from './imports.ts';
import { leaseVerbs } from './leases.ts';
import { pageVerbs } from './pages.ts';
import { readVerbs } from './reading.ts';
import { createState } from './state.ts';
import { syncVerbs } from './syncing.ts';

/** Options of {@link memory}. */
export interface MemoryOptions {
  /** Source of time for leases and timestamps. @default the system clock */
  readonly clock?: Clock | undefined;
}

/** What {@link memory} gives: hand both to `createRegistry`. */
export interface MemoryAdapter {
  readonly storage: Storage;
  readonly credentials: CredentialStore;
}

/**
 * Keeps everything in memory, until the process ends. For tests, examples and short-lived tools; it is also the
 * reference that other adapters are compared with.
 *
 * @example
 * ```ts
 * import { createRegistry } from '@mca/core';
 * import { memory } from '@mca/core/adapters/memory';
 *
 * const registry = createRegistry({ providers: [], ...memory() });
 * ```
 */
export function memory(options: MemoryOptions = {}): MemoryAdapter {
  const state = createState(options.clock ?? { now: Date.now });
  return {
    storage: {
      apiVersion: 1,
      migrate: async () => {},
      ...leaseVerbs(state),
      ...connectionVerbs(state),
      ...pageVerbs(state),
      ...importVerbs(state),
      ...readVerbs(state),
      ...syncVerbs(state),
      ...connectStateVerbs(state),
    },
    credentials: credentialStore(),
  };
}
