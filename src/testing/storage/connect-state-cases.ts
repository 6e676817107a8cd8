import assert from 'node:assert/strict';
import type { ConformanceCase } from '../conformance-case.ts';
import { LONG_MS, nowOf, sampleConnectState, stateHash } from './samples.ts';
import { elapse, onFreshStore, type Suite } from './under-test.ts';

/** Short, because adapters on a database's own clock really wait for it. */
const SHORT_MS = 30;

/** Promises of `ConnectStateVerbs`. */
export function connectStateCases(suite: Suite): readonly ConformanceCase[] {
  return [
    onFreshStore(suite, 'STATE-1', 'of 100 callers at once exactly one takes a state', async ({ storage }) => {
      const expiresAt = (await nowOf(storage)) + LONG_MS;
      const [state, other] = [sampleConnectState('one', { expiresAt }), sampleConnectState('other', { expiresAt })];
      await storage.putConnectState(state);
      await storage.putConnectState(other);
      const taken = await Promise.all(Array.from({ length: 100 }, () => storage.takeConnectState(state.hash)));
      assert.deepEqual(
        taken.filter((each) => each !== undefined),
        [state],
      );
      assert.equal(await storage.takeConnectState(state.hash), undefined);
      assert.deepEqual(await storage.takeConnectState(other.hash), other);
    }),
    onFreshStore(suite, 'STATE-2', 'an expired or unknown state answers undefined', async (store) => {
      const { storage } = store;
      const now = await nowOf(storage);
      assert.equal(await storage.takeConnectState(stateHash('unknown')), undefined);
      const long = sampleConnectState('long', { expiresAt: now + LONG_MS });
      const short = sampleConnectState('short', { expiresAt: now + SHORT_MS });
      for (const state of [long, short]) await storage.putConnectState(state);
      await elapse(store, SHORT_MS + 5);
      assert.equal(await storage.takeConnectState(short.hash), undefined);
      await storage.putConnectState(sampleConnectState('late', { expiresAt: now }));
      assert.equal(await storage.takeConnectState(stateHash('late')), undefined);
      assert.deepEqual(await storage.takeConnectState(long.hash), long);
    }),
    onFreshStore(suite, 'STATE-3', 'putting purges what expired, and nothing else', async (store) => {
      const { storage } = store;
      const now = await nowOf(storage);
      const expired = [1, 2, 3].map((index) => sampleConnectState(`${index}`, { expiresAt: now + SHORT_MS }));
      const waiting = sampleConnectState('waiting', { expiresAt: now + LONG_MS });
      for (const state of [...expired, waiting]) await storage.putConnectState(state);
      await elapse(store, SHORT_MS + 5);
      const next = sampleConnectState('next', { expiresAt: now + LONG_MS });
      await storage.putConnectState(next);
      // Nobody can tell a purged state from an expired one, unless the clock can be set back.
      await store.advance?.(-(SHORT_MS + 5));
      for (const { hash } of expired) assert.equal(await storage.takeConnectState(hash), undefined);
      assert.deepEqual(await storage.takeConnectState(waiting.hash), waiting);
      assert.deepEqual(await storage.takeConnectState(next.hash), next);
    }),
    onFreshStore(suite, 'STATE-4', 'a state under a hash that exists replaces it', async ({ storage }) => {
      const now = await nowOf(storage);
      const first = sampleConnectState('same', { expiresAt: now + LONG_MS });
      const second = { ...first, userId: 'bob', sealed: 'mca1.key.ü😀', expiresAt: now + 2 * LONG_MS };
      await storage.putConnectState(first);
      await storage.putConnectState(second);
      assert.deepEqual(await storage.takeConnectState(first.hash), second);
      assert.equal(await storage.takeConnectState(first.hash), undefined);
      // The user of the first one has nothing left of it, and the new one goes with its own user.
      await storage.putConnectState(first);
      await storage.putConnectState(second);
      await storage.erase({ userId: first.userId });
      assert.deepEqual(await storage.takeConnectState(first.hash), second);
    }),
  ];
}
