import { type Cursor, McaError, replayParked, syncDue, updateConnection } from '@mca/core';
import type { HistoryCapability } from '@mca/core/provider-kit';
import { cursorInvalid } from '@mca/core/provider-kit';
import { fakeProvider } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { DAY, HOUR, liveSetup, playsBefore, START, storedTitles } from '../../test/support/live-setup.ts';
import { firstSyncOf, withFirstSync } from '../registry/first-sync.ts';

/** A service that pages its plays newest first, ten at a time, by the id of the last one. */
function newestFirst() {
  const service = { plays: [] as { readonly id: string; readonly at: number }[], isDown: false };
  const { replay } = fakeProvider({ baseUrl: 'https://service.test' }).capabilities.history;
  const history = {
    order: 'newest-first',
    backfill: false,
    async fetchPage(_context, { cursor, since = Number.NEGATIVE_INFINITY }) {
      if (service.isDown) throw new McaError({ code: 'upstream', message: 'The service is down.' });
      const all = service.plays.filter(({ at }) => at > since).sort((a, b) => b.at - a.at);
      const from = cursor === undefined ? 0 : all.findIndex(({ id }) => id === cursor) + 1;
      if (cursor !== undefined && from === 0) throw cursorInvalid('fake');
      const page = all.slice(from, from + 10);
      const items = page.flatMap(({ id, at }) => replay({ id, played_at: at, title: id }).items);
      const hasMore = from + 10 < all.length;
      return { read: page.length, items, skipped: {}, rejected: [], cursor: page.at(-1)?.id ?? '', hasMore };
    },
  } satisfies Partial<HistoryCapability>;
  return { service, history };
}

/** The store as it is when an older release opens the database of a newer one: no cursor of a track can be read. */
function damageCursors(
  { storage }: Awaited<ReturnType<typeof liveSetup>>['registry'],
  tracks: readonly string[] = ['history', 'history:backfill'],
): () => void {
  const { readCursors } = storage;
  Object.assign(storage, {
    async readCursors(id: string, track: string) {
      const cursors = await readCursors(id, track);
      return tracks.includes(track) ? cursors.map(() => 'of a newer release' as Cursor) : cursors;
    },
  });
  return () => Object.assign(storage, { readCursors });
}

describe('again: everything once more', () => {
  test('what a service tells of years late comes home, nothing doubles, what was deleted stays deleted', async () => {
    const { service, registry, sync, time } = await liveSetup({ service: { maxLimit: 50 } });
    service.add('ada', ...playsBefore(START, 100));
    await sync();
    const [first] = await registry.storage.queryItems({ userId: 'ada', order: 'oldest', limit: 1 });
    if (first) await registry.storage.deleteItem(first);
    await time.advance(30 * DAY);
    service.add('ada', ...playsBefore(START - 900 * DAY, 40, 'uploaded'));
    expect((await sync()).counts.inserted).toBe(0);
    const report = await sync({ again: 'everything' });
    expect(report).toMatchObject({ status: 'complete', hasMore: false, counts: { inserted: 40, updated: 0 } });
    expect(await storedTitles(registry)).toHaveLength(139);
    service.ledger.length = 0;
    expect((await sync()).counts.read).toBeLessThan(60);
  });

  test('cut short by a budget, plain syncs go on with it', async () => {
    const { service, registry, sync } = await liveSetup({ service: { maxLimit: 10 } });
    service.add('ada', ...playsBefore(START, 100));
    await sync();
    service.add('ada', ...playsBefore(START - 900 * DAY, 40, 'uploaded'));
    let report = await sync({ again: 'everything', maxPages: 2 });
    expect(report.hasMore).toBe(true);
    for (let round = 0; report.hasMore; round += 1) {
      expect(round).toBeLessThan(30);
      report = await sync({ maxPages: 2 });
    }
    expect(await storedTitles(registry)).toHaveLength(140);
  });

  test('a failing service does not lose the wish', async () => {
    const { service, registry, sync, time } = await liveSetup();
    service.add('ada', ...playsBefore(START, 10));
    await sync();
    service.add('ada', ...playsBefore(START - 900 * DAY, 5, 'uploaded'));
    service.intercept = () => Response.json({}, { status: 403 });
    expect((await sync({ again: 'everything' })).status).toBe('failed');
    service.intercept = undefined;
    await time.advance(2 * HOUR);
    await sync();
    expect(await storedTitles(registry)).toHaveLength(15);
  });

  test('it takes back the choice of what is new only', async () => {
    const { service, registry, sync, time } = await liveSetup();
    service.add('ada', ...playsBefore(START, 30));
    await sync({ firstSync: 'new' });
    expect(await storedTitles(registry)).toEqual([]);
    await sync({ again: 'everything' });
    expect(await storedTitles(registry)).toHaveLength(30);
    damageCursors(registry);
    await time.advance(HOUR);
    await sync();
    expect(await storedTitles(registry)).toHaveLength(30);
  });

  test('the choice for other capabilities stays what it was', async () => {
    const { registry, sync, connection } = await liveSetup();
    await updateConnection(registry, { userId: 'ada', connectionId: connection.id, firstSync: 'new' });
    await sync();
    await sync({ again: 'everything' });
    const [now = connection] = await registry.storage.listConnections({ id: connection.id });
    expect([firstSyncOf(now, 'history'), firstSyncOf(now, 'library')]).toEqual(['everything', 'new']);
  });

  test('a walk from the newest on goes to the end, also when it is cut short', async () => {
    const { service, history } = newestFirst();
    const { registry, sync } = await liveSetup({ provider: { history } });
    service.plays.push(
      ...Array.from({ length: 35 }, (_, index) => ({ id: `play ${index}`, at: START - (index + 1) * HOUR })),
    );
    await sync();
    service.plays.push(
      ...Array.from({ length: 35 }, (_, index) => ({ id: `late ${index}`, at: START - 400 * DAY + index })),
    );
    expect((await sync()).counts.inserted).toBe(0);
    service.isDown = true;
    expect((await sync({ again: 'everything' })).status).toBe('failed');
    service.isDown = false;
    expect(await sync({ maxPages: 3 })).toMatchObject({ hasMore: true });
    expect(await sync()).toMatchObject({ hasMore: false, counts: { inserted: 35 } });
    expect(await storedTitles(registry)).toHaveLength(70);
  });
});

describe('all cursors unreadable at once', () => {
  test.each([1, 2, 4, 8])('half-way through old history (%i pages in): nothing is lost', async (maxPages) => {
    const { service, registry, sync, time } = await liveSetup({ service: { maxLimit: 10 } });
    service.add('ada', ...playsBefore(START - 30 * DAY, 200));
    expect(await sync({ maxPages })).toMatchObject({ hasMore: true });
    const mend = damageCursors(registry);
    await time.advance(2 * HOUR);
    service.add('ada', { id: 'new', playedAt: START + HOUR, title: 'new' });
    await sync({ maxPages: 1 });
    mend();
    let report = await sync();
    for (let round = 0; report.hasMore && round < 5; round += 1) report = await sync();
    expect(report.hasMore).toBe(false);
    expect(await storedTitles(registry)).toHaveLength(201);
  });

  test('above the hole of a walk from the newest on: the hole is filled', async () => {
    const { service, history } = newestFirst();
    const { registry, sync } = await liveSetup({ provider: { history } });
    service.plays.push(
      ...Array.from({ length: 35 }, (_, index) => ({ id: `play ${index}`, at: START - (index + 1) * DAY })),
    );
    expect(await sync({ maxPages: 2 })).toMatchObject({ hasMore: true });
    const mend = damageCursors(registry);
    await sync({ maxPages: 1 });
    mend();
    await sync();
    expect(await storedTitles(registry)).toHaveLength(35);
  });

  test('who wanted what is new only, gets what is new only', async () => {
    const { service, registry, sync, time } = await liveSetup();
    service.add('ada', ...playsBefore(START, 30));
    await sync({ firstSync: 'new' });
    damageCursors(registry);
    await time.advance(2 * HOUR);
    service.add('ada', { id: 'new', playedAt: START + HOUR, title: 'new' });
    await sync();
    expect(await storedTitles(registry)).toEqual(['new']);
  });

  test('what was chosen for the library says nothing about the history', async () => {
    const { service, registry, sync, time, connection } = await liveSetup({ service: { maxLimit: 10 } });
    service.add('ada', ...playsBefore(START - 30 * DAY, 100));
    await sync({ maxPages: 3 });
    // What the first sync of a library with that choice leaves behind.
    const settings = withFirstSync(connection.settings, 'new', 'library');
    await registry.storage.updateConnection(connection.id, { settings });
    const mend = damageCursors(registry);
    await time.advance(HOUR);
    await sync({ maxPages: 1 });
    mend();
    let report = await sync();
    for (let round = 0; report.hasMore && round < 5; round += 1) report = await sync();
    expect(await storedTitles(registry)).toHaveLength(100);
  });

  test('a library is no mark for the history of the same connection', async () => {
    const { service, registry, sync, time, connection } = await liveSetup({
      service: { maxLimit: 10 },
      provider: { history: { backfill: false } },
    });
    service.add('ada', ...playsBefore(START - 30 * DAY, 50));
    await sync({ maxPages: 3 });
    const lease = await registry.storage.acquireLease({ resource: 'import:saved', owner: 'me', ttlMs: 1_000 });
    const [item] = await registry.storage.queryItems({ userId: 'ada', order: 'newest', limit: 1 });
    if (!lease || !item) throw new Error('nothing was stored');
    await registry.storage.commitPage({
      lease,
      connectionId: connection.id,
      items: [{ ...item, externalId: 'saved', action: 'saved', title: 'saved', consumedAt: new Date(START - 1) }],
      policy: 'replace',
    });
    const mend = damageCursors(registry);
    await time.advance(HOUR);
    await sync();
    mend();
    expect(await storedTitles(registry)).toHaveLength(51);
  });
});

test('a first sync of what is new begins at connecting, whatever the clock says meanwhile', async () => {
  const { service, registry, sync, time } = await liveSetup();
  service.add('ada', ...playsBefore(START, 3));
  await time.advance(3 * HOUR);
  service.add('ada', { id: 'early', playedAt: START + HOUR, title: 'heard after connecting' });
  time.step(300 * DAY);
  await sync({ firstSync: 'new' });
  time.step(-300 * DAY);
  service.add('ada', { id: 'later', playedAt: START + 2 * HOUR, title: 'heard later' });
  await time.advance(HOUR);
  await sync();
  expect(await storedTitles(registry)).toEqual(['heard after connecting', 'heard later']);
});

test('what the scheduler does first is what was chosen when connecting', async () => {
  const { service, registry, time, connection } = await liveSetup();
  service.add('ada', ...playsBefore(START, 3));
  await updateConnection(registry, { userId: 'ada', connectionId: connection.id, firstSync: 'new' });
  await time.until(syncDue(registry));
  expect(await storedTitles(registry)).toEqual([]);
});

test('a walk that goes in a circle ends, and says so', async () => {
  let asked = 0;
  const history: Partial<HistoryCapability> = {
    fetchPage: async () => {
      asked += 1;
      return { read: 0, items: [], skipped: {}, rejected: [], cursor: `page ${asked % 4}`, hasMore: true };
    },
  };
  const { sync } = await liveSetup({ provider: { history } });
  const { error } = await sync();
  expect(error?.cause).toMatchObject({ code: 'plugin', reason: 'stuck_walk' });
  expect(asked).toBe(5);
});

test('parked records of before the chosen start are not taken in by a replay', async () => {
  const { history } = newestFirst();
  const raw = (at: number): unknown => ({ id: `at ${at}`, played_at: at, title: `at ${at}` });
  let isBroken = true;
  const { registry, sync, connection } = await liveSetup({
    provider: {
      history: {
        ...history,
        async fetchPage(context, request) {
          const page = await history.fetchPage(context, request);
          if (!isBroken) return page;
          const rejected = [START - DAY, START + 1].map((at) => ({ reason: 'odd', message: 'odd', raw: raw(at) }));
          return { ...page, read: page.read + 2, rejected };
        },
      },
    },
  });
  await sync({ firstSync: 'new' });
  isBroken = false;
  const report = await replayParked(registry, { userId: 'ada', connectionId: connection.id });
  expect(report).toMatchObject({ replayed: 2, inserted: 1, remaining: 0 });
  expect(await storedTitles(registry)).toEqual([`at ${START + 1}`]);
});
