import { syncHistory } from '@mca/core';
import { seededRandom } from '@mca/core/testing';
import { beforeAll, expect, test } from 'vitest';
import { ana, type Rig, rigOf } from '../../test/support/trakt-rig.ts';
import { type FakePlay, NOW } from './__fixtures__/server.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const LIVES = process.env.MCA_TEST_FULL === '1' ? 60 : 3;
const STEPS = 15;

// Loaded when first needed: a fake clock would take that for a service that keeps one waiting.
beforeAll(() => Promise.all([import('ky'), import('p-retry')]));

/** An account, and what its owner may do with it. */
function lifeOf(seed: number) {
  const random = seededRandom(seed);
  const below = (count: number): number => Math.floor(random() * count);
  let id = 1_000;
  const play = (at: number): FakePlay => {
    id += 1;
    return { id, at, of: below(30) + 1, type: below(2) === 0 ? 'movie' : 'episode' };
  };
  const long = (): number => NOW - (20 + below(4_000)) * DAY;
  const plays = Array.from({ length: below(60) }, () => play(NOW - below(60 * 24) * HOUR));
  const rig = rigOf({ plays, maxLimit: 5 + below(20), boundsBelong: below(2) === 0 });
  const { server, time } = rig;
  const change = (): void => {
    const now = time.clock.now();
    const add = (at: number) => server.plays.push(play(at));
    const doings = [
      () => add(now - below(5) * HOUR),
      () => add(now - below(15) * DAY),
      () => add(long()),
      () => add(0),
      () => server.plays.splice(below(server.plays.length + 1), 1),
      // A whole season, in one minute.
      () => {
        const at = below(2) === 0 ? now - below(10) * DAY : long();
        for (let episode = 0; episode < 12; episode += 1) add(at);
      },
    ];
    doings[below(doings.length)]?.();
  };
  return { rig, below, change };
}

async function isWhole({ registry, server }: Rig): Promise<boolean> {
  const { id } = (await registry.storage.listConnections({ userId: 'ana' }))[0] ?? {};
  const stored = await registry.storage.queryItems({ userId: 'ana', order: 'oldest', limit: 10_000 });
  const have = new Set(stored.filter(({ connectionId }) => connectionId === id).map((item) => item.externalId));
  return server.plays.every((each) => have.has(`history:${each.id}`));
}

test(`${LIVES} accounts in which people mark, take back and fill in, while syncs are cut and positions lost: all of it comes home within nine days`, async () => {
  let most = 0;
  for (let seed = 1; seed <= LIVES; seed += 1) {
    const { rig, below, change } = lifeOf(seed);
    await rig.connect();
    for (let step = 0; step < STEPS; step += 1) {
      await rig.time.advance((1 + below(30)) * HOUR);
      for (let changes = below(4); changes > 0; changes -= 1) change();
      // The list may lag behind its stamp, and things happen while it is read.
      rig.server.stale = below(6) === 0 ? [...rig.server.plays] : undefined;
      if (rig.server.stale) change();
      const more =
        below(3) === 0 ? { maxPages: 1 + below(3) } : below(12) === 0 ? ({ again: 'everything' } as const) : {};
      const onProgress = () => void (below(5) === 0 && change());
      await rig.time.until(syncHistory(rig.registry, { ...ana, ...more, onProgress }));
      rig.server.stale = undefined;
    }
    let days = 0;
    for (; days < 12 && !(await isWhole(rig)); days += 1) {
      await rig.time.advance(DAY);
      await rig.sync();
    }
    most = Math.max(most, days);
    // Nobody does anything any more: nobody is asked for more than whether it is so.
    await rig.time.advance(8 * DAY);
    await rig.sync();
    await rig.time.advance(HOUR);
    await rig.sync();
    const from = rig.server.calls.length;
    await rig.time.advance(DAY);
    await rig.sync();
    expect(rig.server.calls.slice(from).map(({ path }) => path)).toEqual(['/sync/last_activities']);
  }
  expect(most).toBeLessThanOrEqual(9);
  expect(most).toBeGreaterThan(0);
});
