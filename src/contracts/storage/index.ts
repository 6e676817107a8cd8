import type { ConnectionVerbs } from './connections.ts';
import type { ImportVerbs } from './imports.ts';
import type { LeaseVerbs } from './lease.ts';
import type { PageVerbs } from './pages.ts';
import type { ReadVerbs } from './queries.ts';
import type { ConnectStateVerbs, SyncVerbs } from './sync.ts';

/**
 * Where items live. A small set of race-safe verbs, each native to the database; `storageConformance` of
 * `@mca/core/testing` proves an implementation.
 *
 * - `STORE-1` migrating is idempotent, and safe from many callers at once
 * - `STORE-2` what was committed is there after closing and opening again (durable adapters)
 * - `STORE-3` failures of the database surface as `McaError` `storage`, never as the driver's own error
 */
export interface Storage
  extends LeaseVerbs,
    ConnectionVerbs,
    PageVerbs,
    ImportVerbs,
    ReadVerbs,
    SyncVerbs,
    ConnectStateVerbs {
  readonly apiVersion: 1;
  /** Creates or upgrades the schema. Called once by the engines before their first verb; forward-only. */
  migrate(): Promise<void>;
}

export type * from './connections.ts';
export type * from './imports.ts';
export type * from './item-filter.ts';
export type * from './lease.ts';
export type * from './pages.ts';
export type * from './queries.ts';
export type * from './sync.ts';
