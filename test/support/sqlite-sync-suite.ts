import { join } from 'node:path';
import { sqlite } from '@mca/core/adapters/sqlite';
import { describe, expect, test, vi } from 'vitest';
import {
  commit,
  conclude,
  connect,
  LONG_MS,
  sampleConnectState,
  sampleItems,
  sampleLogEntry,
  sampleParked,
  take,
} from '../../src/testing/storage/samples.ts';
import { type OpenDatabase, openRecorded, plain, sqliteSetup } from './sqlite-setup.ts';

const CONNECTIONS = 5_000;

/** A store whose write transactions are counted. */
async function openCounted(openDatabase: OpenDatabase, path: string) {
  const database = openDatabase(path);
  let count = 0;
  const { storage } = sqlite({
    database: {
      exec(sql) {
        if (sql.startsWith('BEGIN')) count += 1;
        return database.exec(sql);
      },
      prepare: (sql) => database.prepare(sql),
      function: (...args) => database.function(...args),
    },
  });
  await storage.migrate();
  const before = count;
  return { storage, database, transactions: () => count - before };
}

/** What live syncs leave in the file, and how it is found again. */
export function sqliteSyncSuite(driver: string, openDatabase: OpenDatabase): void {
  const { folder, openFile } = sqliteSetup(openDatabase);

  describe(`sqlite over ${driver}: live syncs`, () => {
    test('writes end also under fake timers that a host set', async () => {
      const { storage } = await openCounted(openDatabase, join(folder(), 'store.db'));
      const { id: connectionId } = await connect(storage);
      const turn = (dueAt: number) => ({ connectionId, capability: 'history', dueAt, blocked: false, failures: 0 });
      vi.useFakeTimers();
      try {
        await Promise.all([1, 2, 3].map((dueAt) => storage.putSchedule(turn(dueAt))));
        await storage.putSchedule(turn(4));
        expect(await storage.readSchedules(connectionId)).toMatchObject([{ dueAt: 4 }]);
      } finally {
        vi.useRealTimers();
      }
    });

    test(`${CONNECTIONS} connections that are due are claimed each once, the longest overdue first`, async () => {
      const database = openDatabase(join(folder(), 'store.db'));
      const nowMs = 1_000_000;
      const { storage } = sqlite({ database, clock: { now: () => nowMs } });
      await storage.migrate();
      // One step apart in an order that is not that of the connections; every tenth connection needs its user.
      const ranks = Array.from({ length: CONNECTIONS }, (_, index) => (index * 2_347) % CONNECTIONS);
      database.exec(`
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${CONNECTIONS})
        INSERT INTO mca_users SELECT i, 'user ' || i FROM n;
        INSERT INTO mca_connections (connection_no, id, user_no, provider, kind, account, status, settings, granted_scopes, created_at)
          SELECT user_no, 'c' || user_no, user_no, 'spotify', 'api', '', iif(user_no % 10, 'active', 'needs_reauth'), '{}', '[]', 0
          FROM mca_users;
        INSERT INTO mca_schedules (connection_no, capability, due_at, blocked, failures)
          SELECT key + 1, 'history', ${nowMs} - value, 0, 0 FROM json_each('${JSON.stringify(ranks)}')`);
      const claimed: number[] = [];
      for (;;) {
        const due = await storage.claimDueConnections({
          providers: ['spotify'],
          limit: 250,
          owner: 'o',
          ttlMs: LONG_MS,
        });
        if (due.length === 0) break;
        for (const { schedule, connection } of due) {
          expect(schedule.connectionId).toBe(connection.id);
          claimed.push(schedule.dueAt);
        }
      }
      expect(claimed).toHaveLength((CONNECTIONS * 9) / 10);
      expect(claimed).toEqual(claimed.toSorted((a, b) => a - b));
      expect(new Set(claimed).size).toBe(claimed.length);
      database.close();
    });

    test('claiming follows the index by due time; the rest is found by key', async () => {
      const { storage, plans, close } = await openRecorded(openDatabase, join(folder(), 'store.db'));
      const { id } = await connect(storage);
      const schedule = { connectionId: id, capability: 'history', dueAt: 0, blocked: false, failures: 0 };
      await storage.putSchedule(schedule);
      const claim = await plans(() =>
        storage.claimDueConnections({ providers: ['spotify'], limit: 1, owner: 'o', ttlMs: 1 }),
      );
      expect(claim).toMatch(/SEARCH s USING (COVERING )?INDEX mca_schedules_by_due \(due_at<\?\)/);
      // Only schedules of the same instant are sorted.
      expect(claim).not.toMatch(/TEMP B-TREE FOR ORDER BY/);
      const works = {
        conclude: () => conclude(storage, sampleLogEntry(id), { schedules: [schedule], lastSyncAt: new Date(0) }),
        'log of all': () => storage.listSyncLog({ connectionId: id, limit: 9 }),
        'log of one': () => storage.listSyncLog({ connectionId: id, capability: 'history', limit: 9 }),
        schedules: () => storage.readSchedules(id),
        'put state': () => storage.putConnectState(sampleConnectState('one')),
        'take state': () => storage.takeConnectState(sampleConnectState('one').hash),
        cursors: () => storage.readCursors(id, 'history'),
        parked: () => storage.listParked(id),
        page: () =>
          commit(storage, [], {
            cursor: { capability: 'history', value: 'here' as never },
            parked: [sampleParked()],
            unparked: [1],
          }),
        erase: () => storage.erase({ userId: 'ada' }),
      };
      for (const [name, work] of Object.entries(works)) {
        const plan = await plans(work);
        expect(plan, name).toMatch(/SEARCH/);
        expect(plan, name).not.toMatch(/SCAN (l|s|c|mca_(sync_log|schedules|connect_states|cursors|parked))\b/);
        if (name === 'log of one') expect(plan).not.toMatch(/TEMP B-TREE/);
      }
      close();
    });

    test('writes that come together share one commit, and each fails alone', async () => {
      const { storage, database, transactions } = await openCounted(openDatabase, join(folder(), 'store.db'));
      const accounts = Array.from({ length: 20 }, (_, index) => ({ account: `account ${index}` }));
      const connections = await Promise.all(accounts.map((given) => connect(storage, given)));
      expect(new Set(connections.map(({ id }) => id)).size).toBe(20);
      // The first of a turn goes through at once; who comes after it waits for the turn to end.
      expect(transactions()).toBe(2);
      const { id } = await connect(storage);
      const schedule = { connectionId: id, capability: 'history', dueAt: 1, blocked: false, failures: 0 };
      const nobody = { ...schedule, connectionId: 'nobody' };
      const results = await Promise.allSettled([
        storage.putSchedule(schedule),
        storage.putSchedule(nobody),
        conclude(storage, sampleLogEntry('nobody')),
        storage.putSchedule({ ...schedule, capability: 'likes' }),
        connect(storage, { id, account: 'taken id' }),
        storage.putSchedule({ ...schedule, capability: 'ratings' }),
      ]);
      expect(results.map(({ status }) => status)).toEqual([
        'fulfilled',
        ...['rejected', 'rejected'],
        'fulfilled',
        ...['rejected', 'fulfilled'],
      ]);
      expect(results[1]).toMatchObject({ reason: { code: 'not_found', reason: 'connection_unknown' } });
      expect(results[4]).toMatchObject({ reason: { code: 'storage', reason: 'constraint' } });
      const capabilities = (await storage.readSchedules(id)).map(({ capability }) => capability);
      expect(capabilities).toEqual(['history', 'likes', 'ratings']);
      database.close();
    });

    test('writes that come together and cannot be made durable together are tried one by one', async () => {
      const { storage, database } = await openCounted(openDatabase, join(folder(), 'store.db'));
      const { id } = await connect(storage);
      const other = await connect(storage, { account: 'other' });
      const [one, two] = [await take(storage, `sync:${id}:history`), await take(storage, `sync:${other.id}:history`)];
      const { page_count: pages } = database.prepare('PRAGMA page_count').get() as { page_count: number };
      database.exec(`PRAGMA max_page_count = ${pages + 2}`);
      const page = { policy: 'keep' as const, items: sampleItems(5_000) };
      const schedule = { connectionId: id, capability: 'history', dueAt: 1, blocked: false, failures: 0 };
      const results = await Promise.allSettled([
        storage.putSchedule(schedule),
        storage.commitPage({ ...page, lease: one, connectionId: id }),
        storage.putSchedule({ ...schedule, capability: 'likes' }),
        storage.commitPage({ ...page, lease: two, connectionId: other.id, items: [] }),
      ]);
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
      expect(results[1]).toMatchObject({ reason: { code: 'storage', reason: 'disk_full' } });
      expect(await storage.readSchedules(id)).toHaveLength(2);
      expect(await storage.queryItems({ userId: 'ada', order: 'oldest', limit: 1 })).toEqual([]);
      database.close();
    });

    test('nothing that expired, was cut off or was made good lies in the file', async () => {
      let nowMs = 1_000;
      const { storage, database } = await openFile({ clock: { now: () => nowMs } });
      const count = (table: string) => plain(database.prepare(`SELECT count(*) AS rows FROM ${table}`).all());
      for (const name of ['a', 'b', 'c']) await storage.putConnectState(sampleConnectState(name, { expiresAt: 2_000 }));
      nowMs = 2_000;
      await storage.putConnectState(sampleConnectState('d', { expiresAt: 3_000 }));
      expect(count('mca_connect_states')).toEqual([{ rows: 1 }]);
      nowMs = 3_000;
      // Taken too late it is gone all the same.
      expect(await storage.takeConnectState(sampleConnectState('d').hash)).toBeUndefined();
      expect(count('mca_connect_states')).toEqual([{ rows: 0 }]);

      const { id } = await connect(storage);
      for (let run = 0; run < 120; run += 1) await conclude(storage, sampleLogEntry(id));
      expect(count('mca_sync_log')).toEqual([{ rows: 100 }]);
      for (let run = 0; run < 9; run += 1) {
        const cursor = { capability: 'history', value: `${run}` as never };
        await commit(storage, [], { cursor, parked: [sampleParked()] });
      }
      expect(count('mca_cursors')).toEqual([{ rows: 5 }]);
      const [record] = await storage.listParked(id);
      expect(record).toMatchObject({ id: 1, attempts: 9, parkedAt: new Date(3_000) });
      await commit(storage, [], { unparked: [1] });
      expect(count('mca_parked')).toEqual([{ rows: 0 }]);
      // The id is not given to another record, which somebody who still holds the old id would take away.
      await commit(storage, [], { parked: [sampleParked()] });
      expect((await storage.listParked(id)).map((parked) => parked.id)).toEqual([2]);
      database.close();
    });

    test('erasing a user leaves no row in any table', async () => {
      const { storage, database } = await openFile();
      const { id } = await connect(storage);
      const cursor = { capability: 'history', value: 'here' as never };
      await commit(storage, [], { cursor, parked: [sampleParked()] });
      await conclude(storage, sampleLogEntry(id));
      await storage.putSchedule({ connectionId: id, capability: 'history', dueAt: 0, blocked: false, failures: 0 });
      await storage.putConnectState(sampleConnectState('one', { expiresAt: Number.MAX_SAFE_INTEGER }));
      const filled = () =>
        plain(database.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`).all())
          .map((row) => (row as { readonly name: string }).name)
          .filter((name) => database.prepare(`SELECT 1 FROM ${name}`).get() !== undefined);
      expect(filled()).toEqual(expect.arrayContaining(['mca_connect_states', 'mca_schedules', 'mca_sync_log']));
      await storage.erase({ userId: 'ada' });
      expect(filled()).toEqual(['mca_counters', 'mca_schema']);
      database.close();
    });

    test('waits with a fraction of a millisecond are kept as they are', async () => {
      const { storage, database } = await openFile({ clock: { now: () => 11 } });
      const { id } = await connect(storage);
      const schedule = { connectionId: id, capability: 'history', dueAt: 10.25, blocked: true, failures: 1 };
      await storage.putSchedule(schedule);
      expect(await storage.readSchedules(id)).toEqual([schedule]);
      const due = await storage.claimDueConnections({ providers: ['spotify'], limit: 1, owner: 'o', ttlMs: 1 });
      expect(due.map((each) => each.schedule)).toEqual([schedule]);
      const state = sampleConnectState('one', { expiresAt: 11.5 });
      await storage.putConnectState(state);
      expect(await storage.takeConnectState(state.hash)).toEqual(state);
      database.close();
    });
  });
}
