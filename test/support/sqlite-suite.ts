import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { McaError, type Storage } from '@mca/core/adapter-kit';
import { type SqliteDatabase, type SqliteOptions, sqlite } from '@mca/core/adapters/sqlite';
import { credentialConformance, type StorageUnderTest, storageConformance } from '@mca/core/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { migrateSchema } from '../../adapters/sqlite/migrate.ts';
import { MIGRATIONS } from '../../adapters/sqlite/migrations/index.ts';
import { connect, readIds, sampleItem, sampleItems, take } from '../../src/testing/storage/samples.ts';

/** A connection of one driver. */
export type OpenDatabase = (
  path: string,
  options?: {
    readonly timeoutMs?: number | undefined;
    /** Integers come back as `bigint`, as some hosts want it for their own statements. */
    readonly bigints?: boolean | undefined;
  },
) => SqliteDatabase & { close(): void };

/** Everything that must hold for the SQLite adapter over one driver. */
export function sqliteSuite(driver: string, openDatabase: OpenDatabase): void {
  const folders: string[] = [];
  const folder = () => {
    const path = mkdtempSync(join(tmpdir(), 'mca-sqlite-'));
    folders.push(path);
    return path;
  };
  afterEach(() => {
    for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
  });

  const openStore = (path: string, clock: { nowMs: number }): StorageUnderTest => {
    const database = openDatabase(path);
    let isOpen = true;
    const close = () => {
      if (isOpen) database.close();
      isOpen = false;
    };
    return {
      ...sqlite({ database, clock: { now: () => clock.nowMs } }),
      advance: (milliseconds) => {
        clock.nowMs += milliseconds;
      },
      reopen: async () => {
        close();
        return openStore(path, clock);
      },
      close: async () => close(),
    };
  };
  const openFresh = async () => openStore(join(folder(), 'store.db'), { nowMs: Date.UTC(2024, 0, 1) });

  /** A migrated store on a file, for tests that look behind the adapter. */
  const openWith = async (path: string, options: Partial<SqliteOptions> = {}) => {
    const database = openDatabase(path);
    const adapter = sqlite({ database, ...options });
    await adapter.storage.migrate();
    return { ...adapter, database, path };
  };
  const openFile = (options: Partial<SqliteOptions> = {}) => openWith(join(folder(), 'store.db'), options);

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
      await commit(storage, 'before');
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
      await commit(storage, 'ours');
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
      }
    });

    test('R-091 what one connection committed is in the file, without its having closed', async () => {
      const { storage, database, path } = await openFile();
      await commit(storage, 'durable');
      const copy = join(folder(), 'copy.db');
      copyFileSync(path, copy);
      copyFileSync(`${path}-wal`, `${copy}-wal`);
      const other = await openWith(copy);
      expect(await readIds(other.storage)).toEqual(['durable']);
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
      await expect(commit(hasty, 'late')).rejects.toMatchObject({ code: 'storage', reason: 'busy', retryable: true });
      expect(await readIds(hasty)).toEqual([]);
      rival.exec('COMMIT');
      await commit(hasty, 'late');
      expect(await readIds(storage)).toEqual(['late']);
      rival.close();
      database.close();
    });

    test('a full disk fails the whole page, and the store goes on when there is room', async () => {
      const { storage, database } = await openFile();
      const before = await commit(storage, 'first');
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

  describe(`sqlite over ${driver}: what lies in the file`, () => {
    test('rows are readable, empty fields are NULL', async () => {
      const { storage, database } = await openFile();
      await commit(storage, 'plain');
      const row = database.prepare('SELECT * FROM mca_items').get() as Record<string, unknown>;
      expect(row).toMatchObject({ external_id: 'plain', platform: 'spotify', title: 'A title', deleted: 0 });
      for (const column of ['tags', 'ids', 'raw_metadata', 'rating', 'import_no']) expect(row[column]).toBeNull();
      database.close();
    });

    test('a deleted item leaves its key and nothing else, not even in the row', async () => {
      const { storage, database } = await openFile();
      await commit(storage, 'gone', {
        title: 'Secret',
        creator: 'Secret',
        url: 'Secret',
        contentId: 'Secret',
        tags: ['Secret'],
        ids: { isrc: 'Secret' },
        account: 'Secret',
        rawMetadata: { a: 'Secret' },
        timeSpentMs: 12_345,
        rating: 9,
      });
      await storage.deleteItem({ userId: 'ada', platform: 'spotify', externalId: 'gone' });
      const row = database.prepare('SELECT * FROM mca_items').get() as Record<string, unknown>;
      const { sequence, user_no, connection_no, ...rest } = row;
      expect(rest).toEqual({
        platform: 'spotify',
        external_id: 'gone',
        deleted: 1,
        consumed_at: 0,
        ...Object.fromEntries(['type', 'action', 'title', 'source', 'precision'].map((column) => [column, ''])),
        ...Object.fromEntries(
          [
            'import_no',
            'subtype',
            'creator',
            'duration_ms',
            'time_spent_ms',
            'tags',
            'url',
            'content_id',
            'ids',
            'rating',
            'account',
            'raw_metadata',
          ].map((column) => [column, null]),
        ),
      });
      expect([typeof sequence, typeof user_no, typeof connection_no]).toEqual(['number', 'number', 'number']);
      database.close();
    });

    test('a connection whose host reads integers as bigint works the same', async () => {
      const database = openDatabase(join(folder(), 'store.db'), { bigints: true });
      const { storage, credentials } = sqlite({ database });
      expect(await commit(storage, 'a', { durationMs: 5 })).toEqual({
        inserted: 1,
        updated: 0,
        unchanged: 0,
        sequence: 1,
      });
      expect(await commit(storage, 'a', { durationMs: 6 })).toMatchObject({ updated: 1, sequence: 2 });
      expect(await storage.changes({ after: 0, limit: 9 })).toMatchObject([{ sequence: 2, item: { durationMs: 6 } }]);
      expect(await credentials.put('c', 's', undefined)).toEqual({ version: 1 });
      expect(await storage.summary({ userId: 'ada' })).toMatchObject({ items: 1, timeSpentMs: 0 });
      database.close();
    });

    test('fractions of a millisecond are kept', async () => {
      const { storage, database } = await openFile();
      await commit(storage, 'a', { timeSpentMs: 0.5 });
      expect(await storage.summary({ userId: 'ada' })).toMatchObject({ timeSpentMs: 0.5 });
      database.close();
    });
  });

  describe(`sqlite over ${driver}: query plans`, () => {
    test('every read of items goes through an index, in order', async () => {
      const { storage, plans, close } = await openRecorded(openDatabase, join(folder(), 'store.db'));
      const range = { platform: 'p', source: 's', connectionIds: ['c'], from: 1, to: 2 };
      const hidden = [
        { ...range, edges: [{ from: 3, to: 4 }], finerSources: ['f'], reachBeforeMs: 1, reachAfterMs: 1 },
      ];
      const filters = [
        {},
        { platforms: ['p'], types: ['music'] as const },
        { importId: 'i', from: new Date(0) },
        { hidden },
      ];
      for (const given of filters) {
        const filter = { userId: 'ada', ...given };
        const after = { consumedAt: 1, platform: 'p', externalId: 'e' };
        const reads: (readonly [string, () => Promise<unknown>])[] = [
          ['newest', () => storage.queryItems({ ...filter, order: 'newest', limit: 9, after })],
          ['oldest', () => storage.queryItems({ ...filter, order: 'oldest', limit: 9, after })],
          ['timeline', () => storage.timeline(filter, [{ from: 0, to: 1, dayFrom: 0, dayTo: 1 }])],
          ['groups', () => storage.groups(filter, { by: 'title', orderBy: 'items', limit: 9 })],
          ['summary', () => storage.summary(filter)],
        ];
        for (const [name, read] of reads) {
          const plan = await plans(read);
          expect(plan, name).toMatch(/SEARCH i USING INDEX mca_items_by_time \(user_no=\?/);
          expect(plan, name).not.toMatch(/SCAN (i|f)\b/);
          if (name === 'newest' || name === 'oldest') {
            expect(plan).toMatch(/mca_items_by_time \(user_no=\? AND consumed_at/);
            // Only ties are sorted, never the whole history.
            expect(plan).not.toMatch(/TEMP B-TREE FOR ORDER BY/);
          }
          if (name === 'timeline')
            expect(plan).toMatch(/mca_items_by_time \(user_no=\? AND consumed_at>\? AND consumed_at<\?\)/);
        }
      }
      close();
    });

    test('the feed follows the table, a rare user the index by user', async () => {
      const { storage, plans, close } = await openRecorded(openDatabase, join(folder(), 'store.db'));
      expect(await plans(() => storage.changes({ after: 0, limit: 9 }))).toMatch(
        /SEARCH i USING INTEGER PRIMARY KEY \(rowid>\?\)/,
      );
      const ofUser = await plans(() => storage.changes({ after: 0, limit: 9, userId: 'ada' }));
      expect(ofUser).toMatch(/SEARCH i USING INTEGER PRIMARY KEY \(rowid>\? AND rowid<\?\)/);
      expect(ofUser).toMatch(/SEARCH i USING INDEX mca_items_by_time \(user_no=\?\)/);
      close();
    });

    test('undoing and erasing look at one user only', async () => {
      const { storage, plans, close } = await openRecorded(openDatabase, join(folder(), 'store.db'));
      const { id } = await connect(storage);
      const lease = await take(storage, 'import:i');
      const progress = {
        id: 'i',
        status: 'complete',
        files: [],
        read: 1,
        skipped: {},
        rejected: {},
        coverage: [],
      } as const;
      await storage.commitPage({ lease, connectionId: id, items: [sampleItem()], policy: 'keep', import: progress });
      for (const work of [
        () => storage.undoImport({ userId: 'ada', importId: 'i' }),
        () => storage.erase({ userId: 'ada', connectionId: id }),
      ]) {
        const plan = await plans(work);
        expect(plan).toMatch(/SEARCH mca_items USING .*\(user_no=\?/);
        expect(plan).not.toMatch(/SCAN mca_(items|imports|parked|removals)/);
      }
      close();
    });

    test('one page prepares nothing per item: its statements are as many as for one item', async () => {
      const { storage, recorded, close } = await openRecorded(openDatabase, join(folder(), 'store.db'));
      await commit(storage, 'first');
      const before = recorded.length;
      const { id } = await connect(storage);
      const lease = await take(storage, 'import:i');
      await storage.commitPage({ lease, connectionId: id, items: sampleItems(500), policy: 'longest' });
      expect(recorded.length - before).toBe(0);
      close();
    });
  });
}

async function commit(storage: Storage, externalId: string, given: Parameters<typeof sampleItem>[0] = {}) {
  const { id } = await connect(storage);
  const lease = await take(storage, `sync:${id}:history`, 'test');
  const items = [sampleItem({ externalId, ...given })];
  const result = await storage.commitPage({ lease, connectionId: id, items, policy: 'longest' });
  await storage.releaseLease(lease);
  return result;
}

/** Rows with an ordinary prototype: `node:sqlite` gives them none. */
function plain(rows: readonly unknown[]): readonly object[] {
  return rows.map((row) => ({ ...(row as object) }));
}

/** A store whose statements are written down, so that their plans can be looked at. */
async function openRecorded(openDatabase: OpenDatabase, path: string) {
  const database = openDatabase(path);
  const recorded: string[] = [];
  const { storage } = sqlite({
    database: {
      exec: (sql) => database.exec(sql),
      prepare: (sql) => {
        recorded.push(sql);
        return database.prepare(sql);
      },
      function: (...args) => database.function(...args),
    },
  });
  await storage.migrate();
  const plans = async (work: () => Promise<unknown>) => {
    const start = recorded.length;
    await work();
    return recorded
      .slice(start)
      .flatMap((sql) => database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...unbound(sql)))
      .map((row) => (row as { readonly detail: string }).detail)
      .join('\n');
  };
  return { storage, recorded, plans, close: () => database.close() };
}

/** better-sqlite3 wants a value for every parameter, also to explain. */
function unbound(sql: string): readonly null[] {
  return Array.from({ length: sql.split('?').length - 1 }, () => null);
}
