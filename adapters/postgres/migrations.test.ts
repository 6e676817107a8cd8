import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { connect, readIds, sampleItems, take } from '../../src/testing/storage/samples.ts';
import { freshSchema, postgresServer } from '../../test/support/postgres.ts';
import { lookIn, openSchema, poolAs, withRole } from '../../test/support/postgres-setup.ts';
import { recordFigure } from '../../test/support/reliability.ts';
import { commitOne } from '../../test/support/store-steps.ts';
import { postgres } from './index.ts';
import { migrateSchema } from './migrate.ts';
import { MIGRATIONS } from './migrations/index.ts';
import { Session } from './session.ts';

const server = await postgresServer();
const isFull = process.env.MCA_TEST_FULL === '1';
const ROUNDS = isFull ? 50 : 3;

describe.skipIf(!server)('postgres: migrations', () => {
  const onServer = server as NonNullable<typeof server>;

  test('each version is written down once; starting again changes nothing', async () => {
    const { storage, look, drop } = await openSchema(onServer);
    const versions = () => look('SELECT version::int, name FROM %.schema_versions ORDER BY version');
    expect(await versions()).toEqual(MIGRATIONS.map(({ version, name }) => ({ version, name })));
    expect(MIGRATIONS.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, index) => index + 1));
    await storage.migrate();
    expect(await versions()).toHaveLength(MIGRATIONS.length);
    await drop();
  });

  test(`R-090 8 pools that start at once migrate once, ${ROUNDS} times over`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { pool, schema, drop } = await freshSchema(onServer, { max: 8 });
      const stores = Array.from({ length: 8 }, () => postgres({ pool, schema }).storage);
      await Promise.all(stores.map((storage, index) => connect(storage, { account: `${index}` })));
      const look = lookIn(pool, schema);
      expect(await look('SELECT version::int FROM %.schema_versions')).toEqual([{ version: 1 }]);
      expect(await look('SELECT 1 FROM %.connections')).toHaveLength(8);
      await drop();
    }
    recordFigure('R-090', `Postgres, 8 at once, ${ROUNDS} rounds: ${ROUNDS} migrations, 0 errors`);
  });

  test('a later release adds its steps; one that fails leaves nothing behind', async () => {
    const { pool, schema, storage, look, drop } = await openSchema(onServer);
    await commitOne(storage, 'before');
    const next = MIGRATIONS.length + 1;
    const statements = (...names: string[]) => names.map((name) => `CREATE TABLE "${schema}".${name} (a text)`);
    const good = { version: next, name: 'good', statements: () => statements('extra') };
    const bad = { version: next + 1, name: 'bad', statements: () => statements('more', 'extra') };
    const session = new Session(pool, schema);
    await expect(migrateSchema(session, [...MIGRATIONS, good, bad])).rejects.toMatchObject({ code: 'storage' });
    const tables = () =>
      look(`SELECT relname FROM pg_class WHERE relname IN ('extra', 'more') AND relnamespace = '%'::regnamespace`);
    expect(await tables()).toEqual([]);
    await migrateSchema(session, [...MIGRATIONS, good]);
    expect(await tables()).toEqual([{ relname: 'extra' }]);
    expect(await readIds(storage)).toEqual(['before']);
    await drop();
  });

  test('a database of a newer release is refused', async () => {
    const { pool, schema, look, drop } = await openSchema(onServer);
    await look(`INSERT INTO %.schema_versions VALUES (${MIGRATIONS.length + 1}, 'from the future')`);
    const { storage } = postgres({ pool, schema });
    const tooNew = { code: 'storage', reason: 'schema_too_new', retryable: false };
    await expect(storage.migrate()).rejects.toMatchObject(tooNew);
    await expect(connect(storage)).rejects.toMatchObject(tooNew);
    await drop();
  });

  test('credentials work without anybody having called migrate', async () => {
    const { pool, schema, drop } = await freshSchema(onServer);
    const { credentials } = postgres({ pool, schema });
    expect(await credentials.get('c')).toBeUndefined();
    expect(await credentials.put('c', 'sealed', undefined)).toEqual({ version: 1 });
    await drop();
  });

  test("two schemas of one database are two stores, and the host's own tables stay the host's", async () => {
    const [one, other] = [await openSchema(onServer), await openSchema(onServer)];
    // Also where the host looks first, and also beside our own tables.
    await one.look(`CREATE TABLE %.items_of_host (a int)`);
    await one.look(`INSERT INTO %.items_of_host VALUES (1)`);
    await commitOne(one.storage, 'one');
    await commitOne(other.storage, 'other');
    expect(await readIds(one.storage)).toEqual(['one']);
    expect(await readIds(other.storage)).toEqual(['other']);
    await one.storage.erase({ userId: 'ada' });
    expect(await readIds(other.storage)).toEqual(['other']);
    expect(await one.look('SELECT a FROM %.items_of_host')).toEqual([{ a: 1 }]);
    await Promise.all([one.drop(), other.drop()]);
  });

  test('what a host set for its connections changes nothing', async () => {
    const { pool: plain, schema, drop } = await freshSchema(onServer);
    const options = `-c search_path=${schema}_decoy -c default_transaction_isolation=serializable -c TimeZone=Asia/Tokyo -c DateStyle=German -c standard_conforming_strings=on`;
    const pool = new pg.Pool({ connectionString: onServer.url, options });
    await plain.query(`CREATE SCHEMA "${schema}_decoy"`);
    await plain.query(`CREATE TABLE "${schema}_decoy".items (a int); CREATE TABLE "${schema}_decoy".leases (a int)`);
    const { storage } = postgres({ pool, schema });
    await commitOne(storage, 'a');
    const { id } = await connect(storage);
    const lease = await take(storage, `sync:${id}:history`);
    const page = { lease, connectionId: id, policy: 'longest' as const, items: sampleItems(20) };
    await Promise.all(Array.from({ length: 5 }, () => storage.commitPage(page)));
    expect(await readIds(storage)).toHaveLength(21);
    expect((await plain.query(`SELECT * FROM "${schema}_decoy".items`)).rows).toEqual([]);
    await plain.query(`DROP SCHEMA "${schema}_decoy" CASCADE`);
    await pool.end();
    await drop();
  });

  test('a role without rights to create anything works on a schema that was migrated, and only there', async () => {
    await withRole(onServer, async (role) => {
      const { schema, look, drop } = await openSchema(onServer);
      const pool = poolAs(onServer, role);
      const { storage, credentials } = postgres({ pool, schema });
      await expect(connect(storage)).rejects.toMatchObject({ code: 'storage', reason: 'permission' });
      await look(`GRANT USAGE ON SCHEMA % TO ${role}`);
      await look(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA % TO ${role}`);
      await look(`GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA % TO ${role}`);
      await storage.migrate();
      await commitOne(storage, 'a');
      expect(await storage.deleteItem({ userId: 'ada', platform: 'spotify', externalId: 'a' })).toBe(true);
      expect(await storage.changes({ after: 0, limit: 9 })).toHaveLength(1);
      expect(await credentials.put('c', 's', undefined)).toEqual({ version: 1 });
      expect(await storage.erase({ userId: 'ada' })).toEqual({ items: 0 });
      const elsewhere = postgres({ pool, schema: `${schema}_2` }).storage;
      await expect(elsewhere.migrate()).rejects.toMatchObject({ code: 'storage', reason: 'permission' });
      await pool.end();
      await drop();
    });
  });

  test('a role that may create tables in a schema that exists needs no more to migrate it', async () => {
    await withRole(onServer, async (role) => {
      const { pool: owner, schema, drop } = await freshSchema(onServer);
      await owner.query(`CREATE SCHEMA "${schema}" AUTHORIZATION ${role}`);
      const pool = poolAs(onServer, role);
      await commitOne(postgres({ pool, schema }).storage, 'a');
      await pool.end();
      await drop();
    });
  });
});

describe('postgres: options', () => {
  const pool = { query: async () => ({ rows: [] }), connect: async () => ({}) as never };

  test('names that are none are refused', () => {
    for (const schema of ['', 'a b', '1a', 'a"b', 'a.b', 'pg_mine', 'ä', 'a'.repeat(64)]) {
      expect(() => postgres({ pool, schema }), schema).toThrow(
        expect.objectContaining({ code: 'configuration', reason: 'invalid_schema' }),
      );
    }
    for (const schema of ['mca', 'A_1', '_', 'a'.repeat(63)]) expect(() => postgres({ pool, schema })).not.toThrow();
  });

  test('what is no pool is refused', async () => {
    for (const wrong of [undefined, null, {}, { query: () => {} }, 'postgres://']) {
      expect(() => postgres({ pool: wrong as never })).toThrow(
        expect.objectContaining({ code: 'configuration', reason: 'no_pool', hint: expect.stringContaining('pg.Pool') }),
      );
    }
    // A client has both methods, too; connecting gives nothing that could be released.
    const client = { query: async () => ({ rows: [{ number: 1, version: 1 }] }), connect: async () => undefined };
    const { storage } = postgres({ pool: client as never });
    await expect(storage.erase({ userId: 'ada' })).rejects.toMatchObject({ reason: 'no_pool' });
  });
});
