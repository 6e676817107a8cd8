import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { McaError } from '@mca/core/adapter-kit';
import { sqlite } from '@mca/core/adapters/sqlite';
import { credentialConformance, storageConformance } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { migrateSchema } from '../../adapters/sqlite/migrate.ts';
import { MIGRATIONS } from '../../adapters/sqlite/migrations/index.ts';
import { connect, readIds, sampleItems, sampleParked, take } from '../../src/testing/storage/samples.ts';
import { recordFigure } from './reliability.ts';
import { sqliteContentsSuite } from './sqlite-contents-suite.ts';
import { type OpenDatabase, plain, sqliteSetup } from './sqlite-setup.ts';
import { sqliteSyncSuite } from './sqlite-sync-suite.ts';
import { commitOne } from './store-steps.ts';

/** Everything that must hold for the SQLite adapter over one driver. */
export function sqliteSuite(driver: string, openDatabase: OpenDatabase): void {
  const { folder, openFresh, openWith, openFile } = sqliteSetup(openDatabase);

  describe(`sqlite over ${driver}: conformance`, () => {
    for (const { id, title, skip, run } of [...storageConformance(openFresh), ...credentialConformance(openFresh)]) {
      test.skipIf(skip)(`${id} ${title}`, run);
    }
  });

  describe(`sqlite over ${driver}: migrations`, () => {
    test('each version is written down once; starting again changes nothing', async () => {
      const { database, storage } = await openFile();
      const versions = () => plain(database.prepare('SELECT version, name FROM mca_schema ORDER BY version').all());
      expect(versions()).toEqual(MIGRATIONS.map(({ version, name }) => ({ version, name })));
      expect(MIGRATIONS.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, index) => index + 1));
      await storage.migrate();
      migrateSchema(database);
      expect(versions()).toHaveLength(MIGRATIONS.length);
      database.close();
    });

    test('a later release adds its steps; one that fails leaves nothing behind', async () => {
      const { database, storage } = await openFile();
      await commitOne(storage, 'before');
      const next = MIGRATIONS.length + 1;
      const good = { version: next, name: 'good', sql: 'CREATE TABLE mca_extra (a TEXT)' };
      const bad = { version: next + 1, name: 'bad', sql: 'CREATE TABLE mca_more (a TEXT); CREATE TABLE mca_extra (b)' };
      expect(() => migrateSchema(database, [...MIGRATIONS, good, bad])).toThrow();
      const tables = () =>
        plain(database.prepare(`SELECT name FROM sqlite_schema WHERE name IN ('mca_extra', 'mca_more')`).all());
      expect(tables()).toEqual([]);
      migrateSchema(database, [...MIGRATIONS, good]);
      expect(tables()).toEqual([{ name: 'mca_extra' }]);
      expect(await readIds(storage)).toEqual(['before']);
      database.close();
    });

    test('0002 keeps what 0001 held: cursors, parked records, connections', async () => {
      const path = join(folder(), 'old.db');
      const database = openDatabase(path);
      migrateSchema(database, MIGRATIONS.slice(0, 1));
      database.exec(`
        INSERT INTO mca_users VALUES (1, 'ada');
        INSERT INTO mca_connections VALUES (1, 'c', 1, 'spotify', 'api', '', 'active', '{"a":1}', '[]', 5, NULL);
        INSERT INTO mca_connections VALUES (2, 'd', 1, 'spotify', 'file', '', 'active', '{}', '[]', 6, 7);
        INSERT INTO mca_cursors VALUES (1, 'history', 'here'), (1, 'likes', 'there'), (2, 'history', 'elsewhere');
        INSERT INTO mca_parked VALUES (3, 1, 50, 'bad', 'A bad one', '{}'), (7, 1, 60, 'bad', 'A bad one', '{}');
        UPDATE mca_counters SET sequence = 11, fence = 22, credential_version = 33`);
      const { storage, credentials } = sqlite({ database });
      await storage.migrate();

      const made = { id: 'c', userId: 'ada', provider: 'spotify', kind: 'api', account: '', status: 'active' };
      expect(await storage.listConnections({ id: 'c' })).toEqual([
        { ...made, settings: { a: 1 }, grantedScopes: [], createdAt: new Date(5) },
      ]);
      expect(await storage.readCursors('c', 'history')).toEqual(['here']);
      expect(await storage.readCursors('c', 'likes')).toEqual(['there']);
      expect(await storage.readCursors('d', 'history')).toEqual(['elsewhere']);
      const record = { capability: '', reason: 'bad', message: 'A bad one', raw: '{}', attempts: 1 };
      const parked = [
        { ...record, id: 3, parkedAt: new Date(50) },
        { ...record, id: 7, parkedAt: new Date(60) },
      ];
      expect(await storage.listParked('c')).toEqual(parked);

      // It goes on where it stood.
      const lease = await take(storage, 'sync:c:history');
      expect(lease.fence).toBe(23);
      const page = { lease, connectionId: 'c', items: [], policy: 'keep' as const };
      const cursor = { capability: 'history', value: 'further' as never };
      await storage.commitPage({ ...page, cursor, parked: [sampleParked()], unparked: [7] });
      expect(await storage.readCursors('c', 'history')).toEqual(['further', 'here']);
      expect((await storage.listParked('c')).map(({ id }) => id)).toEqual([3, 8]);
      expect(await credentials.put('c', 'sealed', undefined)).toEqual({ version: 34 });
      expect((await storage.commitPage({ ...page, items: sampleItems(1) })).sequence).toBe(12);
      database.close();
    });

    test('a database of a newer release is refused', async () => {
      const { database, path } = await openFile();
      database.exec(`INSERT INTO mca_schema (version, name) VALUES (${MIGRATIONS.length + 1}, 'from the future')`);
      database.close();
      await expect(openWith(path)).rejects.toMatchObject({
        code: 'storage',
        reason: 'schema_too_new',
        retryable: false,
      });
    });

    test("the host's own tables and its user_version stay the host's", async () => {
      const path = join(folder(), 'host.db');
      const database = openDatabase(path);
      database.exec(
        `CREATE TABLE items (a); CREATE TABLE users (a); INSERT INTO items VALUES (1); PRAGMA user_version = 7`,
      );
      const { storage } = sqlite({ database });
      await commitOne(storage, 'ours');
      expect(plain([database.prepare('PRAGMA user_version').get()])).toEqual([{ user_version: 7 }]);
      expect(plain(database.prepare('SELECT * FROM items').all())).toEqual([{ a: 1 }]);
      const foreign = database.prepare(
        `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'mca\\_%' ESCAPE '\\'`,
      );
      expect(plain(foreign.all())).toEqual([{ name: 'items' }, { name: 'users' }]);
      database.close();
    });
  });

  describe(`sqlite over ${driver}: durability`, () => {
    test('R-091 the file runs in WAL with synchronous FULL, or NORMAL when asked', async () => {
      for (const [synchronous, level] of [
        [undefined, 2],
        ['full', 2],
        ['normal', 1],
      ] as const) {
        const { database } = await openFile({ synchronous });
        const pragma = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() as object)[0];
        expect(pragma('journal_mode')).toBe('wal');
        expect(pragma('synchronous')).toBe(level);
        expect(Number(pragma('busy_timeout'))).toBeGreaterThanOrEqual(5_000);
        database.close();
        recordFigure('R-091', `${driver}, ${synchronous ?? 'default'}: journal_mode wal, synchronous ${level}`);
      }
    });

    test('R-091 what one connection committed is in the file, without its having closed', async () => {
      const { storage, database, path } = await openFile();
      await commitOne(storage, 'durable');
      const copy = join(folder(), 'copy.db');
      copyFileSync(path, copy);
      copyFileSync(`${path}-wal`, `${copy}-wal`);
      const other = await openWith(copy);
      expect(await readIds(other.storage)).toEqual(['durable']);
      recordFigure('R-091', `${driver}: a copy taken after the commit, nothing closed: 1 of 1 items`);
      other.database.close();
      database.close();
    });

    test("a host's own busy timeout is left alone", async () => {
      const database = openDatabase(join(folder(), 'store.db'), { timeoutMs: 1_234 });
      await sqlite({ database }).storage.migrate();
      expect(Object.values(database.prepare('PRAGMA busy_timeout').get() as object)).toEqual([1_234]);
      database.close();
    });
  });

  describe(`sqlite over ${driver}: failures of the database`, () => {
    test('a write lock held by somebody else is busy and retryable, and writes nothing', async () => {
      const { storage, database, path } = await openFile();
      const rival = openDatabase(path);
      const hasty = sqlite({ database: openDatabase(path, { timeoutMs: 1 }) }).storage;
      await hasty.migrate();
      rival.exec('BEGIN IMMEDIATE');
      await expect(commitOne(hasty, 'late')).rejects.toMatchObject({
        code: 'storage',
        reason: 'busy',
        retryable: true,
      });
      expect(await readIds(hasty)).toEqual([]);
      rival.exec('COMMIT');
      await commitOne(hasty, 'late');
      expect(await readIds(storage)).toEqual(['late']);
      rival.close();
      database.close();
    });

    test('a full disk fails the whole page, and the store goes on when there is room', async () => {
      const { storage, database } = await openFile();
      const before = await commitOne(storage, 'first');
      const { page_count: pages } = database.prepare('PRAGMA page_count').get() as { page_count: number };
      database.exec(`PRAGMA max_page_count = ${pages + 2}`);
      const { id } = await connect(storage);
      const lease = await take(storage, 'import:i');
      const page = { lease, connectionId: id, policy: 'keep' as const, items: sampleItems(5_000) };
      const error = await storage.commitPage(page).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'storage', reason: 'disk_full', retryable: false });
      expect(await readIds(storage)).toEqual(['first']);
      database.exec('PRAGMA max_page_count = 1000000');
      expect(await storage.commitPage(page)).toMatchObject({ inserted: 5_000, sequence: before.sequence + 5_000 });
      database.close();
    });

    test('a file that is no database is corrupt', async () => {
      const path = join(folder(), 'not.db');
      writeFileSync(path, 'This is not a database. '.repeat(500));
      const database = openDatabase(path);
      await expect(sqlite({ database }).storage.migrate()).rejects.toMatchObject({
        code: 'storage',
        reason: 'corrupt',
      });
      database.close();
    });

    test("the driver's error is the cause, and shows in nothing that is logged", async () => {
      const { storage, database } = await openFile();
      await connect(storage, { id: 'taken' });
      const error = await connect(storage, { id: 'taken', account: 'Secret Name' }).catch((thrown: unknown) => thrown);
      expect(McaError.isInstance(error)).toBe(true);
      expect(error).toMatchObject({ code: 'storage', reason: 'constraint' });
      expect((error as McaError).cause).toBeInstanceOf(Error);
      expect(Object.keys(error as object)).not.toContain('cause');
      for (const text of [inspect(error), JSON.stringify(error)]) expect(text).not.toMatch(/UNIQUE|Secret/);
      database.close();
    });

    test('a closed database says so', async () => {
      const { storage, database } = await openFile();
      database.close();
      await expect(readIds(storage)).rejects.toMatchObject({ code: 'storage', reason: 'closed' });
    });
  });

  sqliteContentsSuite(driver, openDatabase);
  sqliteSyncSuite(driver, openDatabase);
}
