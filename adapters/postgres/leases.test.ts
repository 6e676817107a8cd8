import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { connect, LONG_MS, sampleItems } from '../../src/testing/storage/samples.ts';
import { postgresServer } from '../../test/support/postgres.ts';
import { openSchema, realTime, setClock } from '../../test/support/postgres-setup.ts';
import { postgres } from './index.ts';

const server = await postgresServer();
const DAY = 24 * 60 * 60_000;

describe.skipIf(!server)('postgres: leases of processes that died', () => {
  async function open() {
    const opened = await openSchema(server as NonNullable<typeof server>);
    const { pool, schema, storage, look } = opened;
    return {
      ...opened,
      take: async (resource: string, ttlMs = LONG_MS, owner = 'somebody') => {
        const lease = await storage.acquireLease({ resource, owner, ttlMs });
        if (!lease) throw new Error(`${resource} is held`);
        return lease;
      },
      /** Sets the clock of the database, to so long after now. */
      later: (ms: number) => setClock(pool, schema, realTime(ms)),
      resources: async () => {
        const rows = await look<{ resource: string }>('SELECT resource FROM %.leases ORDER BY resource');
        return rows.map(({ resource }) => resource);
      },
    };
  }

  test('go a day after their end, with the next import; those that live or ended since stay', async () => {
    const { take, later, resources, drop } = await open();
    for (const resource of ['import:dead', 'sync:c:history', 'jobs:plan:spotify']) await take(resource, 1_000);
    await take('import:asleep', DAY);
    await take('import:alive', 3 * DAY);
    await later(DAY);
    await take('import:next');
    expect(await resources()).toHaveLength(6);
    await later(DAY + 60_000);
    await take('import:next, too');
    expect(await resources()).toEqual(['import:alive', 'import:asleep', 'import:next', 'import:next, too']);
    await drop();
  });

  test('are not looked for by what happens with each sync', async () => {
    const { take, later, resources, drop } = await open();
    await take('import:dead', 1_000);
    await later(2 * DAY);
    await take('sync:c:history');
    await take('refresh:c');
    expect(await resources()).toContain('import:dead');
    await take('jobs:plan:spotify');
    expect(await resources()).toEqual(['jobs:plan:spotify', 'refresh:c', 'sync:c:history']);
    await drop();
  });

  test('taken anew after that have a higher fence, and whoever slept so long writes nothing', async () => {
    const { storage, take, later, drop } = await open();
    const { id } = await connect(storage);
    const asleep = await take('import:i', 1_000, 'asleep');
    await later(2 * DAY);
    await take('import:other');
    const page = { connectionId: id, policy: 'keep', items: sampleItems(3) } as const;
    const lost = { code: 'storage', reason: 'lease_lost' };
    const attempt = () => expect(storage.commitPage({ ...page, lease: asleep })).rejects.toMatchObject(lost);
    await attempt();
    expect(await storage.renewLease(asleep, LONG_MS)).toBeUndefined();
    // By the same owner, so that nothing but the fence tells the two apart.
    const awake = await take('import:i', LONG_MS, 'asleep');
    expect(awake.fence).toBeGreaterThan(asleep.fence);
    await attempt();
    expect(await storage.renewLease(asleep, LONG_MS)).toBeUndefined();
    await storage.releaseLease(asleep);
    expect(await storage.commitPage({ ...page, lease: awake })).toMatchObject({ inserted: 3 });
    await drop();
  });

  test('that are taken anew themselves are taken over, not lost', async () => {
    const { take, later, resources, drop } = await open();
    const before = await take('import:i', 1_000, 'before');
    await later(2 * DAY);
    expect((await take('import:i')).fence).toBeGreaterThan(before.fence);
    expect(await resources()).toEqual(['import:i']);
    await drop();
  });

  test('go some at a time, and nobody waits for one that somebody has locked', async () => {
    const { pool, schema, take, later, look, resources, drop } = await open();
    await look(
      `INSERT INTO %.leases SELECT 'import:' || n, 'o', nextval('"${schema}".fences'), %.mca_now() FROM generate_series(1, 150) n`,
    );
    await later(2 * DAY);
    const stopped = await pool.connect();
    await stopped.query('BEGIN');
    await stopped.query(`SELECT 1 FROM "${schema}".leases WHERE resource = 'import:7' FOR UPDATE`);
    await take('import:next');
    expect(await resources()).toHaveLength(51);
    await take('import:next');
    expect(await resources()).toEqual(['import:7', 'import:next']);
    await stopped.query('ROLLBACK');
    stopped.release();
    await take('import:next');
    expect(await resources()).toEqual(['import:next']);
    await drop();
  });

  test.each(['repeatable read', 'serializable'])(
    "keep nobody from beginning, also where the host's connections are %s",
    async (isolation) => {
      const { schema, look, drop } = await open();
      const options = `-c default_transaction_isolation=${isolation.replace(' ', '\\ ')}`;
      const pool = new pg.Pool({ connectionString: (server as NonNullable<typeof server>).url, options });
      const { storage } = postgres({ pool, schema });
      for (let round = 0; round < 5; round += 1) {
        await look(
          `INSERT INTO %.leases SELECT 'import:dead:' || n, 'o', nextval('"${schema}".fences'), 0 FROM generate_series(1, 300) n`,
        );
        const leases = await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            storage.acquireLease({ resource: `import:${round}:${index}`, owner: 'o', ttlMs: LONG_MS }),
          ),
        );
        expect(leases.filter((lease) => lease === undefined)).toEqual([]);
        await Promise.all(leases.map((lease) => lease && storage.releaseLease(lease)));
      }
      expect(await look('SELECT resource FROM %.leases')).toEqual([]);
      await pool.end();
      await drop();
    },
  );

  test('that come to life at that very moment live on', async () => {
    const { storage, pool, schema, take, later, drop } = await open();
    const asleep = await take('import:asleep', 1_000);
    await later(2 * DAY);
    const renewing = await pool.connect();
    await renewing.query('BEGIN');
    await renewing.query(`UPDATE "${schema}".leases SET expires_at = "${schema}".mca_now() + ${LONG_MS}`);
    await take('import:next');
    await renewing.query('COMMIT');
    renewing.release();
    expect(await storage.renewLease(asleep, LONG_MS)).toMatchObject({ resource: 'import:asleep' });
    await drop();
  });
});
