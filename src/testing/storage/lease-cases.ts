import assert from 'node:assert/strict';
import type { ConformanceCase } from '../conformance-case.ts';
import { LONG_MS, take } from './samples.ts';
import { elapse, onFreshStore, type Suite } from './under-test.ts';

const RESOURCE = 'sync:connection:history';
/** Short, because adapters on a database's own clock really wait for it. */
const SHORT_MS = 30;

/** Promises of `LeaseVerbs`. */
export function leaseCases(suite: Suite): readonly ConformanceCase[] {
  return [
    onFreshStore(suite, 'LEASE-1', 'of many at once exactly one gets the resource', async ({ storage }) => {
      const asked = Array.from({ length: 8 }, (_, index) =>
        storage.acquireLease({ resource: RESOURCE, owner: `owner ${index}`, ttlMs: LONG_MS }),
      );
      const granted = (await Promise.all(asked)).filter((lease) => lease !== undefined);
      assert.equal(granted.length, 1);
      assert.equal(await storage.acquireLease({ resource: RESOURCE, owner: 'late', ttlMs: LONG_MS }), undefined);
      assert.ok(await storage.acquireLease({ resource: 'sync:other:history', owner: 'late', ttlMs: LONG_MS }));
    }),
    onFreshStore(suite, 'LEASE-2', 'an expired lease is taken over with a higher fence', async (store) => {
      const { storage } = store;
      const old = await storage.acquireLease({ resource: RESOURCE, owner: 'old', ttlMs: SHORT_MS });
      assert.ok(old);
      await elapse(store, SHORT_MS + 5);
      const next = await take(storage, RESOURCE, 'next');
      assert.ok(next.fence > old.fence);
      assert.equal(next.owner, 'next');
      assert.ok(next.expiresAt > old.expiresAt);
    }),
    onFreshStore(suite, 'LEASE-3', 'renewing extends the lease of the current owner', async (store) => {
      const { storage } = store;
      const lease = await storage.acquireLease({ resource: RESOURCE, owner: 'me', ttlMs: SHORT_MS });
      assert.ok(lease);
      const renewed = await storage.renewLease(lease, LONG_MS);
      assert.ok(renewed);
      assert.equal(renewed.fence, lease.fence);
      assert.ok(renewed.expiresAt > lease.expiresAt);
      await elapse(store, SHORT_MS + 5);
      assert.equal(await storage.acquireLease({ resource: RESOURCE, owner: 'other', ttlMs: LONG_MS }), undefined);
    }),
    onFreshStore(suite, 'LEASE-3', 'renewing fails for a wrong owner, an old fence and a lost lease', async (store) => {
      const { storage } = store;
      const lease = await storage.acquireLease({ resource: RESOURCE, owner: 'me', ttlMs: SHORT_MS });
      assert.ok(lease);
      assert.equal(await storage.renewLease({ ...lease, owner: 'thief' }, LONG_MS), undefined);
      assert.equal(await storage.renewLease({ ...lease, fence: lease.fence - 1 }, LONG_MS), undefined);
      assert.equal(await storage.renewLease({ ...lease, resource: 'sync:other:history' }, LONG_MS), undefined);
      await elapse(store, SHORT_MS + 5);
      await take(storage, RESOURCE, 'next');
      assert.equal(await storage.renewLease(lease, LONG_MS), undefined);
    }),
    onFreshStore(suite, 'LEASE-4', "releasing somebody else's lease changes nothing", async (store) => {
      const { storage } = store;
      const old = await storage.acquireLease({ resource: RESOURCE, owner: 'old', ttlMs: SHORT_MS });
      assert.ok(old);
      await elapse(store, SHORT_MS + 5);
      const current = await take(storage, RESOURCE, 'next');
      await storage.releaseLease(old);
      await storage.releaseLease({ ...current, fence: current.fence + 1 });
      await storage.releaseLease({ ...current, owner: 'thief' });
      assert.equal(await storage.acquireLease({ resource: RESOURCE, owner: 'third', ttlMs: LONG_MS }), undefined);
      assert.ok(await storage.renewLease(current, LONG_MS));
    }),
    onFreshStore(suite, 'LEASE-5', 'a released resource is free at once and its fence grows', async ({ storage }) => {
      const fences: number[] = [];
      for (const owner of ['a', 'b', 'a']) {
        const lease = await take(storage, RESOURCE, owner);
        fences.push(lease.fence);
        await storage.releaseLease(lease);
        assert.equal(await storage.renewLease(lease, LONG_MS), undefined);
      }
      const [first = 0, second = 0, third = 0] = fences;
      assert.ok(first < second && second < third, `fences were ${fences.join(', ')}`);
    }),
  ];
}
