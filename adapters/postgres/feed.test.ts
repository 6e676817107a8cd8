import type { Change, Storage } from '@mca/core/adapter-kit';
import { describe, expect, test } from 'vitest';
import { connect, LONG_MS, sampleItem, sampleItems, take } from '../../src/testing/storage/samples.ts';
import { postgresServer } from '../../test/support/postgres.ts';
import { holdingCommits, openSchema } from '../../test/support/postgres-setup.ts';
import { recordFigure } from '../../test/support/reliability.ts';
import { commitOne } from '../../test/support/store-steps.ts';
import { postgres } from './index.ts';

const server = await postgresServer();
const isFull = process.env.MCA_TEST_FULL === '1';
const HAMMER_MS = isFull ? 20_000 : 2_000;
const WRITERS = 10;

/** What somebody knows who has followed the feed of everybody. */
class Follower {
  readonly known = new Map<string, string>();
  after = 0;
  changes = 0;

  async catchUp(storage: Storage, limit: number): Promise<void> {
    for (;;) {
      const page = await storage.changes({ after: this.after, limit });
      for (const change of page) this.#apply(change);
      if (page.length < limit) return;
    }
  }

  #apply(change: Change): void {
    expect(change.sequence).toBeGreaterThan(this.after);
    this.after = change.sequence;
    this.changes += 1;
    if (change.type === 'stored') this.known.set(change.item.externalId, change.item.title);
    else this.known.delete(change.key.externalId);
  }
}

const shown = (changes: readonly Change[]) =>
  changes.map((change) => (change.type === 'stored' ? change.item.externalId : `-${change.key.externalId}`));

describe.skipIf(!server)('postgres: the feed while others commit', () => {
  const onServer = server as NonNullable<typeof server>;

  /** A takes numbers and stays open, B takes higher ones and commits. Answers what a reader sees then, and after A's commit. */
  async function overtake(spoil?: (query: (text: string) => Promise<unknown>) => Promise<unknown>) {
    const { pool, schema, storage, drop, look } = await openSchema(onServer);
    await spoil?.(look);
    await commitOne(storage, 'before');
    const { id } = await connect(storage, { account: 'slow' });
    const lease = await take(storage, `sync:${id}:history`);
    const holding = holdingCommits(pool);
    const slow = postgres({ pool: holding.pool, schema }).storage;
    const page = { lease, connectionId: id, policy: 'keep' as const, items: [sampleItem({ externalId: 'slow' })] };
    const committing = slow.commitPage(page);
    await holding.reached;
    const { sequence } = await commitOne(storage, 'fast');
    const first = await storage.changes({ after: 0, limit: 10 });
    holding.letGo();
    expect((await committing).sequence).toBeLessThan(sequence);
    const after = first.at(-1)?.sequence ?? 0;
    const second = await storage.changes({ after, limit: 10 });
    await drop();
    return [shown(first), shown(second)];
  }

  test('READ-8 a reader does not pass numbers of a transaction that is still open', async () => {
    expect(await overtake()).toEqual([['before'], ['slow', 'fast']]);
  });

  test('READ-8 a reader who does not look at the locks would lose the row', async () => {
    const blind = await overtake((look) =>
      look(
        `CREATE OR REPLACE FUNCTION %.feed_horizon() RETURNS bigint LANGUAGE sql AS 'SELECT last_value FROM %.feed_sequence'`,
      ),
    );
    expect(blind).toEqual([['before', 'fast'], []]);
  });

  test('READ-8 deleting and undoing take their turn, too', async () => {
    const { pool, schema, storage, drop } = await openSchema(onServer);
    const { id } = await connect(storage);
    const lease = await take(storage, 'import:i');
    const progress = { id: 'i', startedAt: new Date(0), files: [], read: 1, skipped: {}, rejected: {}, coverage: [] };
    await storage.commitPage({
      ...{ lease, connectionId: id, policy: 'keep', items: sampleItems(2) },
      import: { ...progress, status: 'complete' },
    });
    await commitOne(storage, 'other');
    const { sequence: end } = await commitOne(storage, 'last');
    const key = { userId: 'ada', platform: 'spotify', externalId: 'other' };
    for (const work of [
      (slow: Storage) => slow.deleteItem(key),
      (slow: Storage) => slow.undoImport({ userId: 'ada', importId: 'i' }),
    ]) {
      const holding = holdingCommits(pool);
      const working = work(postgres({ pool: holding.pool, schema }).storage);
      await holding.reached;
      const { sequence } = await commitOne(storage, `during ${work}`);
      const seen = await storage.changes({ after: end, limit: 10 });
      expect(seen.map((change) => change.sequence)).not.toContain(sequence);
      holding.letGo();
      await working;
      expect((await storage.changes({ after: end, limit: 10 })).at(-1)?.sequence).toBe(sequence);
    }
    await drop();
  });

  test('READ-8 locks are told apart by schema, and numbers far from the beginning too', async () => {
    for (const start of [2 ** 31 - 2, 2 ** 32 - 1, 2 ** 40 + 2 ** 31 - 1]) {
      const outcome = await overtake((query) => query(`SELECT setval('%.feed_sequence', ${start})`));
      expect(outcome).toEqual([['before'], ['slow', 'fast']]);
    }
    const [one, other] = [await openSchema(onServer), await openSchema(onServer)];
    const holding = holdingCommits(one.pool);
    const { id } = await connect(one.storage);
    const lease = await take(one.storage, `sync:${id}:history`);
    const slow = postgres({ pool: holding.pool, schema: one.schema }).storage;
    const committing = slow.commitPage({ lease, connectionId: id, policy: 'keep', items: sampleItems(1) });
    await holding.reached;
    await commitOne(other.storage, 'elsewhere');
    expect(shown(await other.storage.changes({ after: 0, limit: 9 }))).toEqual(['elsewhere']);
    holding.letGo();
    await committing;
    await Promise.all([one.drop(), other.drop()]);
  });

  test(`READ-8 ${WRITERS} writers for ${HAMMER_MS} ms: a follower ends with every row as last written`, async () => {
    const { pool, schema, storage, drop } = await openSchema(onServer, { max: WRITERS + 3 });
    const until = performance.now() + HAMMER_MS;
    const isOver = () => performance.now() > until;
    let commits = 0;
    const write = async (writer: number) => {
      const { id } = await connect(storage, { account: `${writer}` });
      const lease = await storage.acquireLease({ resource: `sync:${id}:history`, owner: 'o', ttlMs: LONG_MS });
      if (!lease) throw new Error('no lease');
      for (let round = 0; !isOver(); round += 1) {
        // All write the same keys now and then, so that rows move, are waited for and are deleted.
        const items = Array.from({ length: 1 + ((round * 7 + writer) % 30) }, (_, index) =>
          sampleItem({ externalId: `key ${(index * 13 + round + writer) % 80}`, title: `${writer} ${round} ${index}` }),
        );
        await storage.commitPage({ lease, connectionId: id, items, policy: 'replace' });
        commits += 1;
        const key = { userId: 'ada', platform: 'spotify', externalId: `key ${round % 80} of ${writer}` };
        await storage.commitPage({ lease, connectionId: id, items: [sampleItem(key)], policy: 'keep' });
        if (round % 3 === 0) await storage.deleteItem(key);
      }
    };
    const followers = [1, 7, 100, 1_000].map((limit) => ({ limit, follower: new Follower() }));
    const follow = async ({ limit, follower }: (typeof followers)[number]) => {
      const reader = postgres({ pool, schema }).storage;
      while (!isOver()) await follower.catchUp(reader, limit);
    };
    await Promise.all([
      ...Array.from({ length: WRITERS }, (_, writer) => write(writer)),
      // One page at a time would never catch up with ten writers.
      ...followers.slice(2).map(follow),
    ]);
    const stored = await storage.queryItems({ userId: 'ada', order: 'oldest', limit: 100_000 });
    const expected = Object.fromEntries(stored.map(({ externalId, title }) => [externalId, title]));
    for (const each of followers) {
      await each.follower.catchUp(storage, each.limit);
      expect(Object.fromEntries(each.follower.known)).toEqual(expected);
    }
    const seen = followers[3]?.follower.changes ?? 0;
    expect(commits).toBeGreaterThan(HAMMER_MS / 100);
    expect(seen).toBeGreaterThan(stored.length);
    recordFigure('READ-8', `Postgres, ${WRITERS} writers, ${commits} pages, ${seen} changes followed: 0 rows lost`);
    await drop();
  });
});
