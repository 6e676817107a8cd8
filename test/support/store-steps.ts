import type { CredentialStore, Storage } from '@mca/core/adapter-kit';
import { expect } from 'vitest';
import { connect, sampleItem, take } from '../../src/testing/storage/samples.ts';

/** Commits one item for a user's connection. */
export async function commitOne(storage: Storage, externalId: string, given: Parameters<typeof sampleItem>[0] = {}) {
  const { id } = await connect(storage);
  const lease = await take(storage, `sync:${id}:history`, 'test');
  const items = [sampleItem({ externalId, ...given })];
  const result = await storage.commitPage({ lease, connectionId: id, items, policy: 'longest' });
  await storage.releaseLease(lease);
  return result;
}

/** In a fresh store numbers are numbers, whatever a host lets its driver make of them. */
export async function expectPlainNumbers(adapter: {
  readonly storage: Storage;
  readonly credentials: CredentialStore;
}): Promise<void> {
  const { storage, credentials } = adapter;
  const first = await commitOne(storage, 'a', { durationMs: 5 });
  expect(first).toEqual({ inserted: 1, updated: 0, unchanged: 0, sequence: 1 });
  expect(await commitOne(storage, 'a', { durationMs: 6 })).toMatchObject({ updated: 1, sequence: 2 });
  expect(await storage.changes({ after: 0, limit: 9 })).toMatchObject([{ sequence: 2, item: { durationMs: 6 } }]);
  expect(await credentials.put('c', 's', undefined)).toEqual({ version: 1 });
  expect(await storage.summary({ userId: 'ada' })).toMatchObject({ items: 1, timeSpentMs: 0 });
}
