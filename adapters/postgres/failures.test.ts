import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { McaError } from '@mca/core/adapter-kit';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { connect, readIds, sampleItems, take } from '../../src/testing/storage/samples.ts';
import { freshSchema, postgresServer } from '../../test/support/postgres.ts';
import { holdingCommits, openSchema, poolAs, setClock, withRole } from '../../test/support/postgres-setup.ts';
import { commitOne } from '../../test/support/store-steps.ts';
import { storageError } from './errors.ts';
import { postgres } from './index.ts';

const server = await postgresServer();

/** Lets every new lease fail with an SQLSTATE, `times` times: a sequence counts, because it is not rolled back. */
async function failWith(look: (text: string) => Promise<unknown>, state: string, times: number): Promise<void> {
  await look('CREATE SEQUENCE IF NOT EXISTS %.failures');
  await look(`SELECT setval('%.failures', 1, false)`);
  await look(`CREATE OR REPLACE FUNCTION %.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('%.failures') <= ${times} THEN RAISE EXCEPTION 'secret' USING ERRCODE = '${state}'; END IF;
    RETURN NEW; END $$`);
  await look('CREATE OR REPLACE TRIGGER fail BEFORE INSERT ON %.cursors FOR EACH ROW EXECUTE FUNCTION %.fail()');
}

describe.skipIf(!server)('postgres: failures of the database', () => {
  const onServer = server as NonNullable<typeof server>;
  const storageFailure = (reason: string, retryable: boolean) => ({ code: 'storage', reason, retryable });

  const commitCursor = async (storage: ReturnType<typeof postgres>['storage']) => {
    const { id } = await connect(storage);
    const lease = await take(storage, `sync:${id}:history`, 'test');
    const cursor = { capability: 'history', value: 'here' as never };
    return storage.commitPage({ lease, connectionId: id, policy: 'keep', items: sampleItems(3), cursor });
  };

  test('a transaction that fell victim to a deadlock is done again, a few times', async () => {
    const { storage, look, drop } = await openSchema(onServer);
    for (const state of ['40P01', '40001']) {
      await failWith(look, state, 3);
      await commitCursor(storage);
      expect(await readIds(storage)).toHaveLength(3);
      await failWith(look, state, 4);
      await expect(commitCursor(storage)).rejects.toMatchObject(storageFailure('busy', true));
    }
    expect(await readIds(storage)).toHaveLength(3);
    await drop();
  });

  test('two transactions that really wait for one another both end', async () => {
    const { pool, schema, storage, drop } = await openSchema(onServer);
    const both = await Promise.all(['a', 'b'].map((account) => connect(storage, { account })));
    const [one, other] = both.map(({ id }) => id) as [string, string];
    for (const { id } of both) await take(storage, `sync:${id}:history`, 'o');
    const schedule = { capability: 'history', dueAt: 1, blocked: false, failures: 0 };
    for (const connectionId of [one, other]) await storage.putSchedule({ ...schedule, connectionId });
    // A rival takes the second row first and wants the first one then.
    const rival = await pool.connect();
    await rival.query('BEGIN');
    const lock = (id: string) =>
      rival.query(
        `SELECT 1 FROM "${schema}".schedules WHERE connection_no =
           (SELECT connection_no FROM "${schema}".connections WHERE id = $1) FOR UPDATE`,
        [id],
      );
    await lock(other);
    const lease = await storage.acquireLease({ resource: `sync:${one}:history`, owner: 'o', ttlMs: 60_000 });
    if (!lease) throw new Error('no lease');
    const log = {
      ...{ id: 'run', connectionId: one, capability: 'history', status: 'complete' as const, pages: 1, gaps: [] },
      ...{ startedAt: new Date(0), finishedAt: new Date(1) },
      counts: { read: 0, inserted: 0, updated: 0, unchanged: 0, skipped: 0, rejected: 0 },
    };
    const schedules = [one, other].map((connectionId) => ({ ...schedule, connectionId, dueAt: 2 }));
    const concluding = storage.concludeSync({ lease, log, schedules });
    await new Promise((resolve) => setTimeout(resolve, 100));
    // One of the two is the victim: if it is the rival, it is told so.
    await lock(one).then(
      () => rival.query('COMMIT'),
      () => rival.query('ROLLBACK'),
    );
    rival.release();
    await concluding;
    expect((await storage.readSchedules(other))[0]?.dueAt).toBe(2);
    expect(await storage.listSyncLog({ connectionId: one, limit: 9 })).toHaveLength(1);
    await drop();
  });

  test.for([
    ['53100', 'disk_full', false],
    ['53200', 'out_of_memory', true],
    ['XX001', 'corrupt', false],
    ['XX002', 'corrupt', false],
    ['0A000', 'driver_error', false],
  ] as const)('SQLSTATE %s is %s, and nothing of the page is stored', async ([state, reason, retryable]) => {
    const { storage, look, drop } = await openSchema(onServer);
    await failWith(look, state, 1);
    await expect(commitCursor(storage)).rejects.toMatchObject(storageFailure(reason, retryable));
    expect(await readIds(storage)).toEqual([]);
    await commitCursor(storage);
    expect(await readIds(storage)).toHaveLength(3);
    await drop();
  });

  test('a connection that is cut in the middle is lost, is not used again, and leaves nothing behind', async () => {
    const { pool, schema, storage, drop } = await openSchema(onServer);
    const { id } = await connect(storage);
    const lease = await take(storage, `sync:${id}:history`);
    const holding = holdingCommits(pool);
    const slow = postgres({ pool: holding.pool, schema }).storage;
    const committing = slow.commitPage({ lease, connectionId: id, policy: 'keep', items: sampleItems(3) });
    committing.catch(() => {});
    await holding.reached;
    await pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction' AND query LIKE $1`,
      [`%${schema}%`],
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    holding.letGo();
    await expect(committing).rejects.toMatchObject(storageFailure('connection_lost', true));
    // Of the two that were open, the one that was cut is gone.
    expect([pool.totalCount, pool.idleCount]).toEqual([1, 1]);
    expect(await readIds(storage)).toEqual([]);
    // Nothing is stuck: neither the lease, nor the feed.
    await storage.commitPage({ lease, connectionId: id, policy: 'keep', items: sampleItems(3) });
    expect(await storage.changes({ after: 0, limit: 9 })).toHaveLength(3);
    await drop();
  });

  test('a server that is not there is a lost connection', async () => {
    const pool = new pg.Pool({ host: '127.0.0.1', port: 1, user: 'x', database: 'x' });
    await expect(postgres({ pool }).storage.migrate()).rejects.toMatchObject(storageFailure('connection_lost', true));
    await pool.end();
  });

  test('a lock that is not to be had in time is busy', async () => {
    const { schema, storage, pool, drop } = await openSchema(onServer);
    const { id } = await connect(storage);
    const hasty = new pg.Pool({ connectionString: onServer.url, options: '-c lock_timeout=30' });
    const rival = await pool.connect();
    await rival.query('BEGIN');
    await rival.query(`SELECT 1 FROM "${schema}".connections FOR UPDATE`);
    const schedule = { connectionId: id, capability: 'history', dueAt: 1, blocked: false, failures: 0 };
    const late = postgres({ pool: hasty, schema }).storage;
    await expect(late.putSchedule(schedule)).rejects.toMatchObject(storageFailure('busy', true));
    await rival.query('ROLLBACK');
    rival.release();
    await late.putSchedule(schedule);
    await hasty.end();
    await drop();
  });

  test('a driver that gives up waiting is a time-out, and a value that is too long says so', async () => {
    const { schema, pool, storage, drop } = await openSchema(onServer);
    const long = {
      id: 'l',
      userId: randomBytes(9_000).toString('hex'),
      provider: 'p',
      kind: 'api',
      account: '',
    } as const;
    await expect(storage.ensureConnection(long)).rejects.toMatchObject(storageFailure('too_large', false));
    await setClock(pool, schema, 'SELECT 1 FROM pg_sleep(1)');
    const hasty = new pg.Pool({ connectionString: onServer.url, query_timeout: 30 });
    const late = postgres({ pool: hasty, schema }).storage.acquireLease({ resource: 'r', owner: 'o', ttlMs: 1 });
    await expect(late).rejects.toMatchObject(storageFailure('timeout', true));
    await hasty.end();
    // The server is still at it.
    await pool.query(
      `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE $1`,
      [`%${schema}%leases%`],
    );
    await drop();
  });

  test('a statement or transaction that takes too long is a time-out', async () => {
    const { schema, pool, storage, drop } = await openSchema(onServer);
    await setClock(pool, schema, 'SELECT 1 FROM pg_sleep(1)');
    const slow = new pg.Pool({ connectionString: onServer.url, options: '-c statement_timeout=30' });
    const { storage: impatient } = postgres({ pool: slow, schema });
    await expect(take(impatient, 'r')).rejects.toMatchObject(storageFailure('timeout', true));
    await slow.end();

    await setClock(pool, schema, '1');
    const { id } = await connect(storage);
    const lease = await take(storage, `sync:${id}:history`);
    const idle = new pg.Pool({
      connectionString: onServer.url,
      options: '-c idle_in_transaction_session_timeout=30',
    });
    const holding = holdingCommits(idle);
    const sleepy = postgres({ pool: holding.pool, schema }).storage;
    const committing = sleepy.commitPage({ lease, connectionId: id, policy: 'keep', items: sampleItems(1) });
    committing.catch(() => {});
    await holding.reached;
    await new Promise((resolve) => setTimeout(resolve, 200));
    holding.letGo();
    await expect(committing).rejects.toMatchObject(storageFailure('timeout', true));
    expect(await readIds(storage)).toEqual([]);
    await idle.end();
    await drop();
  });

  test('a read-only server takes no writes, but can be read', async () => {
    const { schema, storage, drop } = await openSchema(onServer);
    await commitOne(storage, 'a');
    const replica = new pg.Pool({
      connectionString: onServer.url,
      options: '-c default_transaction_read_only=on',
    });
    const reading = postgres({ pool: replica, schema }).storage;
    expect(await readIds(reading)).toEqual(['a']);
    const preview = { userId: 'ada', items: sampleItems(1), policy: 'keep' as const };
    expect(await reading.previewPage(preview)).toEqual({ inserted: 1, updated: 0, unchanged: 0 });
    await expect(take(reading, 'r')).rejects.toMatchObject(storageFailure('read_only', false));
    await expect(reading.erase({ userId: 'ada' })).rejects.toMatchObject(storageFailure('read_only', false));
    await replica.end();
    await drop();
  });

  test('too many connections, of the server or of the pool, are worth another try', async () => {
    const { schema, drop } = await openSchema(onServer);
    await withRole(onServer, async (role) => {
      const admin = new pg.Pool({ connectionString: onServer.url, max: 1 });
      await admin.query(`ALTER ROLE ${role} CONNECTION LIMIT 1`);
      const pool = poolAs(onServer, role, { max: 2 });
      const only = await pool.connect();
      const { storage } = postgres({ pool, schema });
      await expect(storage.migrate()).rejects.toMatchObject(storageFailure('too_many_connections', true));
      only.release();
      await pool.end();
      await admin.end();
    });
    const small = new pg.Pool({ connectionString: onServer.url, max: 1, connectionTimeoutMillis: 400 });
    const only = await small.connect();
    const waiting = postgres({ pool: small, schema }).storage.migrate();
    await expect(waiting).rejects.toMatchObject(storageFailure('too_many_connections', true));
    only.release();
    await small.end();
    await drop();
  });

  test('a wrong password, an unknown database', async () => {
    await withRole(onServer, async (role) => {
      const url = new URL(onServer.url);
      const locked = new pg.Pool({
        host: url.hostname,
        port: Number(url.port),
        user: role,
        password: 'wrong',
        database: 'postgres',
      });
      await expect(postgres({ pool: locked }).storage.migrate()).rejects.toMatchObject(
        storageFailure('permission', false),
      );
      url.pathname = '/nowhere';
      const lost = new pg.Pool({ connectionString: url.href });
      await expect(postgres({ pool: lost }).storage.migrate()).rejects.toMatchObject(
        storageFailure('cannot_open', false),
      );
      await Promise.all([locked.end(), lost.end()]);
    });
  });

  test('a schema that was dropped meanwhile is missing until it is migrated again', async () => {
    const { pool, schema, storage, drop } = await openSchema(onServer);
    await pool.query(`DROP SCHEMA "${schema}" CASCADE`);
    await expect(readIds(storage)).rejects.toMatchObject({
      ...storageFailure('schema_missing', false),
      hint: expect.stringContaining('migrate'),
    });
    await storage.migrate();
    expect(await readIds(storage)).toEqual([]);
    await drop();
  });

  test('a first verb that failed does not keep the next ones from working', async () => {
    const { pool, schema, drop } = await freshSchema(onServer);
    let isDown = true;
    const flaky = {
      connect: () => pool.connect(),
      query: async (text: string, values?: unknown[]) => {
        if (isDown) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
        return pool.query(text, values);
      },
    };
    const { storage } = postgres({ pool: flaky, schema });
    await expect(readIds(storage)).rejects.toMatchObject(storageFailure('connection_lost', true));
    isDown = false;
    expect(await readIds(storage)).toEqual([]);
    await drop();
  });

  test('a closed pool says so', async () => {
    const { pool, schema, storage } = await openSchema(onServer);
    await pool.query(`DROP SCHEMA "${schema}" CASCADE`);
    await pool.end();
    await expect(readIds(storage)).rejects.toMatchObject(storageFailure('closed', false));
    await expect(storage.erase({ userId: 'ada' })).rejects.toMatchObject(storageFailure('closed', false));
  });

  test("the driver's error is the cause, and shows in nothing that is logged", async () => {
    const { storage, drop } = await openSchema(onServer);
    await connect(storage, { id: 'taken' });
    const error = await connect(storage, { id: 'taken', account: 'Secret Name' }).catch((thrown: unknown) => thrown);
    expect(McaError.isInstance(error)).toBe(true);
    expect(error).toMatchObject(storageFailure('constraint', false));
    expect((error as McaError).cause).toBeInstanceOf(Error);
    expect(Object.keys(error as object)).not.toContain('cause');
    for (const shown of [inspect(error), JSON.stringify(error)]) expect(shown).not.toMatch(/duplicate|Secret|taken/);
    await drop();
  });
});

test('whatever else is thrown is an error of ours, too', () => {
  for (const thrown of [new Error('secret'), 'secret', undefined, { code: 42 }, { code: 'ERR_SECRET' }]) {
    expect(storageError(thrown)).toMatchObject({
      code: 'storage',
      reason: 'driver_error',
      message: 'Postgres failed.',
    });
  }
  const nested = new AggregateError([Object.assign(new Error('secret'), { code: 'ECONNREFUSED' })]);
  expect(storageError(nested)).toMatchObject({ reason: 'connection_lost' });
  const ours = new McaError({ code: 'invalid_data', message: 'ours' });
  expect(storageError(ours)).toBe(ours);
});
