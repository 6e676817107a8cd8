import { join } from 'node:path';
import { sqlite } from '@mca/core/adapters/sqlite';
import { describe, expect, test } from 'vitest';
import { connect, sampleItem, sampleItems, take } from '../../src/testing/storage/samples.ts';
import { type OpenDatabase, openRecorded, sqliteSetup } from './sqlite-setup.ts';
import { commitOne, expectPlainNumbers } from './store-steps.ts';

/** What the SQLite adapter leaves in the file, and how it finds it again. */
export function sqliteContentsSuite(driver: string, openDatabase: OpenDatabase): void {
  const { folder, openFile } = sqliteSetup(openDatabase);

  describe(`sqlite over ${driver}: what lies in the file`, () => {
    test('rows are readable, empty fields are NULL', async () => {
      const { storage, database } = await openFile();
      await commitOne(storage, 'plain');
      const row = database.prepare('SELECT * FROM mca_items').get() as Record<string, unknown>;
      expect(row).toMatchObject({ external_id: 'plain', platform: 'spotify', title: 'A title', deleted: 0 });
      for (const column of ['tags', 'ids', 'raw_metadata', 'rating', 'import_no']) expect(row[column]).toBeNull();
      database.close();
    });

    test('a deleted item leaves its key and nothing else, not even in the row', async () => {
      const { storage, database } = await openFile();
      await commitOne(storage, 'gone', {
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
      await expectPlainNumbers(sqlite({ database }));
      database.close();
    });

    test('fractions of a millisecond are kept', async () => {
      const { storage, database } = await openFile();
      await commitOne(storage, 'a', { timeSpentMs: 0.5 });
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
      const near = await plans(() => storage.changes({ after: 0, limit: 9, userId: 'ada' }));
      expect(near).toMatch(/SEARCH i USING INTEGER PRIMARY KEY \(rowid>\? AND rowid<\?\)/);
      // At the tip of the feed a poll must not look through the user's whole history.
      expect(near).not.toMatch(/mca_items_by_time/);
      const { id } = await connect(storage, { userId: 'bob' });
      const lease = await take(storage, 'import:i');
      await storage.commitPage({ lease, connectionId: id, items: sampleItems(500), policy: 'keep' });
      const far = await plans(() => storage.changes({ after: 0, limit: 9, userId: 'ada' }));
      expect(far).toMatch(/SEARCH i USING INDEX mca_items_by_time \(user_no=\?\)/);
      close();
    });

    test('undoing and erasing look at one user only', async () => {
      const { storage, plans, close } = await openRecorded(openDatabase, join(folder(), 'store.db'));
      const { id } = await connect(storage);
      const lease = await take(storage, 'import:i');
      const progress = {
        id: 'i',
        status: 'complete',
        startedAt: new Date(0),
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
      await commitOne(storage, 'first');
      const before = recorded.length;
      const { id } = await connect(storage);
      const lease = await take(storage, 'import:i');
      await storage.commitPage({ lease, connectionId: id, items: sampleItems(500), policy: 'longest' });
      expect(recorded.length - before).toBe(0);
      close();
    });
  });
}
