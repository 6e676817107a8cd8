import { type McaError, type SyncReport, syncDue, syncHistory } from '@mca/core';
import { describe, expect, test } from 'vitest';
import { DAY, HOUR, liveSetup, playsBefore, START, storedTitles } from '../../test/support/live-setup.ts';

const balance = ({ counts }: Pick<SyncReport, 'counts'>): void => {
  const { read, inserted, updated, unchanged, skipped, rejected } = counts;
  expect(inserted + updated + unchanged + skipped + rejected).toBe(read);
};

describe('syncHistory', () => {
  test('the first sync brings everything, the next only what is new', async () => {
    const { service, sync, registry, time } = await liveSetup();
    service.add('ada', ...playsBefore(START, 450));
    const first = await sync();
    expect(first).toMatchObject({ status: 'complete', hasMore: false, counts: { inserted: 450, rejected: 0 } });
    balance(first);
    expect(await storedTitles(registry)).toHaveLength(450);

    await time.advance(HOUR);
    service.add('ada', { id: 'new', playedAt: START + HOUR / 2, title: 'new' });
    service.ledger.length = 0;
    const second = await sync();
    balance(second);
    expect(second.counts.inserted).toBe(1);
    // One request: the overlap of a day and the new play.
    expect(service.ledger).toHaveLength(1);
    expect((await storedTitles(registry)).at(-1)).toBe('new');
  });

  test('a user who has not connected is skipped, not an error', async () => {
    const { registry, time } = await liveSetup();
    const report = await time.until(syncHistory(registry, { userId: 'bob', provider: 'fake' }));
    expect(report).toMatchObject({ status: 'skipped', reason: 'not_connected' });
  });

  test('an empty account is complete', async () => {
    const { sync } = await liveSetup();
    expect(await sync()).toMatchObject({ status: 'complete', counts: { read: 0 }, hasMore: false });
  });

  test('starting with what is new leaves the past out, also in the overlap and the deep pass', async () => {
    const { service, sync, registry, time } = await liveSetup();
    service.add('ada', ...playsBefore(START, 30));
    expect(await sync({ firstSync: 'new' })).toMatchObject({ status: 'complete', counts: { inserted: 0 } });
    await time.advance(8 * DAY);
    service.add('ada', { id: 'new', playedAt: START + DAY, title: 'new' });
    const report = await sync();
    balance(report);
    expect(report.skipped).toEqual(report.counts.skipped === 0 ? {} : { before_start: report.counts.skipped });
    expect(await storedTitles(registry)).toEqual(['new']);
  });

  test('a page budget ends a sync early, and the next goes on; old history gets at most half of it', async () => {
    const { service, sync, registry } = await liveSetup({ service: { maxLimit: 10 } });
    service.add('ada', ...playsBefore(START - 30 * DAY, 200));
    const first = await sync({ maxPages: 8 });
    expect(first).toMatchObject({ hasMore: true, status: 'complete' });
    expect(first.pages).toBeLessThanOrEqual(8);
    expect(first.counts.inserted).toBeLessThanOrEqual(40);
    let report = first;
    for (let round = 0; report.hasMore; round += 1) {
      expect(round).toBeLessThan(20);
      report = await sync({ maxPages: 8 });
    }
    expect(await storedTitles(registry)).toHaveLength(200);
  });

  test('a window that overran is a gap: told in the report, by an event, and never hidden', async () => {
    const { service, sync, time, events, connection } = await liveSetup({
      provider: { window: true },
      service: { window: 50 },
    });
    service.add('ada', ...playsBefore(START, 10));
    expect(await sync()).toMatchObject({ status: 'complete', counts: { inserted: 10 } });
    await time.advance(10 * DAY);
    service.add('ada', ...playsBefore(START + 10 * DAY, 120, 'later'));
    const report = await sync();
    const gap = { from: new Date(START - HOUR), to: new Date(START + 10 * DAY - 50 * HOUR) };
    expect(report).toMatchObject({ status: 'partial', gaps: [gap], counts: { inserted: 50 } });
    expect(report.error).toMatchObject({ code: 'partial_sync', reason: 'coverage_gap' });
    expect(events).toContainEqual({
      type: 'coverage_gap',
      provider: 'fake',
      connectionId: connection.id,
      userId: 'ada',
      capability: 'history',
      ...gap,
    });
    expect(await sync()).toMatchObject({ status: 'complete', gaps: [] });
  });

  test("an error before the first page is the report's, and nothing is stored", async () => {
    const { service, sync, registry } = await liveSetup();
    service.intercept = () =>
      new Response('{"error":"x"}', { status: 403, headers: { 'content-type': 'application/json' } });
    const report = await sync();
    expect(report).toMatchObject({ status: 'failed', pages: 0 });
    expect(report.error?.code).toBe('permission_denied');
    expect(await storedTitles(registry)).toEqual([]);
  });

  test('a rejected key asks the user back in, once, and syncs are skipped until they come', async () => {
    const { service, sync, events, registry, connection } = await liveSetup();
    service.intercept = () => Response.json({ error: 'token_expired' }, { status: 401 });
    expect((await sync()).error).toMatchObject({ code: 'auth_expired' });
    expect(events.filter(({ type }) => type === 'reauth_required')).toHaveLength(1);
    const [now] = await registry.storage.listConnections({ id: connection.id });
    expect(now?.status).toBe('needs_reauth');
    const calls = service.ledger.length;
    expect(await sync()).toMatchObject({ status: 'skipped', reason: 'needs_reauth' });
    expect(service.ledger).toHaveLength(calls);
  });

  test('cancelling stops between two pages; whole pages are stored', async () => {
    const { service, sync, registry } = await liveSetup({ service: { maxLimit: 10 } });
    service.add('ada', ...playsBefore(START, 100));
    const controller = new AbortController();
    const report = await sync({
      signal: controller.signal,
      onProgress: ({ pages }) => {
        if (pages === 3) controller.abort();
      },
    });
    expect(report.status).toBe('cancelled');
    expect((await storedTitles(registry)).length % 10).toBe(0);
    expect(await sync()).toMatchObject({ status: 'complete' });
    expect(await storedTitles(registry)).toHaveLength(100);
  });

  test('a provider that breaks its contract is told so, and nothing of the page is stored', async () => {
    const page = { read: 2, items: [], skipped: {}, rejected: [], cursor: '', hasMore: false };
    const { sync } = await liveSetup({ provider: { history: { fetchPage: async () => page } } });
    const { error } = await sync();
    expect(error).toMatchObject({ code: 'plugin', reason: 'unbalanced_page' });
    const standing = { ...page, read: 0, hasMore: true };
    const again = await liveSetup({ provider: { history: { fetchPage: async () => standing } } });
    expect((await again.sync()).error).toMatchObject({ code: 'plugin', reason: 'stuck_walk' });
    const wild = await liveSetup({
      provider: { history: { fetchPage: () => Promise.reject(new RangeError('boom')) } },
    });
    expect((await wild.sync()).error).toMatchObject({ code: 'plugin', reason: 'unexpected_error' });
  });

  test('one worker at a time', async () => {
    const { service, registry, time } = await liveSetup({ service: { maxLimit: 10 } });
    service.add('ada', ...playsBefore(START, 100));
    const request = { userId: 'ada', provider: 'fake' } as const;
    const [one, two] = await time.until(Promise.all([syncHistory(registry, request), syncHistory(registry, request)]));
    expect([one?.status, two?.status].sort()).toEqual(['complete', 'skipped']);
  });

  test('bad options are refused with what to do', async () => {
    const { registry } = await liveSetup();
    const refusal = (call: Promise<unknown>): Promise<McaError> =>
      call.then(
        () => expect.fail('accepted'),
        (error) => error,
      );
    expect(await refusal(syncHistory(registry, { userId: '', provider: 'fake' }))).toMatchObject({
      code: 'invalid_data',
    });
    expect(await refusal(syncHistory(registry, { userId: 'a', provider: 'fake', maxPages: 0 }))).toMatchObject({
      reason: 'invalid_max_pages',
    });
    expect(await refusal(syncDue(registry, { concurrency: 0 }))).toMatchObject({ reason: 'invalid_concurrency' });
  });

  test('coverage: what the API told hides nothing where it had a gap', async () => {
    const { service, sync, registry, time, connection } = await liveSetup({
      provider: { window: true },
      service: { window: 50 },
    });
    service.add('ada', ...playsBefore(START, 10));
    await sync();
    await time.advance(5 * DAY);
    service.add('ada', ...playsBefore(START + 5 * DAY, 80, 'later'));
    await sync();
    const [cursor] = await registry.storage.readCursors(connection.id, 'history');
    const envelope = JSON.parse(Buffer.from(String(cursor), 'base64url').toString()) as { coverage: unknown };
    expect(envelope.coverage).toEqual([
      ['plays', null, START - 10 * HOUR, START - HOUR],
      ['plays', null, START + 5 * DAY - 50 * HOUR, START + 5 * DAY - HOUR],
    ]);
  });
});

describe('syncDue', () => {
  test('syncs what is due and plans the next turn', async () => {
    const { service, registry, time, connection } = await liveSetup({ provider: { intervalMs: HOUR } });
    service.add('ada', ...playsBefore(START, 5));
    expect(await time.until(syncDue(registry))).toEqual({ synced: 1, byStatus: { complete: 1 } });
    expect(await time.until(syncDue(registry))).toEqual({ synced: 0, byStatus: {} });
    expect(await registry.storage.readSchedules(connection.id)).toMatchObject([{ blocked: false, failures: 0 }]);
    await time.advance(HOUR + 1_000);
    expect((await time.until(syncDue(registry))).synced).toBe(1);
  });

  test('a failing service is asked less and less often', async () => {
    const { service, registry, time, connection } = await liveSetup();
    service.intercept = () => new Response('down', { status: 503 });
    const waits: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      await time.until(syncDue(registry));
      const [schedule] = await registry.storage.readSchedules(connection.id);
      expect(schedule?.failures).toBe(round + 1);
      const waitMs = (schedule?.dueAt ?? 0) - time.clock.now();
      waits.push(waitMs);
      await time.advance(waitMs);
    }
    expect(waits[0]).toBeLessThanOrEqual(60_000);
    expect(waits.at(-1)).toBeGreaterThan(3_000_000);
    service.intercept = undefined;
    await time.until(syncDue(registry));
    expect(await registry.storage.readSchedules(connection.id)).toMatchObject([{ failures: 0 }]);
  });
});
