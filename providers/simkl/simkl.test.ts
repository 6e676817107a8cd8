import type { IncrementalCapability, ItemPage, PageRequest } from '@mca/core/provider-kit';
import { simkl } from '@mca/core/providers/simkl';
import { providerContext } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import {
  CLIENT,
  type FakeThing,
  isoOf,
  NOW,
  rated,
  refusal,
  type ServerOptions,
  SimklServer,
  TOKEN,
  watched,
} from './__fixtures__/server.ts';

const DAY = 86_400_000;
const provider = simkl({ clientId: CLIENT, appName: 'Testing', appVersion: '2.1' });
const { history, ratings, sessionCheck } = provider.capabilities;
const start: PageRequest = {
  cursor: undefined,
  since: undefined,
  until: undefined,
  highWater: undefined,
  limit: 1_000,
};

function contextOf(server: SimklServer, token = TOKEN) {
  const [strategy] = provider.auth;
  const sign = strategy && 'sign' in strategy ? strategy.sign : undefined;
  return providerContext({ provider, fetch: server.fetch, now: NOW, sign, credentials: { account: '51234', token } });
}

async function walk(
  capability: IncrementalCapability,
  server: SimklServer,
  request: Partial<PageRequest> = {},
): Promise<readonly ItemPage[]> {
  const context = contextOf(server);
  const pages: ItemPage[] = [];
  for (let next = { ...start, ...request }; ; next = { ...next, cursor: pages.at(-1)?.cursor }) {
    const page = await capability.fetchPage(context, next);
    pages.push(page);
    if (!page.hasMore) return pages;
    expect(pages.length).toBeLessThan(10);
  }
}

const idsOf = (pages: readonly ItemPage[]): string[] =>
  pages.flatMap(({ items }) => items.map(({ externalId }) => externalId));
const linesOf = (server: SimklServer): string[] => server.calls.map(({ line }) => line);

const activitiesRequest = new Request(
  `https://api.simkl.com/sync/activities?client_id=${CLIENT}&app-name=a&app-version=1`,
  {
    headers: { authorization: `Bearer ${TOKEN}`, 'user-agent': 'testing/1' },
  },
);
const at = Date.UTC(2026, 2, 1, 20, 15, 7);
const film: FakeThing = { type: 'movies', id: 53_536, changedAt: at, watchedAt: at };
const show: FakeThing = { type: 'shows', id: 583_436, changedAt: at, episodes: [{ season: 2, number: 3, at }] };

test.each([
  ['GET', {}],
  ['POST', { isOld: true }],
] as [string, ServerOptions][])('every request says who asks, in both forms: %s', async (method, options) => {
  const server = new SimklServer(rated(3), options);
  await walk(history, server);
  await walk(ratings, server);
  await sessionCheck.check(contextOf(server));
  const answered = server.calls.filter(({ status }) => status === 200);
  expect(new Set(answered.map(({ line }) => line))).toEqual(
    new Set([
      `${method} /sync/activities`,
      ...['shows', 'movies', 'anime'].flatMap((type) => [
        `GET /sync/all-items/${type}`,
        `${method} /sync/ratings/${type}`,
      ]),
      `${method} /users/settings`,
    ]),
  );
  for (const { query, headers } of server.calls) {
    expect(query).toMatchObject({ client_id: CLIENT, 'app-name': 'testing', 'app-version': '2.1' });
    expect(headers).toMatchObject({
      'user-agent': 'testing/2.1',
      'simkl-api-key': CLIENT,
      'content-type': 'application/json',
      authorization: `Bearer ${TOKEN}`,
    });
  }
});

describe('reads that were documented as POST', () => {
  test('are asked again after an outage, as reads are', async () => {
    const server = new SimklServer(watched(3), { isOld: true });
    server.failures.push(refusal(405, 'method'), refusal(502, 'away'));
    expect(await sessionCheck.check(contextOf(server))).toMatchObject({ valid: true });
    expect(linesOf(server)).toEqual(['GET', 'POST', 'POST'].map((method) => `${method} /users/settings`));
  });

  test('all others are asked by GET alone', async () => {
    const server = new SimklServer(watched(3));
    server.failures.push(undefined, refusal(404, 'url_failed'));
    await expect(walk(history, server)).rejects.toMatchObject({ code: 'not_found', reason: 'unknown_address' });
    expect(linesOf(server)).toEqual(['GET /sync/activities', 'GET /sync/all-items/shows']);
  });
});

describe('what changed decides what is asked', () => {
  test('first activities, then each type once, without an instant', async () => {
    const server = new SimklServer(watched(6));
    await walk(history, server);
    expect(linesOf(server)).toEqual([
      'GET /sync/activities',
      'GET /sync/all-items/shows',
      'GET /sync/all-items/movies',
      'GET /sync/all-items/anime',
    ]);
    for (const { query } of server.callsTo('GET /sync/all-items/shows')) {
      expect(query).toMatchObject({ extended: 'full', episode_watched_at: 'yes' });
      expect(query).not.toHaveProperty('date_from');
    }
  });

  test.each([
    ['history', history],
    ['ratings', ratings],
  ] as const)('nothing changed: exactly one request, of %s', async (_, capability) => {
    const server = new SimklServer(rated(6));
    const cursor = (await walk(capability, server)).at(-1)?.cursor;
    server.calls.length = 0;
    const pages = await walk(capability, server, { cursor, since: NOW - DAY, highWater: NOW });
    expect(linesOf(server)).toEqual(['GET /sync/activities']);
    expect(pages).toMatchObject([{ read: 0, items: [], hasMore: false, cursor }]);
  });

  test('one type changed: it alone is asked for, since what the service said last time', async () => {
    const server = new SimklServer(watched(6));
    const before = isoOf(Math.max(...server.things.map(({ changedAt }) => changedAt)));
    const cursor = (await walk(history, server)).at(-1)?.cursor;
    server.calls.length = 0;
    // Watched long ago, and marked only now.
    server.things.push({ ...film, changedAt: NOW });
    const pages = await walk(history, server, { cursor, highWater: NOW });
    expect(linesOf(server)).toEqual(['GET /sync/activities', 'GET /sync/all-items/movies']);
    expect(server.calls[1]?.query.date_from).toBe(before);
    expect(idsOf(pages)).toEqual([`${at / 1_000}:movie:53536`]);
    const third = await walk(history, server, { cursor: pages.at(-1)?.cursor, highWater: NOW });
    expect(idsOf(third)).toEqual([]);
    expect(server.calls).toHaveLength(3);
  });

  test('ratings are asked for when ratings changed, and not when something was watched', async () => {
    const server = new SimklServer(rated(6));
    const cursor = (await walk(ratings, server)).at(-1)?.cursor;
    server.calls.length = 0;
    server.things.push({ ...film, changedAt: NOW });
    await walk(ratings, server, { cursor, highWater: NOW });
    expect(linesOf(server)).toEqual(['GET /sync/activities']);
    server.things.push({ ...show, changedAt: NOW + 1_000, rating: { value: 7, at: NOW + 1_000 } });
    const pages = await walk(ratings, server, { cursor, highWater: NOW });
    expect(linesOf(server).slice(1)).toEqual(['GET /sync/activities', 'GET /sync/ratings/shows']);
    expect(server.calls.at(-1)?.query).toHaveProperty('date_from');
    expect(idsOf(pages)).toEqual(['rated:show:583436']);
  });

  test('what changes while a walk is under way comes with the next', async () => {
    const server = new SimklServer(watched(6));
    const first = await history.fetchPage(contextOf(server), start);
    server.things.push({ ...show, changedAt: NOW });
    const rest = await walk(history, server, { cursor: first.cursor });
    expect(idsOf(rest).join()).not.toContain('583436');
    const next = await walk(history, server, { cursor: rest.at(-1)?.cursor, highWater: NOW });
    expect(idsOf(next)).toEqual([`${at / 1_000}:show:583436:s2e3`]);
  });

  test('an account without anything is asked for nothing more, and in full once it has something', async () => {
    const server = new SimklServer();
    const [page] = await walk(history, server);
    expect(linesOf(server)).toEqual(['GET /sync/activities']);
    server.things.push(film);
    expect(idsOf(await walk(history, server, { cursor: page?.cursor }))).toHaveLength(1);
    expect(server.calls.at(-1)?.query).not.toHaveProperty('date_from');
  });

  test('where stamps of a type are missing, it is asked for whenever anything changed', async () => {
    const server = new SimklServer([film], { withoutStamps: true });
    const cursor = (await walk(history, server)).at(-1)?.cursor;
    expect(
      linesOf(server)
        .slice(1)
        .map((line) => line.split('/').at(-1)),
    ).toEqual(['shows', 'movies', 'anime']);
    server.calls.length = 0;
    await walk(history, server, { cursor });
    expect(linesOf(server)).toEqual(['GET /sync/activities']);
    server.things.push({ ...film, id: 8, changedAt: NOW });
    await walk(history, server, { cursor });
    expect(
      linesOf(server)
        .slice(2)
        .map((line) => line.split('/').at(-1)),
    ).toEqual(['shows', 'movies', 'anime']);
  });

  test.each([
    '',
    '{}',
    'null',
    '{"to":{},"left":["books"]}',
    '{"to":{"all":7},"left":[]}',
    '{"to":{},"left":[],"x":1}',
  ])('%o is no position', async (cursor) => {
    const asked = history.fetchPage(contextOf(new SimklServer()), { ...start, cursor });
    await expect(asked).rejects.toMatchObject({ code: 'invalid_data', reason: 'cursor_invalid' });
  });
});

describe('removed_from_list', () => {
  const presentOf = (pages: readonly ItemPage[]) => pages.flatMap(({ present = [] }) => present);
  const removalsOf = (server: SimklServer) =>
    server.calls.filter(({ query }) => query.extended === 'simkl_ids_only').map(({ line }) => line);

  /** An account after its first sync, with nothing asked yet. */
  async function synced(capability: IncrementalCapability, options?: ServerOptions) {
    const server = new SimklServer(rated(9), options);
    const pages = await walk(capability, server);
    server.calls.length = 0;
    return { server, pages, cursor: pages.at(-1)?.cursor };
  }

  test.each([
    ['history', history, 'all-items'],
    ['ratings', ratings, 'ratings'],
  ] as const)('whole lists of %s say what is there, without another request', async (_, capability, source) => {
    const { pages } = await synced(capability);
    expect(presentOf(pages)).toEqual([
      { source, prefix: 'show:', contentIds: ['show:1000', 'show:1003', 'show:1006'] },
      { source, prefix: 'movie:', contentIds: ['movie:1001', 'movie:1004', 'movie:1007'] },
      { source, prefix: 'anime:', contentIds: ['anime:1002', 'anime:1005', 'anime:1008'] },
    ]);
  });

  test.each([
    ['history', history, 'all-items'],
    ['ratings', ratings, 'ratings'],
  ] as const)('its stamp moved: the ids of that type are asked for, once, in %s', async (_, capability, source) => {
    const { server, cursor } = await synced(capability);
    const [, film] = server.things as [FakeThing, FakeThing];
    server.remove(film, NOW);
    const pages = await walk(capability, server, { cursor, highWater: NOW });
    expect(presentOf(pages)).toEqual([{ source, prefix: 'movie:', contentIds: ['movie:1004', 'movie:1007'] }]);
    expect(idsOf(pages)).toEqual([]);
    // After what changed: what is stored by then is no newer than the list.
    expect(server.calls.at(-1)).toMatchObject({ line: 'GET /sync/all-items/movies' });
    expect(removalsOf(server)).toEqual(['GET /sync/all-items/movies']);
    expect(server.calls.at(-1)?.query).not.toHaveProperty('date_from');
    server.calls.length = 0;
    expect(presentOf(await walk(capability, server, { cursor: pages.at(-1)?.cursor }))).toEqual([]);
    expect(linesOf(server)).toEqual(['GET /sync/activities']);
  });

  test('what only changed asks for no ids, and tells of no list', async () => {
    const { server, cursor } = await synced(history);
    server.things.push({ ...film, changedAt: NOW });
    expect(presentOf(await walk(history, server, { cursor }))).toEqual([]);
    expect(removalsOf(server)).toEqual([]);
  });

  test('the last one of its type: `null`, and nothing is there', async () => {
    const server = new SimklServer([film, show]);
    const cursor = (await walk(history, server)).at(-1)?.cursor;
    server.remove(film, NOW);
    const empty = { source: 'all-items', prefix: 'movie:', contentIds: [] };
    expect(presentOf(await walk(history, server, { cursor }))).toEqual([empty]);
  });

  test('killed before the list of ids was told, it is asked for again', async () => {
    const { server, cursor } = await synced(history);
    server.remove(server.things[1] as FakeThing, NOW);
    const first = await history.fetchPage(contextOf(server), { ...start, cursor });
    expect(first).toMatchObject({ hasMore: true });
    server.failures.push(refusal(403, 'key_failed'));
    await expect(walk(history, server, { cursor: first.cursor })).rejects.toMatchObject({ code: 'permission_denied' });
    expect(presentOf(await walk(history, server, { cursor: first.cursor }))).toHaveLength(1);
  });

  test('a position of before it was kept asks once', async () => {
    const server = new SimklServer(watched(3));
    server.removedAt.shows = NOW - DAY;
    const { all } = (await (await server.answer(activitiesRequest)).json()) as { all: string };
    const cursor = JSON.stringify({ to: { all, shows: all, movies: all, anime: all }, left: [] });
    expect(presentOf(await walk(history, server, { cursor }))).toHaveLength(1);
  });

  test.each([
    ['in a show', { show: { ids: { simkl: '12' } } }, ['show:12']],
    ['in an anime', { show: undefined, anime: { ids: { simkl: 12 } } }, ['show:12']],
    ['by itself', { show: undefined, ids: { simkl: 12 } }, ['show:12']],
  ])('ids are read %s', async (_, raw, contentIds) => {
    const server = new SimklServer([show, film]);
    const cursor = (await walk(history, server)).at(-1)?.cursor;
    server.things.push({ ...show, id: 7, raw });
    server.remove(show, NOW);
    const [present] = presentOf(await walk(history, server, { cursor }));
    expect(present).toEqual({ source: 'all-items', prefix: 'show:', contentIds });
  });

  test.each([
    ['no id', { show: { ids: {} } }],
    ['an id that is none', { show: { ids: { simkl: 'example-show' } } }],
    ['an unknown shape', { show: 'Show' }],
  ])('an entry with %s would pass for removed: it is a bad record, and nothing is said', async (_, raw) => {
    const server = new SimklServer([show, film]);
    const cursor = (await walk(history, server)).at(-1)?.cursor;
    server.things.push({ ...show, id: 7, changedAt: 0, raw }, { ...show, id: 8, changedAt: 0, raw });
    server.remove(show, NOW);
    const pages = await walk(history, server, { cursor });
    expect(presentOf(pages)).toEqual([]);
    expect(pages.at(-1)).toMatchObject({ read: 1, rejected: [{}], hasMore: false });
    const whole = await walk(history, server);
    expect(presentOf(whole).map(({ prefix }) => prefix)).toEqual(['movie:']);
  });

  test('an answer that does not tell of the type at all is a bad record, too', async () => {
    const { server, cursor } = await synced(history);
    server.remove(server.things[1] as FakeThing, NOW);
    server.failures.push(undefined, undefined, Response.json({ shows: [] }));
    const pages = await walk(history, server, { cursor });
    expect(presentOf(pages)).toEqual([]);
    expect(pages.at(-1)).toMatchObject({ read: 1, rejected: [{ reason: 'unexpected_shape' }] });
  });
});

describe('412', () => {
  const used = () => refusal(412, 'client_id_failed');

  test('at first the client id is wrong', async () => {
    const server = new SimklServer();
    server.failures.push(used());
    const fresh = history.fetchPage(contextOf(server), start);
    await expect(fresh).rejects.toMatchObject({ code: 'permission_denied', reason: 'client_id_failed' });
    server.failures.push(used());
    await expect(sessionCheck.check(contextOf(server))).rejects.toMatchObject({ code: 'permission_denied' });
  });

  test.each([
    ['in the middle of a walk', [undefined, used()], {}],
    ['after a walk', [used()], { cursor: '{"to":{"all":null},"left":[]}' }],
    ['after something was stored', [used()], { highWater: NOW }],
    ['of a read that was POST', [refusal(405, 'method'), used()], { highWater: NOW }],
  ])('%s requests are used up', async (_, failures, request) => {
    const server = new SimklServer(watched(3));
    server.failures.push(...failures);
    const asked = history.fetchPage(contextOf(server), { ...start, ...request });
    const expected = { code: 'rate_limit', reason: 'quota_used_up', retryAfterMs: 3_600_000 };
    await expect(asked).rejects.toMatchObject(expected);
    expect(server.calls).toHaveLength(failures.length);
  });
});

describe('session check', () => {
  test('names the account by its number; a bad token is no', async () => {
    const yes = { valid: true, account: '51234', label: 'Ana' };
    expect(await sessionCheck.check(contextOf(new SimklServer()))).toEqual(yes);
    expect(await sessionCheck.check(contextOf(new SimklServer(), 'revoked'))).toEqual({ valid: false });
  });

  test('without a name the number is shown; trouble is no answer', async () => {
    const server = new SimklServer();
    server.failures.push(Response.json({ account: { id: '7' } }), refusal(403, 'key_failed'));
    expect(await sessionCheck.check(contextOf(server))).toEqual({ valid: true, account: '7', label: '7' });
    await expect(sessionCheck.check(contextOf(server))).rejects.toMatchObject({ code: 'permission_denied' });
  });
});
