import { addConnection, createRegistry, syncHistory } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { simkl } from '@mca/core/providers/simkl';
import { describe, expect, test } from 'vitest';
import { CLIENT, type FakeThing, SimklServer, TOKEN } from './__fixtures__/server.ts';

const DAY = 86_400_000;
const FIRST = Date.UTC(2026, 4, 1, 8, 59);
const CONNECTED = Date.UTC(2026, 4, 1, 12);
const LATER = Date.UTC(2026, 4, 31, 8);

/** An episode with a date, and 49 without. */
const episodes = Array.from({ length: 50 }, (_, index) => ({
  season: 1,
  number: index + 1,
  ...(index === 0 && { at: FIRST }),
}));

/** An account with one show, of which one more episode is watched a month after the first sync. */
async function twoSyncs(added: string | null, firstSync: 'everything' | 'new') {
  const show: FakeThing = {
    type: 'shows',
    id: 583_436,
    changedAt: FIRST,
    episodes,
    raw: { added_to_watchlist_at: added },
  };
  const server = new SimklServer([show]);
  let now = CONNECTED;
  const registry = createRegistry({
    providers: [simkl({ clientId: CLIENT })],
    ...memory(),
    insecurePlaintextForTests: true,
    env: { fetch: server.fetch, clock: { now: () => now } },
  });
  await addConnection(registry, { userId: 'ana', provider: 'simkl', credentials: { accessToken: TOKEN } });
  const sync = async () => {
    const { status, counts } = await syncHistory(registry, { userId: 'ana', provider: 'simkl', firstSync });
    expect(status).toBe('complete');
    return counts;
  };
  const days = async () => {
    const items = await registry.storage.queryItems({ userId: 'ana', order: 'oldest', limit: 1_000 });
    const byDay = Map.groupBy(items, ({ consumedAt }) => consumedAt.toISOString().slice(0, 10));
    return Object.fromEntries([...byDay].map(([day, { length }]) => [day, length]));
  };
  const first = await sync();
  const before = await days();
  now = CONNECTED + 30 * DAY;
  show.episodes = [...episodes, { season: 1, number: 51, at: LATER }];
  show.changedAt = LATER;
  return { first, before, second: await sync(), after: await days() };
}

describe('what was marked without a date, when another episode is watched', () => {
  test.each([
    ['on which the show came to the lists', '2025-01-20T20:09:04Z', { '2025-01-20': 49, '2026-05-01': 1 }],
    ['of the first episode with a date', null, { '2026-05-01': 50 }],
  ])('keeps the day %s', async (_, added, days) => {
    const { first, before, second, after } = await twoSyncs(added, 'everything');
    expect(first).toMatchObject({ inserted: 50, updated: 0 });
    expect(before).toEqual(days);
    expect(second).toMatchObject({ inserted: 1, updated: 0 });
    expect(after).toEqual({ ...days, '2026-05-31': 1 });
  });

  test.each([['2025-01-20T20:09:04Z'], [null]])('is not taken for new (%s)', async (added) => {
    const { before, second, after } = await twoSyncs(added, 'new');
    expect(before).toEqual({});
    expect(second).toMatchObject({ inserted: 1, updated: 0 });
    expect(after).toEqual({ '2026-05-31': 1 });
  });
});
