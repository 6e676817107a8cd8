import assert from 'node:assert/strict';
import type { Storage } from '../../contracts/storage/index.ts';
import type { ConformanceCase } from '../conformance-case.ts';
import {
  assertRefused,
  at,
  commit,
  conclude,
  connect,
  importItems,
  LONG_MS,
  nowOf,
  readIds,
  sampleConnectState,
  sampleItems,
  sampleLogEntry,
  sampleParked,
  take,
} from './samples.ts';
import { elapse, onFreshStore, type Suite } from './under-test.ts';

/** Promises of `ConnectionVerbs`. */
export function connectionCases(suite: Suite): readonly ConformanceCase[] {
  return [
    onFreshStore(suite, 'CONN-1', 'the same connection asked for by many at once is made once', async ({ storage }) => {
      const asked = Array.from({ length: 8 }, (_, index) => connect(storage, { id: `id-${index}` }));
      const ids = new Set((await Promise.all(asked)).map(({ id }) => id));
      assert.equal(ids.size, 1);
      assert.equal((await storage.listConnections({})).length, 1);
    }),
    onFreshStore(
      suite,
      'CONN-1',
      'user, provider, kind and account each make another connection',
      async ({ storage }) => {
        const made = [
          await connect(storage),
          await connect(storage, { userId: 'bob' }),
          await connect(storage, { provider: 'netflix' }),
          await connect(storage, { kind: 'api' }),
          await connect(storage, { account: 'work' }),
        ];
        assert.equal(new Set(made.map(({ id }) => id)).size, 5);
        const [first] = made;
        const { createdAt, ...rest } = first ?? {};
        assert.ok(createdAt instanceof Date);
        assert.deepEqual(rest, {
          id: 'connection-of-ada-spotify-file-',
          userId: 'ada',
          provider: 'spotify',
          kind: 'file',
          account: '',
          status: 'active',
          settings: {},
          grantedScopes: [],
        });
      },
    ),
    onFreshStore(suite, 'CONN-2', 'a patch changes what it names and nothing else', async ({ storage }) => {
      const made = await connect(storage);
      const { id } = made;
      const other = await connect(storage, { account: 'other' });
      const all = {
        statusReason: 'revoked',
        label: 'Ädä 😀',
        settings: { region: 'de', nested: [1, null] },
        grantedScopes: ['a', 'b'],
        lastSyncAt: new Date(at(1).getTime() + 123),
        authorizedAt: new Date(at(2).getTime() + 456),
        authorizationExpiresAt: new Date(at(3).getTime() + 789),
      };
      const first = await storage.updateConnection(id, all);
      assert.deepEqual(first, { ...made, ...all });
      const second = await storage.updateConnection(id, { status: 'needs_reauth', settings: undefined });
      assert.deepEqual(second, { ...first, status: 'needs_reauth' });
      const third = await storage.updateConnection(id, { settings: {}, grantedScopes: [] });
      assert.deepEqual(third, { ...second, settings: {}, grantedScopes: [] });
      assert.deepEqual(await storage.listConnections({ id }), [third]);
      assert.deepEqual(await storage.listConnections({ id: other.id }), [other]);
    }),
    onFreshStore(suite, 'CONN-2', 'each field is changed, and cleared, by itself', async ({ storage }) => {
      const { id, ...made } = await connect(storage);
      const patches = [
        { statusReason: 'expired' },
        { label: 'Ada' },
        { authorizedAt: at(1) },
        { authorizationExpiresAt: at(2) },
        { lastSyncAt: at(3) },
        { status: 'disabled' },
        { settings: { a: 1 } },
        { grantedScopes: ['a'] },
      ] as const;
      let expected: object = { id, ...made };
      for (const patch of patches) {
        expected = { ...expected, ...patch };
        assert.deepEqual(await storage.updateConnection(id, patch), expected);
      }
      for (const field of ['statusReason', 'authorizedAt', 'authorizationExpiresAt'] as const) {
        const unnamed = await storage.updateConnection(id, { [field]: undefined });
        assert.deepEqual(unnamed, expected);
        const { [field]: _, ...rest } = expected as Record<string, unknown>;
        assert.deepEqual(await storage.updateConnection(id, { [field]: null }), rest, `${field} is cleared`);
        expected = rest;
      }
      assert.deepEqual(await storage.updateConnection(id, {}), expected);
      assert.deepEqual(await storage.listConnections({ id }), [expected]);
    }),
    onFreshStore(suite, 'CONN-2', 'patching an unknown connection answers undefined', async ({ storage }) => {
      assert.equal(await storage.updateConnection('nobody', { status: 'disabled' }), undefined);
      assert.deepEqual(await storage.listConnections({}), []);
    }),
    onFreshStore(suite, 'CONN-3', 'the filter narrows, oldest first', async (store) => {
      const { storage } = store;
      // Ids against the order of creation, so that sorting by id would show.
      const ids = ['z', 'm', 'a', 'k'];
      const owners = ['ada', 'bob', 'ada', 'ada'];
      const providers = ['spotify', 'spotify', 'netflix', 'youtube'];
      for (const [index, id] of ids.entries()) {
        await connect(storage, { id, userId: owners[index] ?? '', provider: providers[index] ?? '' });
        await elapse(store, 2);
      }
      const list = async (filter: Parameters<Storage['listConnections']>[0]) =>
        (await storage.listConnections(filter)).map(({ id }) => id);
      assert.deepEqual(await list({}), ids);
      assert.deepEqual(await list({ userId: 'ada' }), ['z', 'a', 'k']);
      assert.deepEqual(await list({ provider: 'spotify' }), ['z', 'm']);
      assert.deepEqual(await list({ userId: 'ada', provider: 'spotify' }), ['z']);
      assert.deepEqual(await list({ id: 'm' }), ['m']);
      assert.deepEqual(await list({ id: 'm', userId: 'ada' }), []);
    }),
    onFreshStore(
      suite,
      'CONN-3',
      'whose consent ends before an instant, of active connections',
      async ({ storage }) => {
        const endings = { late: at(9), never: undefined, early: at(7), off: at(7) };
        for (const [id, authorizationExpiresAt] of Object.entries(endings)) {
          await connect(storage, { id, account: id });
          await storage.updateConnection(id, { authorizationExpiresAt });
        }
        await storage.updateConnection('off', { status: 'needs_reauth' });
        const endingBefore = async (consentEndsBefore: Date, userId?: string) =>
          (await storage.listConnections({ consentEndsBefore, userId })).map(({ id }) => id);
        assert.deepEqual(await endingBefore(at(7)), []);
        assert.deepEqual(await endingBefore(at(8)), ['early']);
        assert.deepEqual(await endingBefore(at(10)), ['late', 'early']);
        assert.deepEqual(await endingBefore(at(10), 'bob'), []);
      },
    ),
    onFreshStore(suite, 'CONN-4', "erasing a user leaves nothing of theirs and all of others'", async ({ storage }) => {
      const ada = await fill(storage, 'ada');
      const bob = await fill(storage, 'bob');
      const feedOfBob = await storage.changes({ after: 0, limit: 100, userId: 'bob' });
      assert.deepEqual(await storage.erase({ userId: 'ada' }), { items: 4 });

      assert.deepEqual(await readIds(storage), []);
      assert.deepEqual(await storage.listConnections({ userId: 'ada' }), []);
      assert.deepEqual(await storage.listImports({ userId: 'ada' }), []);
      assert.deepEqual(await storage.readCursors(ada.connectionId, 'history'), []);
      assert.deepEqual(await storage.listParked(ada.connectionId), []);
      assert.deepEqual(await storage.listSyncLog({ connectionId: ada.connectionId, limit: 10 }), []);
      assert.deepEqual(await storage.readSchedules(ada.connectionId), []);
      assert.equal(await storage.takeConnectState(ada.state.hash), undefined);
      assert.equal(await storage.renewLease(ada.lease, LONG_MS), undefined);
      assert.deepEqual(await storage.changes({ after: 0, limit: 100, userId: 'ada' }), []);

      assert.deepEqual(await storage.changes({ after: 0, limit: 100 }), feedOfBob);
      assert.equal((await readIds(storage, { userId: 'bob' })).length, 4);
      assert.equal((await storage.listImports({ userId: 'bob' })).length, 2);
      assert.deepEqual(await storage.readCursors(bob.connectionId, 'history'), ['cursor of bob']);
      assert.equal((await storage.listParked(bob.connectionId)).length, 1);
      assert.equal((await storage.listSyncLog({ connectionId: bob.connectionId, limit: 10 })).length, 1);
      const due = await storage.claimDueConnections({ providers: ['spotify'], limit: 10, owner: 'o', ttlMs: LONG_MS });
      assert.deepEqual(
        due.map(({ connection }) => connection.id),
        [bob.connectionId],
      );
      assert.deepEqual(await storage.takeConnectState(bob.state.hash), bob.state);
      assert.ok(await storage.renewLease(bob.lease, LONG_MS));
      assert.deepEqual(await storage.erase({ userId: 'ada' }), { items: 0 });
    }),
    onFreshStore(
      suite,
      'CONN-4',
      'what was erased can be imported again, deleted items included',
      async ({ storage }) => {
        await fill(storage, 'ada');
        const { sequence } = await commit(storage, [], { userId: 'bob' });
        await storage.erase({ userId: 'ada' });
        const again = await commit(storage, sampleItems(6));
        assert.deepEqual([again.inserted, again.unchanged], [6, 0]);
        assert.ok(again.sequence >= sequence + 6, 'the feed goes on, it does not start again');
      },
    ),
    onFreshStore(suite, 'CONN-4', 'a run that is interrupted by erasing cannot commit', async ({ storage }) => {
      const { id } = await connect(storage);
      const lease = await take(storage, 'import:i');
      await importItems(storage, 'i', sampleItems(1), { lease, connectionId: id, progress: { status: 'running' } });
      await storage.erase({ userId: 'ada' });
      const next = importItems(storage, 'i', sampleItems(2), { lease, connectionId: id });
      await assertRefused(next, 'storage', 'lease_lost');
      assert.deepEqual(await readIds(storage), []);
    }),
    onFreshStore(suite, 'CONN-4', 'a flow of somebody who never connected is erased, too', async ({ storage }) => {
      const expiresAt = (await nowOf(storage)) + LONG_MS;
      const [ada, bob] = [
        sampleConnectState('ada', { expiresAt }),
        sampleConnectState('bob', { expiresAt, userId: 'bob' }),
      ];
      for (const state of [ada, bob]) await storage.putConnectState(state);
      assert.deepEqual(await storage.erase({ userId: 'ada' }), { items: 0 });
      assert.equal(await storage.takeConnectState(ada.hash), undefined);
      assert.deepEqual(await storage.takeConnectState(bob.hash), bob);
    }),
    onFreshStore(suite, 'CONN-5', "erasing one connection leaves the user's others whole", async ({ storage }) => {
      const { id } = await connect(storage, { account: 'gone' });
      const kept = await connect(storage, { account: 'kept' });
      const items = sampleItems(6);
      await importItems(storage, 'gone', items.slice(0, 3), { connectionId: id });
      await importItems(storage, 'kept', items.slice(3), {
        connectionId: kept.id,
        cursor: { capability: 'history', value: 'kept' as never },
        parked: [sampleParked()],
      });
      await fillSync(storage, id);
      // Both put the user's one flow: the second is what is there.
      const { state } = await fillSync(storage, kept.id);
      const lease = await take(storage, `sync:${kept.id}:history`);
      assert.deepEqual(await storage.erase({ userId: 'bob', connectionId: id }), { items: 0 });
      assert.deepEqual(await storage.erase({ userId: 'ada', connectionId: id }), { items: 3 });
      assert.deepEqual(await storage.listConnections({ userId: 'ada' }), [kept]);
      assert.deepEqual(
        await readIds(storage),
        items.slice(3).map(({ externalId }) => externalId),
      );
      assert.deepEqual(
        (await storage.listImports({ userId: 'ada' })).map((record) => record.id),
        ['kept'],
      );
      assert.deepEqual(await storage.readCursors(kept.id, 'history'), ['kept']);
      assert.equal((await storage.listParked(kept.id)).length, 1);
      assert.deepEqual(await storage.listSyncLog({ connectionId: id, limit: 10 }), []);
      assert.deepEqual(await storage.readSchedules(id), []);
      assert.equal((await storage.listSyncLog({ connectionId: kept.id, limit: 10 })).length, 1);
      assert.equal((await storage.readSchedules(kept.id)).length, 1);
      // A flow belongs to the user, who may be about to connect anything.
      assert.deepEqual(await storage.takeConnectState(state.hash), state);
      assert.ok(await storage.renewLease(lease, LONG_MS));
      assert.equal((await storage.changes({ after: 0, limit: 100, userId: 'ada' })).length, 3);
    }),
  ];
}

/**
 * A bit of everything: four visible items, a deleted one, an undone import, cursor, parked record, line of the log,
 * schedule, connect flow and lease.
 */
async function fill(storage: Storage, userId: string) {
  const connection = await connect(storage, { userId });
  const items = sampleItems(6);
  await importItems(storage, `first of ${userId}`, items.slice(0, 5), {
    userId,
    cursor: { capability: 'history', value: `cursor of ${userId}` as never },
    parked: [sampleParked()],
  });
  await importItems(storage, `undone of ${userId}`, items.slice(5), { userId });
  await storage.undoImport({ userId, importId: `undone of ${userId}` });
  await storage.deleteItem({ userId, platform: 'spotify', externalId: items[0]?.externalId ?? '' });
  const { state } = await fillSync(storage, connection.id, userId);
  return { connectionId: connection.id, state, lease: await take(storage, `sync:${connection.id}:likes`) };
}

/** A line of the log, a schedule that is due, and a connect flow. */
async function fillSync(storage: Storage, connectionId: string, userId = 'ada') {
  const now = await nowOf(storage);
  await conclude(storage, sampleLogEntry(connectionId));
  await storage.putSchedule({ connectionId, capability: 'history', dueAt: now, blocked: false, failures: 0 });
  const state = sampleConnectState(userId, { userId, expiresAt: now + LONG_MS });
  await storage.putConnectState(state);
  return { state };
}
