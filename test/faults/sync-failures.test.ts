import { listParked, replayParked, syncDue, syncHistory } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { type FakeFailure, fakeClock, seededRandom } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { DAY, HOUR, liveSetup, playsBefore, START, storedTitles } from '../support/live-setup.ts';
import { recordFigure } from '../support/reliability.ts';

const json = (status: number, body: unknown = { error: 'x' }, headers: Record<string, string> = {}): Response =>
  Response.json(body, { status, headers });

describe('poison', () => {
  test('R-080 one bad record of fifty is parked, and replayed once the provider understands it', async () => {
    const { service, registry, sync, connection, events } = await liveSetup({ service: { maxLimit: 50 } });
    service.add('ada', ...playsBefore(START, 49), { id: 'bad', playedAt: START - 1, title: 'bad', poison: true });
    const report = await sync();
    // Met twice: by the walk of what is new, and by that of what is old.
    expect(report).toMatchObject({ status: 'partial', counts: { inserted: 49, rejected: 2 } });
    expect(report.error).toMatchObject({ code: 'partial_sync', reason: 'rejected_records' });
    const request = { userId: 'ada', connectionId: connection.id };
    const [parked] = await listParked(registry, request);
    expect(parked).toMatchObject({ capability: 'history', reason: 'unexpected_shape' });
    // Met again in the overlap: one more attempt, not one more record.
    await sync();
    expect(await listParked(registry, request)).toMatchObject([{ attempts: 3 }]);
    expect(await replayParked(registry, request)).toEqual({ replayed: 0, inserted: 0, remaining: 1 });

    const [provider] = registry.list();
    const { history } = provider?.capabilities ?? {};
    if (!history) throw new Error('The fake provider has a history.');
    const { replay } = history;
    const mended = (raw: unknown): ReturnType<typeof replay> =>
      replay({ ...(raw as object), played_at: START - 1, title: 'bad' });
    Object.assign(history, { replay: mended });
    expect(await replayParked(registry, request)).toEqual({ replayed: 1, inserted: 1, remaining: 0 });
    expect(await listParked(registry, request)).toEqual([]);
    expect(await storedTitles(registry)).toHaveLength(50);
    expect(events.some((event) => JSON.stringify(event).includes('yesterday'))).toBe(false);
    recordFigure('R-080', '1 bad of 50: 49 stored, 1 parked, replayed after the fix');
  });

  test('R-080 twenty bad of fifty mean that the service changed: nothing stored, the position stays', async () => {
    const { service, registry, sync, connection } = await liveSetup({ service: { maxLimit: 50 } });
    const plays = playsBefore(START, 50).map((play, index) => ({ ...play, poison: index % 5 < 2 }));
    service.add('ada', ...plays);
    const before = await registry.storage.readCursors(connection.id, 'history');
    const report = await sync();
    expect(report).toMatchObject({ status: 'failed', counts: { inserted: 0 } });
    expect(report.error).toMatchObject({ code: 'invalid_data', reason: 'poisoned_page' });
    expect(await storedTitles(registry)).toEqual([]);
    expect(await registry.storage.readCursors(connection.id, 'history')).toEqual(before);
    recordFigure('R-080', '20 bad of 50: 0 stored, invalid_data, position unchanged');
  });
});

describe('failures half-way', () => {
  const kinds: Readonly<Record<string, { readonly fail: () => FakeFailure; readonly code: string }>> = {
    upstream: { fail: () => () => json(503), code: 'upstream' },
    network: { fail: () => 'drop', code: 'upstream' },
    'rate limit': { fail: () => () => json(429, {}, { 'retry-after': '3600' }), code: 'rate_limit' },
    permission: { fail: () => () => json(403), code: 'permission_denied' },
    'changed answer': { fail: () => () => json(200, { plays: 'none' }), code: 'plugin' },
  };

  test('R-081 a failure at page k keeps the pages before it, and the next sync goes on there', async () => {
    let proven = 0;
    for (const [kind, { fail, code }] of Object.entries(kinds)) {
      for (let k = 1; k <= 20; k += 1) {
        const { service, registry, sync, time } = await liveSetup({
          service: { maxLimit: 10, pageTokenLifetimeMs: DAY },
        });
        service.add('ada', ...playsBefore(START - 30 * DAY, 200));
        let calls = 0;
        // Page 1 of the walk is the look at what is new.
        service.intercept = () => {
          calls += 1;
          return calls > k ? fail() : undefined;
        };
        const report = await sync();
        const stored = (await storedTitles(registry)).length;
        // All that arrived before the failure is stored; one page in ten is a look at what is new.
        expect(stored, `${kind} at ${k}`).toBe(new Set(service.ledger.flatMap(({ sent }) => sent)).size);
        expect(stored, `${kind} at ${k}`).toBeGreaterThanOrEqual(10 * (k - 2));
        expect(report.status, `${kind} at ${k}`).toBe('partial');
        expect([report.error?.reason, (report.error?.cause as { code?: string } | undefined)?.code]).toContain(code);
        service.intercept = undefined;
        service.ledger.length = 0;
        await time.advance(2 * HOUR);
        expect((await sync()).status).toBe('complete');
        expect(await storedTitles(registry)).toHaveLength(200);
        // Nothing that was stored is asked for again.
        const sent = service.ledger.flatMap(({ sent: ids }) => ids);
        expect(sent).toHaveLength(200 - stored);
        proven += 1;
      }
    }
    expect(proven).toBe(100);
    recordFigure('R-081', `${proven} of 100: ${Object.keys(kinds).length} kinds of failure at pages 1 to 20`);
  });

  test('R-082 a rate limit is no failure, and its wait outlives the process', async () => {
    const adapter = memory();
    const time = fakeClock(START);
    const first = await liveSetup({ time, adapter: memory({ clock: time.clock }) });
    first.service.add('ada', ...playsBefore(START, 10));
    first.service.intercept = () => json(429, {}, { 'retry-after': '79892' });
    const report = await first.sync();
    expect(report).toMatchObject({ status: 'skipped', reason: 'rate_limited', error: { code: 'rate_limit' } });
    expect(report.notBefore?.getTime()).toBeGreaterThanOrEqual(START + 79_892_000);
    const { storage } = first.registry;
    expect(await storage.readSchedules(first.connection.id)).toMatchObject([{ blocked: true, failures: 0 }]);
    expect(adapter).toBeDefined();

    // A new process on the same store.
    const calls = first.service.ledger.length;
    for (let hour = 0; hour < 22; hour += 1) {
      expect((await time.until(syncDue(first.registry))).synced).toBe(0);
      const direct = await time.until(syncHistory(first.registry, { userId: 'ada', provider: 'fake' }));
      expect(direct).toMatchObject({ status: 'skipped', reason: 'not_yet' });
      await time.advance(HOUR);
    }
    expect(first.service.ledger).toHaveLength(calls);
    first.service.intercept = undefined;
    await time.advance(HOUR);
    expect((await time.until(syncDue(first.registry))).byStatus).toEqual({ complete: 1 });
    recordFigure('R-082', 'a wait of 22 hours, asked 44 times: 0 early requests');
  });
});

test('R-085 what is new is seen within one interval while a long history comes home', async () => {
  const count = process.env.MCA_TEST_FULL === '1' ? 100_000 : 5_000;
  const { service, registry, time } = await liveSetup({ provider: { intervalMs: HOUR } });
  const minute = 60_000;
  service.add(
    'ada',
    ...Array.from({ length: count }, (_, index) => ({
      id: `old-${index}`,
      playedAt: START - 60 * DAY - (count - index) * minute,
      title: `old ${index}`,
    })),
  );
  let worstMs = 0;
  let rounds = 0;
  let oldPages = 0;
  let allPages = 0;
  for (; rounds < 2_000; rounds += 1) {
    const at = time.clock.now();
    const title = `live ${rounds}`;
    service.add('ada', { id: title, playedAt: at, title });
    await time.advance(10 * minute);
    service.ledger.length = 0;
    let hasMore = false;
    await time.until(
      syncDue(registry, {
        maxPagesPerSync: 20,
        onReport: (report) => {
          hasMore = report.hasMore;
        },
      }),
    );
    const pages = service.ledger.map(({ sent }) => sent);
    allPages += pages.length;
    oldPages += pages.filter((ids) => ids.some((id) => id.startsWith('old'))).length;
    const { items: newest } = {
      items: await registry.storage.queryItems({ userId: 'ada', order: 'newest', limit: 1 }),
    };
    if (newest[0]?.title === title) worstMs = Math.max(worstMs, time.clock.now() - at);
    else if (hasMore) expect.fail('a live play was not seen in the round after it');
    if (!hasMore && rounds > 0 && (await registry.storage.summary({ userId: 'ada' })).items > count) break;
  }
  expect((await registry.storage.summary({ userId: 'ada' })).items).toBe(count + rounds + 1);
  expect(worstMs).toBeLessThanOrEqual(HOUR);
  expect(oldPages / allPages).toBeLessThanOrEqual(0.96);
  recordFigure('R-085', `${count} old plays: a live one is stored after ${worstMs / minute} minutes at most`);
});

test('R-092 clocks that step an hour either way between syncs lose nothing', async () => {
  const random = seededRandom(92);
  const { service, registry, sync, time } = await liveSetup({ provider: { overlapMs: DAY } });
  for (let hour = 0; hour < 24 * 14; hour += 1) {
    await time.advance(HOUR);
    // The service's own clock is right: plays are dated by it.
    const real = START + (hour + 1) * HOUR;
    service.add('ada', { id: `hour-${hour}`, playedAt: real - 60_000, title: `hour ${hour}`, visibleFrom: 0 });
    if (random() < 0.3) time.step((random() < 0.5 ? -1 : 1) * HOUR);
    await sync();
  }
  await sync();
  expect(await storedTitles(registry)).toHaveLength(24 * 14);
  recordFigure('R-092', '14 days with about 100 clock steps of an hour: 0 lost');
});
