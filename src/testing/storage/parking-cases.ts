import assert from 'node:assert/strict';
import type { ConformanceCase } from '../conformance-case.ts';
import {
  assertRefused,
  commit,
  connect,
  nowOf,
  parkedContentOf,
  sampleItem,
  sampleItems,
  sampleParked,
  take,
} from './samples.ts';
import { elapse, onFreshStore, type Suite } from './under-test.ts';

/** Promises of `PageVerbs` about records that could not be stored. */
export function parkingCases(suite: Suite): readonly ConformanceCase[] {
  return [
    onFreshStore(suite, 'PAGE-12', 'a record parked again counts one more attempt', async (store) => {
      const { storage } = store;
      const { id } = await connect(storage);
      const other = await connect(storage, { account: 'other' });
      // Long and alike but for the last character, so that comparing a beginning would show.
      const raw = `{"text":"${'ü'.repeat(7_000)}"`;
      const record = sampleParked({ raw: `${raw}}` });
      const before = await nowOf(storage);
      await commit(storage, [], { parked: [record] });
      const [first] = await storage.listParked(id);
      assert.ok(first);
      assert.equal(first.attempts, 1);
      assert.ok(first.parkedAt.getTime() >= before);
      assert.deepEqual(parkedContentOf(first), record);

      await elapse(store, 2);
      await commit(storage, [], { parked: [record] });
      await commit(storage, [], { parked: [sampleParked({ raw: '[]' }), record] });
      // Capability and connection tell records apart, too.
      await commit(storage, [], {
        parked: [
          { ...record, capability: 'likes' },
          { ...record, raw: `${raw}]` },
        ],
      });
      await commit(storage, [], { parked: [record], connectionId: other.id });
      const parked = await storage.listParked(id);
      const attemptsOf = parked.map(({ capability, raw: text, attempts }) => [capability, text, attempts]);
      assert.deepEqual(attemptsOf, [
        ['history', `${raw}}`, 3],
        ['history', '[]', 1],
        ['likes', `${raw}}`, 1],
        ['history', `${raw}]`, 1],
      ]);
      assert.equal(parked[0]?.id, first.id);
      const ofOther = await storage.listParked(other.id);
      assert.deepEqual(
        ofOther.map(({ attempts }) => attempts),
        [1],
      );
      assert.equal(new Set([...parked, ...ofOther].map((stored) => stored.id)).size, 5);
    }),
    onFreshStore(suite, 'PAGE-12', 'a record that comes twice on a page is met twice', async ({ storage }) => {
      const { id } = await connect(storage);
      await commit(storage, [], { parked: [sampleParked(), sampleParked({ raw: '1' }), sampleParked()] });
      assert.deepEqual(
        (await storage.listParked(id)).map(({ raw, attempts }) => [raw, attempts]),
        [
          ['{}', 2],
          ['1', 1],
        ],
      );
    }),
    onFreshStore(suite, 'PAGE-12', 'what is made good goes with the page that stores it', async ({ storage }) => {
      const { id } = await connect(storage);
      const other = await connect(storage, { account: 'other' });
      const texts = ['1', '2', '3', '4'];
      await commit(storage, [], { parked: texts.map((raw) => sampleParked({ raw })) });
      await commit(storage, [], { parked: [sampleParked({ raw: 'theirs' })], connectionId: other.id });
      const [one, two, , four] = await storage.listParked(id);
      const [theirs] = await storage.listParked(other.id);
      assert.ok(one && two && four && theirs);
      const rest = async () => (await storage.listParked(id)).map(({ raw }) => raw);

      // A page that fails makes nothing good.
      const bad = [...sampleItems(1), sampleItem({ externalId: 'bad', consumedAt: new Date(Number.NaN) })];
      await assertRefused(commit(storage, bad, { unparked: [one.id] }), 'invalid_data', 'invalid_date');
      const lease = await take(storage, `sync:${id}:history`);
      await storage.releaseLease(lease);
      await assertRefused(commit(storage, [], { lease, unparked: [one.id] }), 'storage', 'lease_lost');
      assert.deepEqual(await rest(), texts);

      // Ids of other connections, and ids that are gone, are passed over.
      await commit(storage, sampleItems(2), { unparked: [one.id, four.id, theirs.id, 1_000_000] });
      assert.deepEqual(await rest(), ['2', '3']);
      assert.deepEqual(
        (await storage.listParked(other.id)).map(({ raw }) => raw),
        ['theirs'],
      );
      // One still fails, the other one is good now: both on one page.
      await commit(storage, [], { unparked: [one.id, two.id], parked: [sampleParked({ raw: '3' })] });
      assert.deepEqual(
        (await storage.listParked(id)).map(({ raw, attempts }) => [raw, attempts]),
        [['3', 2]],
      );
      // Gone is gone: parked again it starts from the beginning.
      await commit(storage, [], { parked: [sampleParked({ raw: '1' })] });
      assert.deepEqual(
        (await storage.listParked(id)).map(({ raw, attempts }) => [raw, attempts]),
        [
          ['3', 2],
          ['1', 1],
        ],
      );
    }),
  ];
}
