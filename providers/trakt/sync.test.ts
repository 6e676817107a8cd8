import { syncHistory } from '@mca/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { ana, type Rig, rigOf } from '../../test/support/trakt-rig.ts';
import { blocked, NOW, plays, refusal } from './__fixtures__/server.ts';

const SECOND = 1_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

// Loaded when first needed: a fake clock would take that for a service that keeps one waiting.
beforeAll(() => Promise.all([import('ky'), import('oauth4webapi'), import('p-retry')]));

describe('when the service says no', () => {
  test('429 with a wait, and without', async () => {
    const rig = rigOf({ plays: plays(3) });
    await rig.connect();
    const limit = JSON.stringify({ name: 'AUTHED_API_GET_LIMIT', period: 300, limit: 500, remaining: 0 });
    rig.server.failures.push(refusal(429, { 'retry-after': '20', 'x-ratelimit': limit }));
    const before = rig.time.clock.now();
    expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { inserted: 3 } });
    expect(rig.time.clock.now() - before).toBeGreaterThanOrEqual(20 * SECOND);
    rig.server.failures.push(refusal(429), blocked(429));
    expect(await rig.sync()).toMatchObject({ status: 'complete' });
    rig.server.failures.push(refusal(429, { 'retry-after': '290' }));
    const report = await rig.sync();
    expect(report).toMatchObject({ status: 'skipped', reason: 'rate_limited', error: { code: 'rate_limit' } });
    expect(report.notBefore).toEqual(new Date(rig.time.clock.now() + 290 * SECOND));
  });

  test.each([
    [420, 'account_limit'],
    [423, 'account_locked'],
    [426, 'vip_only'],
  ])('%i is not asked again', async (status, reason) => {
    const rig = rigOf({ plays: plays(3) });
    await rig.connect();
    const before = rig.server.calls.length;
    rig.server.failures.push(refusal(status));
    expect(await rig.sync()).toMatchObject({ status: 'failed', error: { code: 'permission_denied', reason } });
    expect(rig.server.calls).toHaveLength(before + 1);
  });

  test('a page of the proxy in the middle of a walk: half a minute later it goes on', async () => {
    const rig = rigOf({ plays: plays(600) });
    await rig.connect();
    rig.server.failures.push(undefined, blocked(502));
    const before = rig.time.clock.now();
    expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { inserted: 600 } });
    expect(rig.time.clock.now() - before).toBeGreaterThanOrEqual(30 * SECOND);
  });
});

describe('sync after sync', () => {
  const add = ({ server, time }: Rig, id: number, daysAgo: number) =>
    server.plays.push({ id, at: time.clock.now() - daysAgo * DAY, of: id });

  const historyCalls = ({ server }: Rig) => server.calls.filter(({ path }) => path === '/sync/history');
  /** From when on each request asked for plays. */
  const startsOf = (rig: Rig, from: number) =>
    historyCalls(rig)
      .slice(from)
      .map(({ query }) => query.start_at);
  const pathsOf = ({ server }: Rig, from: number) => server.calls.slice(from).map(({ path }) => path);

  test('where nothing changed, that is all that is asked: after one more look, and once more at everything', async () => {
    const rig = rigOf({ plays: plays(300) });
    await rig.connect();
    await rig.sync();
    const asked: number[] = [];
    for (let hours = 0; hours < 24 * 20; hours += 12) {
      await rig.time.advance(12 * HOUR);
      const from = rig.server.calls.length;
      expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { inserted: 0 }, hasMore: false });
      const paths = pathsOf(rig, from);
      expect(paths[0]).toBe('/sync/last_activities');
      if (paths.length > 1) asked.push(hours);
    }
    expect(asked).toEqual([0, 6.5 * 24]);
  });

  test.each([
    ['missing', 'missing'],
    ['told', 'missing'],
    ['missing', null],
  ] as const)(
    'where a stamp is not known (%s, %s), the last days are read each time, everything once a week',
    async (movies, episodes) => {
      const rig = rigOf({ plays: plays(300) });
      Object.assign(rig.server.stampOf, { movies, episodes });
      await rig.connect();
      await rig.sync();
      const whole: number[] = [];
      for (let days = 1; days <= 20; days += 1) {
        await rig.time.advance(DAY);
        const before = historyCalls(rig).length;
        add(rig, days, 0);
        expect(await rig.sync()).toMatchObject({ counts: { inserted: 1 } });
        if (startsOf(rig, before).includes(undefined)) whole.push(days);
      }
      expect(whole).toEqual([7, 14]);
    },
  );

  test('an account without films has no stamp of them: nothing is asked for nothing', async () => {
    const rig = rigOf({ plays: plays(300) });
    rig.server.stampOf.movies = null;
    await rig.connect();
    await rig.sync();
    await rig.time.advance(HOUR);
    await rig.sync();
    await rig.time.advance(HOUR);
    const from = rig.server.calls.length;
    expect(await rig.sync()).toMatchObject({ counts: { read: 0 } });
    expect(pathsOf(rig, from)).toEqual(['/sync/last_activities']);
    add(rig, 1, 0);
    expect(await rig.sync()).toMatchObject({ counts: { inserted: 1 } });
  });

  test('a list that lags behind its stamp costs an hour', async () => {
    const rig = rigOf({ plays: plays(300) });
    await rig.connect();
    await rig.sync();
    await rig.time.advance(2 * DAY);
    rig.server.stale = [...rig.server.plays];
    add(rig, 1, 0);
    expect(await rig.sync()).toMatchObject({ counts: { inserted: 0 } });
    rig.server.stale = undefined;
    await rig.time.advance(HOUR);
    expect(await rig.sync()).toMatchObject({ counts: { inserted: 1 } });
  });

  test('one that lags where everything is read costs a week', async () => {
    const rig = rigOf({ plays: plays(300) });
    await rig.connect();
    await rig.sync();
    await rig.time.advance(2 * DAY);
    rig.server.stale = [...rig.server.plays];
    add(rig, 1, 4_000);
    expect(await rig.sync()).toMatchObject({ counts: { inserted: 0 } });
    rig.server.stale = undefined;
    for (let days = 1; days <= 7; days += 1) {
      await rig.time.advance(DAY);
      expect(await rig.sync()).toMatchObject({ counts: { inserted: days === 7 ? 1 : 0 } });
    }
  });

  test('a first walk that met an answer that was wrongly empty is made whole within a week', async () => {
    const rig = rigOf({ plays: plays(1_200) });
    await rig.connect();
    rig.server.failures.push(undefined, undefined, undefined, Response.json([]));
    expect((await rig.sync()).counts.inserted).toBeLessThan(700);
    for (let days = 1; days <= 7; days += 1) {
      await rig.time.advance(DAY);
      await rig.sync();
    }
    expect(await rig.items()).toBe(1_200);
  });

  test('a clock that was ahead for one sync puts nothing off for long', async () => {
    const rig = rigOf({ plays: plays(300) });
    await rig.connect();
    const { clock } = rig.time;
    const right = clock.now;
    Object.assign(clock, { now: () => right() + 365 * DAY });
    await rig.sync();
    Object.assign(clock, { now: right });
    await rig.time.advance(HOUR);
    await rig.sync();
    add(rig, 1, 4_000);
    for (let days = 1; days <= 8; days += 1) {
      await rig.time.advance(DAY);
      await rig.sync();
    }
    expect(await rig.items()).toBe(301);
  });

  test('what is new comes with the last days, and nothing else is read again', async () => {
    const rig = rigOf({ plays: plays(300) });
    await rig.connect();
    await rig.sync();
    await rig.time.advance(2 * DAY);
    const before = historyCalls(rig).length;
    add(rig, 1, 0);
    expect(await rig.sync()).toMatchObject({ counts: { inserted: 1 } });
    expect(historyCalls(rig).length - before).toBeLessThan(8);
    expect(startsOf(rig, before)).not.toContain(undefined);
  });

  test('a play of the last days that was taken back tells what changed: nothing else is read', async () => {
    const rig = rigOf({ plays: plays(900) });
    await rig.connect();
    await rig.sync();
    await rig.time.advance(2 * DAY);
    rig.server.plays.splice(5, 1);
    const before = historyCalls(rig).length;
    expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { inserted: 0 } });
    expect(startsOf(rig, before)).not.toContain(undefined);
  });

  test.each([
    ['a film marked as watched on the day of its release', 4_000],
    ['a play of an unknown date', NOW / DAY],
  ])('%s comes with the next sync, if everything was not read within a day', async (_, daysAgo) => {
    const rig = rigOf({ plays: plays(300) });
    await rig.connect();
    await rig.sync();
    await rig.time.advance(2 * DAY);
    add(rig, 1, daysAgo);
    expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { inserted: 1 }, hasMore: false });
    // Everything was read a moment ago.
    await rig.time.advance(HOUR);
    add(rig, 2, daysAgo);
    const before = historyCalls(rig).length;
    expect(await rig.sync()).toMatchObject({ counts: { inserted: 0 } });
    expect(startsOf(rig, before)).not.toContain(undefined);
    // Nobody marks anything any more: it comes all the same.
    await rig.time.advance(DAY);
    expect(await rig.sync()).toMatchObject({ counts: { inserted: 1 } });
    expect(await rig.stored()).toHaveLength(302);
  });

  test('one that hides behind something new comes within a week', async () => {
    const rig = rigOf({ plays: plays(300) });
    await rig.connect();
    await rig.sync();
    await rig.time.advance(2 * DAY);
    add(rig, 1, 0);
    add(rig, 2, 300);
    expect(await rig.sync()).toMatchObject({ counts: { inserted: 1 } });
    for (let days = 3; days < 7; days += 1) {
      await rig.time.advance(DAY);
      expect(await rig.sync()).toMatchObject({ counts: { inserted: 0 } });
    }
    await rig.time.advance(DAY);
    expect(await rig.sync()).toMatchObject({ counts: { inserted: 1 } });
    expect(await rig.stored()).toHaveLength(302);
  });

  test('all of it comes when asked', async () => {
    const rig = rigOf({ plays: plays(300) });
    await rig.connect();
    await rig.sync();
    add(rig, 2, 300);
    expect(await rig.sync({ again: 'everything' })).toMatchObject({ counts: { inserted: 1 } });
  });

  test('with more plays in a week than a position remembers, nobody knows which is new: what hides comes within a week', async () => {
    const rig = rigOf({ plays: plays(1_100, NOW - HOUR) });
    await rig.connect();
    await rig.sync();
    await rig.time.advance(2 * DAY);
    add(rig, 1, 300);
    const before = historyCalls(rig).length;
    expect(await rig.sync()).toMatchObject({ counts: { inserted: 0 } });
    expect(startsOf(rig, before)).not.toContain(undefined);
    await rig.time.advance(5 * DAY);
    expect(await rig.sync()).toMatchObject({ counts: { inserted: 1 } });
  });

  test('users who want only what is new are never asked for more', async () => {
    const rig = rigOf({ plays: plays(300) });
    await rig.connect();
    await rig.time.until(syncHistory(rig.registry, { ...ana, firstSync: 'new' }));
    for (let days = 1; days <= 20; days += 1) {
      await rig.time.advance(DAY);
      add(rig, days, 0);
      expect(await rig.sync()).toMatchObject({ counts: { inserted: 1 } });
    }
    const starts = startsOf(rig, 0).map((start) => Date.parse(start ?? '') || 0);
    expect(Math.min(...starts)).toBeGreaterThan(NOW - HOUR);
    expect(await rig.stored()).toHaveLength(20);
  });

  test('a position that is lost is everything once more, and what is marked later is found as before', async () => {
    const rig = rigOf({ plays: plays(300) });
    const { id } = await rig.connect();
    await rig.sync();
    const { storage } = rig.registry;
    const { readCursors } = storage;
    Object.assign(storage, {
      readCursors: async (...args: Parameters<typeof readCursors>) => {
        const [newest, ...older] = await readCursors(...args);
        return newest === undefined ? [] : ['of a newer release' as typeof newest, ...older];
      },
    });
    expect(await readCursors(id, 'history')).not.toEqual([]);
    const before = historyCalls(rig).length;
    expect(await rig.sync()).toMatchObject({ status: 'complete', counts: { inserted: 0 } });
    expect(startsOf(rig, before)).toContain(undefined);
    Object.assign(storage, { readCursors });
    await rig.time.advance(2 * DAY);
    add(rig, 1, 4_000);
    expect(await rig.sync()).toMatchObject({ counts: { inserted: 1 } });
  });

  test('a walk to the beginning that is cut off goes on', async () => {
    const rig = rigOf({ plays: plays(450), maxLimit: 50 });
    await rig.connect();
    await rig.sync();
    await rig.time.advance(2 * DAY);
    add(rig, 1, 4_000);
    for (let syncs = 0; (await rig.items()) < 451; syncs += 1) {
      expect(syncs).toBeLessThan(12);
      await rig.time.until(syncHistory(rig.registry, { ...ana, maxPages: 2 }));
    }
  });

  test('a walk that was cut off goes on where it was', async () => {
    const rig = rigOf({ plays: plays(600), maxLimit: 100 });
    await rig.connect();
    const cut = await rig.time.until(syncHistory(rig.registry, { ...ana, maxPages: 3 }));
    expect(cut).toMatchObject({ status: 'complete', hasMore: true, pages: 3 });
    const asked = rig.server.calls.length;
    await rig.sync();
    expect(await rig.stored()).toHaveLength(600);
    expect(rig.server.calls[asked]?.query).toHaveProperty('end_at');
  });

  test('rating again changes the rating; what is taken back stays', async () => {
    const rig = rigOf({
      ratings: [
        { at: NOW - DAY, of: 1, rating: 6 },
        { at: NOW - DAY, of: 2, rating: 3 },
      ],
    });
    await rig.connect();
    await rig.syncRated();
    rig.server.ratings.splice(0, 2, { at: NOW, of: 1, rating: 9 });
    expect(await rig.syncRated()).toMatchObject({ counts: { inserted: 0, updated: 1 } });
    const items = await rig.stored();
    expect(items.map(({ contentId, rating }) => [contentId, rating]).sort()).toEqual([
      ['movie:1', 9],
      ['movie:2', 3],
    ]);
  });
});
