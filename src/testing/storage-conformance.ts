import type { ConformanceCase } from './conformance-case.ts';
import { connectStateCases } from './storage/connect-state-cases.ts';
import { connectionCases } from './storage/connection-cases.ts';
import { credentialCases } from './storage/credential-cases.ts';
import { feedCases } from './storage/feed-cases.ts';
import { filterCases } from './storage/filter-cases.ts';
import { importCases } from './storage/import-cases.ts';
import { leaseCases } from './storage/lease-cases.ts';
import { pageCases } from './storage/page-cases.ts';
import { parkingCases } from './storage/parking-cases.ts';
import { policyCases } from './storage/policy-cases.ts';
import { scheduleCases } from './storage/schedule-cases.ts';
import { storeCases } from './storage/store-cases.ts';
import { sumCases } from './storage/sum-cases.ts';
import { syncLogCases } from './storage/sync-log-cases.ts';
import type { OpenStorage, StorageConformanceOptions } from './storage/under-test.ts';

export type { OpenStorage, StorageConformanceOptions, StorageUnderTest } from './storage/under-test.ts';

/**
 * Tries every promise of the storage contract on an adapter, each case on a fresh store of its own.
 *
 * @example
 * ```ts
 * import { storageConformance } from '@mca/core/testing';
 * import { test } from 'vitest';
 *
 * for (const { id, title, skip, run } of storageConformance(openMyStore)) {
 *   test.skipIf(skip)(`${id} ${title}`, run);
 * }
 * ```
 */
export function storageConformance(
  open: OpenStorage,
  options: StorageConformanceOptions = {},
): readonly ConformanceCase[] {
  const suite = { open, durable: options.durable ?? true };
  return [
    ...storeCases(suite),
    ...leaseCases(suite),
    ...connectionCases(suite),
    ...pageCases(suite),
    ...parkingCases(suite),
    ...policyCases(suite),
    ...importCases(suite),
    ...filterCases(suite),
    ...sumCases(suite),
    ...feedCases(suite),
    ...syncLogCases(suite),
    ...scheduleCases(suite),
    ...connectStateCases(suite),
  ];
}

/**
 * Tries every promise of the credential store contract on an adapter, each case on a fresh store of its own.
 *
 * @example
 * ```ts
 * for (const { id, title, skip, run } of credentialConformance(openMyStore)) {
 *   test.skipIf(skip)(`${id} ${title}`, run);
 * }
 * ```
 */
export function credentialConformance(
  open: OpenStorage,
  options: StorageConformanceOptions = {},
): readonly ConformanceCase[] {
  return credentialCases({ open, durable: options.durable ?? true });
}
