import { describe, expect, test, vi } from 'vitest';
import {
  commit,
  conclude,
  connect,
  importItems,
  LONG_MS,
  sampleConnectState,
  sampleItems,
  sampleLogEntry,
  sampleParked,
  take,
} from '../../src/testing/storage/samples.ts';
import { postgresServer } from '../../test/support/postgres.ts';
import { holdingCommits, openSchema, realTime, setClock } from '../../test/support/postgres-setup.ts';
import { recordFigure } from '../../test/support/reliability.ts';
import { postgres } from './index.ts';

const server = await postgresServer();
const CONNECTIONS = 2_000;
const CLAIMERS = 8;

describe.skipIf(!server)('postgres: live syncs', () => {
  const onServer = server as NonNullable<typeof server>;

  test('R-078 leases end by the clock of the database, whatever the clock of a process says', async () => {
    const { pool, schema, storage, drop } = await openSchema(onServer);
    const clocks = [0, -600_000, 600_000];
    const lease = await storage.acquireLease({ resource: 'r', owner: 'holder', ttlMs: 5_000 });
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const owners: string[] = [];
      for (const skewMs of clocks) {
        vi.setSystemTime(Date.now() + skewMs);
        const own = postgres({ pool, schema }).storage;
        if (await own.acquireLease({ resource: 'r', owner: `skewed by ${skewMs}`, ttlMs: 1 })) owners.push(`${skewMs}`);
        const other = await own.acquireLease({ resource: `r ${skewMs}`, owner: 'o', ttlMs: 0 });
        expect(Math.abs((other?.expiresAt ?? 0) - ((lease?.expiresAt ?? 0) - 5_000))).toBeLessThan(60_000);
      }
      expect(owners).toEqual([]);
      recordFigure('R-078', `Postgres, process clocks ${clocks.join(', ')} ms off: ${owners.length} double owners`);
    } finally {
      vi.useRealTimers();
    }
    await setClock(pool, schema, realTime(5_001));
    const next = await storage.acquireLease({ resource: 'r', owner: 'next', ttlMs: 5_000 });
    expect(next?.fence).toBeGreaterThan(lease?.fence ?? Number.POSITIVE_INFINITY);
    await drop();
  });

  test('who takes a lease over waits for a page that is being committed under it, and comes after it', async () => {
    const { pool, schema, storage, drop } = await openSchema(onServer);
    const { id } = await connect(storage);
    const resource = `sync:${id}:history`;
    const lease = await storage.acquireLease({ resource, owner: 'slow', ttlMs: 1 });
    if (!lease) throw new Error('no lease');
    await setClock(pool, schema, realTime(1_000));
    const holding = holdingCommits(pool);
    const slow = postgres({ pool: holding.pool, schema }).storage;
    const committing = slow.commitPage({ lease, connectionId: id, policy: 'keep', items: sampleItems(3) });
    await holding.reached;
    let isTaken = false;
    const taking = storage.acquireLease({ resource, owner: 'next', ttlMs: LONG_MS }).then((next) => {
      isTaken = true;
      return next;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(isTaken).toBe(false);
    holding.letGo();
    expect((await committing).inserted).toBe(3);
    expect(await taking).toMatchObject({ owner: 'next' });
    const late = storage.commitPage({ lease, connectionId: id, policy: 'keep', items: sampleItems(9) });
    await expect(late).rejects.toMatchObject({ code: 'storage', reason: 'lease_lost' });
    await drop();
  });

  test('claiming waits for no worker that stands still inside its commit, and takes what else is due', async () => {
    const { pool, schema, storage, drop } = await openSchema(onServer);
    const ids: string[] = [];
    for (const account of ['a', 'b', 'c']) {
      const { id } = await connect(storage, { account });
      ids.push(id);
      await storage.putSchedule({ connectionId: id, capability: 'history', dueAt: 1, blocked: false, failures: 0 });
    }
    await storage.acquireLease({ resource: `sync:${ids[0]}:history`, owner: 'stopped', ttlMs: 1 });
    await setClock(pool, schema, realTime(1_000));
    const stopped = await pool.connect();
    await stopped.query('BEGIN');
    await stopped.query(`SELECT 1 FROM "${schema}".leases FOR UPDATE`);
    const request = { providers: ['spotify'], owner: 'next', ttlMs: LONG_MS, limit: 4 };
    const idsOf = async () => (await storage.claimDueConnections(request)).map(({ connection }) => connection.id);
    expect(await idsOf()).toEqual(ids.slice(1));
    await stopped.query('ROLLBACK');
    stopped.release();
    expect(await idsOf()).toEqual(ids.slice(0, 1));
    await drop();
  });

  test('a backlog is counted as far as anybody wants to know', async () => {
    const { pool, schema, storage, drop } = await openSchema(onServer);
    await connect(storage);
    await pool.query(
      `WITH made AS (
         INSERT INTO "${schema}".connections
           (id, user_no, provider, kind, account, status, settings, granted_scopes, created_at)
         SELECT 'c' || n, user_no, provider, kind, n::text, status, settings, granted_scopes, created_at
         FROM "${schema}".connections, generate_series(1, 10050) n RETURNING connection_no)
       INSERT INTO "${schema}".schedules (connection_no, capability, due_at, blocked, failures)
       SELECT connection_no, 'history', row_number() OVER (), false, 0 FROM made`,
    );
    expect(await storage.readBacklog({ providers: ['spotify'] })).toEqual({ due: 10_000, oldestDueAt: 1, running: 0 });
    await drop();
  });

  test('erasing waits for a page that is being committed, and takes its items along', async () => {
    const { pool, schema, storage, look, drop } = await openSchema(onServer);
    const { id } = await connect(storage);
    const lease = await take(storage, 'a lease of any name');
    const holding = holdingCommits(pool);
    const slow = postgres({ pool: holding.pool, schema }).storage;
    const committing = slow.commitPage({ lease, connectionId: id, policy: 'keep', items: sampleItems(3) });
    await holding.reached;
    const erasing = storage.erase({ userId: 'ada' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    holding.letGo();
    await committing;
    expect(await erasing).toEqual({ items: 3 });
    expect(await look('SELECT 1 FROM %.items')).toEqual([]);
    await drop();
  });

  test(`${CONNECTIONS} connections that are due are claimed each once by ${CLAIMERS} at once`, async () => {
    const { pool, storage, look, drop } = await openSchema(onServer, { max: CLAIMERS });
    await look(`INSERT INTO %.users (user_id) SELECT 'user ' || i FROM generate_series(1, ${CONNECTIONS}) i`);
    // Every tenth connection needs its user.
    await look(`INSERT INTO %.connections (id, user_no, provider, kind, account, status, settings, granted_scopes, created_at)
      SELECT 'c' || user_no, user_no, 'spotify', 'api', '', CASE WHEN mod(user_no, 10) = 0 THEN 'needs_reauth' ELSE 'active' END,
        '{}', '[]', 0 FROM %.users`);
    await look(`INSERT INTO %.schedules SELECT connection_no, 'history', mod(connection_no * 2347, 2000), false, 0
      FROM %.connections`);
    const request = { providers: ['spotify'], limit: 50, ttlMs: LONG_MS };
    const [first] = await storage.listDue({ providers: ['spotify'], limit: 1 });
    const claimers = Array.from({ length: CLAIMERS }, async (_, index) => {
      const claimed: { dueAt: number; id: string; fence: number }[] = [];
      for (;;) {
        const due = await storage.claimDueConnections({ ...request, owner: `${index}` });
        const turns = due.map(({ schedule, connection, lease }) => ({
          ...{ dueAt: schedule.dueAt, id: connection.id, fence: lease.fence },
        }));
        expect(turns.map(({ dueAt }) => dueAt)).toEqual(turns.map(({ dueAt }) => dueAt).toSorted((a, b) => a - b));
        claimed.push(...turns);
        if (due.length === 0) return claimed;
      }
    });
    const claimed = (await Promise.all(claimers)).flat();
    expect(claimed).toHaveLength((CONNECTIONS * 9) / 10);
    expect(new Set(claimed.map(({ id }) => id)).size).toBe(claimed.length);
    expect(new Set(claimed.map(({ fence }) => fence)).size).toBe(claimed.length);
    expect(claimed.some(({ dueAt }) => dueAt === first?.dueAt)).toBe(true);
    expect(await storage.readBacklog({ providers: ['spotify'] })).toEqual({
      ...{ due: 0, oldestDueAt: undefined, running: claimed.length },
    });
    expect(pool.totalCount).toBeLessThanOrEqual(CLAIMERS);
    await drop();
  });

  test('nothing that expired, was cut off or was made good lies in the schema', async () => {
    const { pool, schema, storage, look, drop } = await openSchema(onServer);
    const count = async (table: string) => (await look(`SELECT 1 FROM %.${table}`)).length;
    await setClock(pool, schema, '1000');
    for (const name of ['a', 'b', 'c']) await storage.putConnectState(sampleConnectState(name, { expiresAt: 2_000.5 }));
    await setClock(pool, schema, '2001');
    await storage.putConnectState(sampleConnectState('d', { expiresAt: 3_000 }));
    expect(await count('connect_states')).toBe(1);
    await setClock(pool, schema, '3000');
    // Taken too late it is gone all the same.
    expect(await storage.takeConnectState(sampleConnectState('d').hash)).toBeUndefined();
    expect(await count('connect_states')).toBe(0);

    const { id } = await connect(storage);
    for (let run = 0; run < 120; run += 1) await conclude(storage, sampleLogEntry(id));
    expect(await count('sync_log')).toBe(100);
    for (let run = 0; run < 9; run += 1) {
      const cursor = { capability: 'history', value: `${run}` as never };
      await commit(storage, [], { cursor, parked: [sampleParked()] });
    }
    expect(await count('cursors')).toBe(5);
    const [record] = await storage.listParked(id);
    expect(record).toMatchObject({ id: 1, attempts: 9, parkedAt: new Date(3_000) });
    await commit(storage, [], { unparked: [1] });
    expect(await count('parked')).toBe(0);
    // The id is not given to another record, which somebody who still holds the old id would take away.
    await commit(storage, [], { parked: [sampleParked()] });
    expect((await storage.listParked(id)).map((parked) => parked.id)).toEqual([2]);
    await drop();
  });

  test('erasing a user leaves no row in any table', async () => {
    const { schema, storage, look, drop } = await openSchema(onServer);
    const { id } = await connect(storage);
    const cursor = { capability: 'history', value: 'here' as never };
    await importItems(storage, 'i', sampleItems(3), { cursor, parked: [sampleParked()] });
    await importItems(storage, 'j', sampleItems(5));
    await storage.undoImport({ userId: 'ada', importId: 'j' });
    await take(storage, `refresh:${id}`);
    await take(storage, 'import:i');
    await conclude(storage, sampleLogEntry(id));
    await storage.putSchedule({ connectionId: id, capability: 'history', dueAt: 0, blocked: false, failures: 0 });
    await storage.putConnectState(sampleConnectState('one', { expiresAt: Number.MAX_SAFE_INTEGER }));
    const names = (
      await look<{ name: string }>(`SELECT tablename AS name FROM pg_tables WHERE schemaname = '${schema}'`)
    )
      .map(({ name }) => name)
      .sort();
    const filled = async () => {
      const rows = await Promise.all(names.map((name) => look(`SELECT 1 FROM %.${name} LIMIT 1`)));
      return names.filter((_, index) => (rows[index]?.length ?? 0) > 0);
    };
    expect(await filled()).toEqual(names.filter((name) => name !== 'credentials'));
    await storage.erase({ userId: 'ada' });
    expect(await filled()).toEqual(['schema_versions']);
    await drop();
  });
});
