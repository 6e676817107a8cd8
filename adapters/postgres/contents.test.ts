import { foldText } from '@mca/core/adapter-kit';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import {
  commit,
  connect,
  contentOf,
  importItems,
  readAll,
  readIds,
  sampleItem,
  sampleItems,
  take,
} from '../../src/testing/storage/samples.ts';
import { freshSchema, postgresServer } from '../../test/support/postgres.ts';
import { HOSTILE_TYPES, openSchema, recording } from '../../test/support/postgres-setup.ts';
import { commitOne, expectPlainNumbers } from '../../test/support/store-steps.ts';
import { postgres } from './index.ts';
import { escapeText, unescapeText } from './safe-text.ts';

const server = await postgresServer();

describe.skipIf(!server)('postgres: what lies in the schema', () => {
  const onServer = server as NonNullable<typeof server>;

  test('rows are readable, empty fields are NULL', async () => {
    const { storage, look, drop } = await openSchema(onServer);
    await commitOne(storage, 'plain');
    const [row = {}] = await look<Record<string, unknown>>('SELECT * FROM %.items');
    expect(row).toMatchObject({ external_id: 'plain', platform: 'spotify', title: 'A title', deleted: false });
    for (const column of ['tags', 'ids', 'raw_metadata', 'rating', 'import_no', 'title_folded']) {
      expect(row[column], column).toBeNull();
    }
    await drop();
  });

  test('a deleted item leaves its key and nothing else, not even in the row', async () => {
    const { storage, look, drop } = await openSchema(onServer);
    await commitOne(storage, 'gone', {
      ...{
        title: 'SÉCRET',
        creator: 'SÉCRET',
        url: 'Secret',
        contentId: 'Secret',
        subtype: 'Secret',
        tags: ['Secret'],
      },
      ...{ ids: { isrc: 'Secret' }, account: 'Secret', rawMetadata: { a: 'Secret' }, timeSpentMs: 12_345, rating: 9 },
    });
    expect(JSON.stringify(await look('SELECT * FROM %.items'))).toMatch(/sécret/);
    await storage.deleteItem({ userId: 'ada', platform: 'spotify', externalId: 'gone' });
    const [row = {}] = await look<Record<string, unknown>>('SELECT * FROM %.items');
    const { sequence: _, user_no: __, connection_no: ___, ...rest } = row;
    const empty = Object.entries(rest).filter(([, value]) => value !== null && value !== '');
    expect(Object.fromEntries(empty)).toEqual({
      ...{ platform: 'spotify', external_id: 'gone', deleted: true, consumed_at: '0' },
    });
    await drop();
  });

  test('fractions of a millisecond are kept, and whatever a double can hold', async () => {
    const { storage, drop } = await openSchema(onServer);
    const amounts = [0.5, 0.1 + 0.2, 5e-324, Number.MAX_VALUE, 2 ** 53];
    await commit(
      storage,
      amounts.map((timeSpentMs, index) => sampleItem({ externalId: `${index}`, timeSpentMs })),
    );
    expect((await readAll(storage)).map(({ timeSpentMs }) => timeSpentMs)).toEqual(amounts);
    const { id } = await connect(storage);
    const schedule = { connectionId: id, capability: 'history', dueAt: 10.25, blocked: true, failures: 1 };
    await storage.putSchedule(schedule);
    expect(await storage.readSchedules(id)).toEqual([schedule]);
    await drop();
  });

  test('types that a host parses its own way change nothing', async () => {
    const { schema, drop } = await freshSchema(onServer);
    const pool = new pg.Pool({
      connectionString: onServer.url,
      types: HOSTILE_TYPES,
    });
    const { storage, credentials } = postgres({ pool, schema });
    await expectPlainNumbers({ storage, credentials });
    const { id } = await connect(storage);
    await storage.putSchedule({ connectionId: id, capability: 'history', dueAt: 1, blocked: false, failures: 2 });
    const [due] = await storage.claimDueConnections({ providers: ['spotify'], limit: 1, owner: 'o', ttlMs: 1 });
    expect(due).toMatchObject({
      schedule: { dueAt: 1, blocked: false, failures: 2 },
      lease: { fence: expect.any(Number) },
    });
    expect(due?.connection.createdAt.getTime()).toBeGreaterThan(0);
    await pool.end();
    await drop();
  });

  test('text with U+0000, which Postgres cannot hold, survives everywhere', async () => {
    const { storage, credentials, drop } = await openSchema(onServer);
    const texts = ['\0', 'a\0b', '\x01', '\x01\x01\0', 'a', 'a\x02', 'plain "quoted" \\ {1,2} NULL', ''];
    const items = texts.map((given, index) =>
      sampleItem({
        ...{ externalId: `${index} ${given}`, title: `t${given}`, creator: given, subtype: given, url: given },
        ...{ contentId: given, account: given, tags: [given], ids: { isrc: given }, rawMetadata: { [given]: given } },
        consumedAt: new Date(index),
      }),
    );
    await importItems(storage, 'i\0', items);
    expect((await readAll(storage)).map(contentOf)).toEqual(items.map(contentOf));
    expect((await commit(storage, items, { policy: 'replace' })).unchanged).toBe(items.length);
    const preview = { userId: 'ada', items, policy: 'replace' as const };
    expect(await storage.previewPage(preview)).toMatchObject({ unchanged: items.length });
    expect(await readIds(storage, { tag: '\0' })).toEqual([items[0]?.externalId]);
    expect(await readIds(storage, { text: 'A\0B' })).toEqual([items[1]?.externalId]);
    const groups = await storage.groups({ userId: 'ada' }, { by: 'title', orderBy: 'items', limit: 99 });
    expect(groups.map(({ value }) => value)).toEqual(items.map(({ title }) => title).toSorted());
    const [first] = items;
    expect(await storage.deleteItem({ userId: 'ada', platform: 'spotify', externalId: first?.externalId ?? '' })).toBe(
      true,
    );
    const { id } = await connect(storage, { userId: 'e\0ve', id: 'c\0', account: '\0' });
    const patch = { label: '\0', statusReason: '\x01', settings: { '\0': '\0' }, grantedScopes: ['\0'] };
    expect(await storage.updateConnection(id, patch)).toMatchObject({ id: 'c\0', userId: 'e\0ve', ...patch });
    expect(await credentials.put('c\0', 's\0', undefined)).toBeDefined();
    expect(await credentials.list({ limit: 9 })).toMatchObject([{ connectionId: 'c\0', sealed: 's\0' }]);
    expect(await storage.erase({ userId: 'e\0ve' })).toEqual({ items: 0 });
    await drop();
  });

  test('searching for control characters finds them, and not half of what stands for another one', async () => {
    const { storage, drop } = await openSchema(onServer);
    const parts = ['\0', '\x01', '\x02', 'A', 'B', 'É'];
    const texts = parts.flatMap((a) => parts.flatMap((b) => ['', ...parts].map((c) => a + b + c)));
    await commit(
      storage,
      texts.map((title, index) => sampleItem({ externalId: `${index}`, title, consumedAt: new Date(index) })),
    );
    for (const needle of [...parts, ...texts]) {
      const expected = texts.flatMap((title, index) =>
        foldText(title).includes(foldText(needle)) ? [`${index}`] : [],
      );
      const found = await readIds(storage, { text: needle });
      expect(found.toSorted(), JSON.stringify(needle)).toEqual(expected.toSorted());
    }
    await drop();
  });

  test('tags are compared as they are, whatever marks are in them', async () => {
    const { storage, drop } = await openSchema(onServer);
    const tags = ['a', '"', '","', ',', 'a","b', '\\', ']', '["x"]', 'ü', 'u00fc', '\n', '%', ''];
    await commit(
      storage,
      tags.map((tag, index) =>
        sampleItem({ externalId: `${index}`, tags: ['other', tag, 'a,'], consumedAt: new Date(index) }),
      ),
    );
    for (const [index, tag] of tags.entries()) expect(await readIds(storage, { tag }), tag).toEqual([`${index}`]);
    expect(await readIds(storage, { tag: 'x' })).toEqual([]);
    await drop();
  });

  test('searching agrees with foldText for every letter there is', async () => {
    const { storage, look, drop } = await openSchema(onServer);
    const letters: string[] = [];
    for (let point = 1; point < 0x1_f000; point += 1) {
      if (point >= 0xd800 && point < 0xe000) continue;
      const letter = String.fromCodePoint(point);
      if (foldText(letter) !== letter || foldText(letter.toUpperCase()) !== letter.toUpperCase()) letters.push(letter);
    }
    expect(letters.length).toBeGreaterThan(2_000);
    const items = letters.map((letter, index) =>
      sampleItem({ externalId: `${index}`, title: `x ${letter} X`, creator: `${letter}Z` }),
    );
    await commit(storage, items);
    const rows = await look<{ title: string; found: string; creator: string; sung: string }>(
      `SELECT title, coalesce(title_folded, lower(title COLLATE "C")) AS found, creator,
         coalesce(creator_folded, lower(creator COLLATE "C")) AS sung FROM %.items`,
    );
    expect(rows).toHaveLength(letters.length);
    for (const { title, found, creator, sung } of rows) {
      expect([unescapeText(found), unescapeText(sung)]).toEqual([
        foldText(unescapeText(title)),
        foldText(unescapeText(creator)),
      ]);
    }
    for (const needle of ['STRASSE', 'σίσυφοσ', 'İ', 'ÉTÉ', 'ГРОЗА']) {
      await commit(storage, [sampleItem({ externalId: needle, title: `a ${needle.toLowerCase()} b` })]);
      expect(await readIds(storage, { text: needle.toUpperCase() })).toContain(needle);
    }
    await drop();
  });
});

describe.skipIf(!server)('postgres: what a page costs', () => {
  const onServer = server as NonNullable<typeof server>;

  async function openRecorded() {
    const opened = await openSchema(onServer);
    const { pool, statements } = recording(opened.pool);
    const { storage } = postgres({ pool, schema: opened.schema });
    const { id } = await connect(storage);
    const lease = await take(storage, `sync:${id}:history`);
    const commitItems = async (items: ReturnType<typeof sampleItems>) => {
      statements.length = 0;
      return storage.commitPage({ lease, connectionId: id, items, policy: 'longest' });
    };
    const lastNumber = async () => {
      const [row] = await opened.look<{ last: string }>('SELECT last_value AS last FROM %.feed_sequence');
      return Number(row?.last);
    };
    return { ...opened, statements, commitItems, lastNumber };
  }

  test('statements do not grow in number with the items', async () => {
    const { commitItems, statements, drop } = await openRecorded();
    await commitItems(sampleItems(1));
    const one = statements.map(([text]) => text.slice(0, 40));
    expect(one.length).toBeLessThanOrEqual(4);
    await commitItems(sampleItems(500));
    expect(statements).toHaveLength(one.length);
    await commitItems(sampleItems(5_000));
    expect(statements).toHaveLength(one.length + 1);
    await drop();
  });

  test('a page that is stored takes no number and writes no row, small or large', async () => {
    const { commitItems, lastNumber, look, drop } = await openRecorded();
    for (const size of [50, 500, 5_000]) {
      const items = sampleItems(size);
      expect((await commitItems(items)).updated).toBe(0);
      const [before, versions] = [
        await lastNumber(),
        await look('SELECT ctid::text, xmin::text, xmax::text FROM %.items'),
      ];
      expect(await commitItems(items)).toMatchObject({ inserted: 0, updated: 0, unchanged: size, sequence: before });
      expect(await lastNumber()).toBe(before);
      expect(await look('SELECT ctid::text, xmin::text, xmax::text FROM %.items')).toEqual(versions);
    }
    await drop();
  });

  test.each(['keep', 'longest', 'replace'] as const)(
    '%s: half-known large pages count as written one by one, repeats included',
    async (policy) => {
      const { storage, drop } = await openSchema(onServer);
      const all = sampleItems(3_000, { timeSpentMs: 5 });
      await commit(storage, all.slice(0, 1_000), { policy });
      await storage.deleteItem({ userId: 'ada', platform: 'spotify', externalId: all[7]?.externalId ?? '' });
      // More than half unknown: written without comparing. Every fifth comes three times, longer and shorter again.
      const page = all.flatMap((item, index) =>
        index % 5 === 0 ? [item, { ...item, timeSpentMs: 9 }, { ...item, timeSpentMs: 1 }] : [item],
      );
      const shuffled = page.map((_, index) => page[(index * 1_009) % page.length] as (typeof page)[number]);
      const { sequence: _, ...counts } = await commit(storage, shuffled, { policy });
      const again = await storage.previewPage({ userId: 'ada', items: shuffled, policy });
      expect(counts.inserted).toBe(2_000);
      expect(counts.inserted + counts.updated + counts.unchanged).toBe(page.length);
      expect(again.inserted).toBe(0);
      const stored = await readAll(storage);
      expect(stored).toHaveLength(2_999);
      const longest = policy === 'longest' ? 9 : undefined;
      if (longest) expect(stored.filter(({ timeSpentMs }) => timeSpentMs === longest)).toHaveLength(600);
      if (policy === 'keep') expect(counts.updated).toBe(0);
      await drop();
    },
  );
});

test('escaping is reversible, and keeps the order of code points', () => {
  const parts = ['', '\0', '\x01', '\x02', 'a', '\x01\x01', '\0\x01'];
  const texts = parts.flatMap((a) => parts.flatMap((b) => parts.map((c) => a + b + c)));
  for (const one of texts) {
    expect(escapeText(one)).not.toContain('\0');
    expect(unescapeText(escapeText(one))).toBe(one);
    for (const other of texts) expect(escapeText(one) < escapeText(other)).toBe(one < other);
  }
});
