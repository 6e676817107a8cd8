import type { IncrementalCapability, ItemPage, PageRequest } from '@mca/core/provider-kit';
import { trakt } from '@mca/core/providers/trakt';
import { providerContext } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import {
  AGENT,
  CLIENT,
  minuteOf,
  NOW,
  plays,
  rated,
  refusal,
  type ServerOptions,
  TOKEN,
  TraktServer,
  USER,
} from './__fixtures__/server.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const provider = trakt({ clientId: CLIENT, userAgent: AGENT });
const { history, ratings, sessionCheck } = provider.capabilities;
const start: PageRequest = {
  cursor: undefined,
  since: undefined,
  until: undefined,
  highWater: undefined,
  limit: 1_000,
};

function contextOf(server: TraktServer, token = TOKEN) {
  const [strategy] = provider.auth;
  const sign = strategy && 'sign' in strategy ? strategy.sign : undefined;
  return providerContext({ provider, fetch: server.fetch, now: NOW, sign, credentials: { account: USER.uuid, token } });
}

async function walk(
  capability: IncrementalCapability,
  server: TraktServer,
  request: Partial<PageRequest> = {},
  betweenPages: (page: number) => void = () => {},
): Promise<readonly ItemPage[]> {
  const context = contextOf(server);
  const pages: ItemPage[] = [];
  for (let cursor: string | undefined; ; cursor = pages.at(-1)?.cursor) {
    const page = await capability.fetchPage(context, { ...start, ...request, cursor });
    pages.push(page);
    if (!page.hasMore) return pages;
    expect(pages.length).toBeLessThan(200);
    betweenPages(pages.length);
  }
}

const idsOf = (pages: readonly ItemPage[]): string[] => [
  ...new Set(pages.flatMap(({ items }) => items.map(({ externalId }) => externalId))),
];
const historyOf = ({ calls }: TraktServer) => calls.filter(({ path }) => path === '/sync/history');
const serving = (options: ServerOptions): TraktServer => new TraktServer(options);

/** The only item of an account with one play or rating. */
async function only(capability: IncrementalCapability, options: ServerOptions) {
  const [page] = await walk(capability, serving(options));
  return page?.items[0];
}

test('every request says who asks, in which version, and in which form', async () => {
  const server = serving({ plays: plays(3) });
  await walk(history, server);
  for (const { headers } of server.calls) {
    expect(headers).toMatchObject({
      'trakt-api-version': '2',
      'trakt-api-key': CLIENT,
      'content-type': 'application/json',
      'user-agent': AGENT,
      authorization: `Bearer ${TOKEN}`,
    });
  }
});

describe.each([true, false])('a walk through the history, bounds that belong: %s', (boundsBelong) => {
  test('pages that are cut silently lose nothing', async () => {
    for (const maxLimit of [100, 250, 7, 1]) {
      const server = serving({ plays: plays(maxLimit === 1 ? 9 : 120), maxLimit, boundsBelong });
      expect(idsOf(await walk(history, server))).toHaveLength(server.plays.length);
      expect(new Set(historyOf(server).map(({ query }) => query.limit))).toEqual(new Set(['250']));
    }
  });

  test('what is added or taken away in the middle of a walk shifts nothing', async () => {
    const server = serving({ plays: plays(100), boundsBelong });
    const first = new Set(server.plays);
    const pages = await walk(history, server, { limit: 10 }, (page) => {
      if (page === 3) server.plays.splice(0, 15);
      if (page === 5) server.plays.push(...plays(30, NOW).map((play) => ({ ...play, id: play.id + 50_000 })));
      if (page === 6) server.plays.splice(40, 2);
    });
    const given = new Set(idsOf(pages));
    for (const play of server.plays) if (first.has(play)) expect(given).toContain(`history:${play.id}`);
  });

  test('a whole show marked in one minute is more than a page', async () => {
    const at = NOW - 40 * DAY;
    const marked = Array.from({ length: 95 }, (_, index) => ({ id: 100 + index, at, of: index + 1 }));
    const around = [...plays(12), ...plays(12, NOW - 50 * DAY).map((play) => ({ ...play, id: play.id - 5_000 }))];
    for (const maxLimit of [10, 95, 96]) {
      const server = serving({ plays: [...marked, ...around], maxLimit, boundsBelong });
      expect(idsOf(await walk(history, server))).toHaveLength(95 + 24);
    }
  });

  test('following reads from a minute before', async () => {
    const server = serving({ plays: plays(30), boundsBelong });
    const since = server.plays[9]?.at ?? 0;
    const pages = await walk(history, server, { since });
    expect(idsOf(pages)).toEqual(expect.arrayContaining(server.plays.slice(0, 10).map(({ id }) => `history:${id}`)));
    expect(idsOf(pages)).toHaveLength(10);
    expect(new Set(historyOf(server).map(({ query }) => query.start_at))).toEqual(
      new Set([new Date(since - MINUTE).toISOString()]),
    );
  });

  test('up to an instant', async () => {
    const server = serving({ plays: plays(30), boundsBelong });
    const until = (server.plays[20]?.at ?? 0) + 30_000;
    const given = idsOf(await walk(history, server, { until }));
    expect(given).toEqual(expect.arrayContaining(server.plays.slice(20).map(({ id }) => `history:${id}`)));
    expect(given.length).toBeLessThan(12);
  });
});

describe('plays', () => {
  const at = Date.UTC(2026, 2, 1, 20, 15);

  test('an episode, whole', async () => {
    expect(await only(history, { plays: [{ id: 1_982_346, at: at + 34_567, of: 251 }] })).toEqual({
      platform: 'trakt',
      externalId: 'history:1982346',
      contentId: 'episode:251',
      type: 'video',
      subtype: 'tv_episode',
      action: 'consumed',
      title: 'Part 251',
      creator: 'Example Show',
      consumedAt: new Date(at),
      tags: [],
      url: 'https://trakt.tv/shows/example-show/seasons/2/episodes/251',
      ids: { trakt: '251', tvdb: '700251', tmdb: '300251' },
      source: 'history',
      precision: 'minute',
      rawMetadata: {
        year: 2009,
        season: 2,
        episode: 251,
        showIds: { trakt: '4', tvdb: '84912', imdb: 'tt1266020', tmdb: '8592' },
        action: 'scrobble',
      },
    });
  });

  test('a film, whole', async () => {
    expect(await only(history, { plays: [{ id: 7, at, of: 12, type: 'movie', action: 'checkin' }] })).toMatchObject({
      externalId: 'history:7',
      contentId: 'movie:12',
      subtype: 'movie',
      title: 'Film 12',
      url: 'https://trakt.tv/movies/film-12',
      ids: { trakt: '12', imdb: 'tt1000012', tmdb: '90012' },
      rawMetadata: { year: 2003, action: 'checkin' },
    });
  });

  test('one episode seen twice is two plays, also within one minute', async () => {
    const twice = [at, at + 20_000, at + 3 * DAY].map((each, index) => ({ id: index + 1, at: each, of: 251 }));
    const pages = await walk(history, serving({ plays: twice }));
    expect(idsOf(pages).sort()).toEqual(['history:1', 'history:2', 'history:3']);
    expect(new Set(pages.flatMap(({ items }) => items.map(({ contentId }) => contentId))).size).toBe(1);
  });

  test('ids and texts may be null, empty, absent, or something new', async () => {
    const ids = { trakt: 251, tvdb: null, imdb: '', tvrage: 3, plex: { guid: 'x' }, tmdb: 'none' };
    const raw = {
      episode: { season: 1, number: 3, title: null, ids },
      show: { title: 'Low Water', year: null, ids: {} },
    };
    const item = await only(history, { plays: [{ id: 1, at, of: 1, raw: { ...raw, action: undefined } }] });
    expect(item).toMatchObject({ title: 'Episode 3', creator: 'Low Water', ids: { trakt: '251' } });
    expect(item?.url).toBeUndefined();
    expect(item?.ids).toEqual({ trakt: '251' });
    expect(item?.rawMetadata).toEqual({ season: 1, episode: 3, showIds: {} });
    const nameless = { movie: { title: '', year: null, ids: { trakt: 12, slug: null } } };
    expect(await only(history, { plays: [{ id: 1, at, of: 1, type: 'movie', raw: nameless }] })).toMatchObject({
      title: 'Trakt movie 12',
      contentId: 'movie:12',
    });
  });

  test('what the catalogue has lost is skipped', async () => {
    const lost = [{ episode: null }, { episode: undefined, show: undefined }, { episode: { ids: {} } }];
    const server = serving({ plays: [...plays(1), ...lost.map((raw, index) => ({ id: index + 1, at, of: 1, raw }))] });
    expect((await walk(history, server))[0]).toMatchObject({ read: 4, skipped: { no_content: 3 }, rejected: [] });
  });

  test('a play of an unknown date stands on the first of January 1970, or is left out', async () => {
    const undated = [{ id: 1, at: 0, of: 1 }, { id: 2, at, of: 2, raw: { watched_at: null } }, ...plays(1)];
    const [page] = await walk(history, serving({ plays: undated }));
    const epoch = { consumedAt: new Date(0), precision: 'day', rawMetadata: { undated: true } };
    expect(page?.items).toMatchObject([{ precision: 'minute' }, epoch, epoch]);
    const { capabilities } = trakt({ clientId: CLIENT, userAgent: AGENT, skip: { undated: true } });
    const [without] = await walk(capabilities.history, serving({ plays: undated }));
    expect(without).toMatchObject({ read: 3, skipped: { undated: 2 }, items: [{ precision: 'minute' }] });
  });

  test.each([
    ['invalid_date', { watched_at: 'yesterday' }],
    ['unexpected_type', { type: 'concert' }],
    ['unexpected_shape', { id: 2 ** 60 }],
    ['unexpected_shape', { id: null }],
  ])('a record that cannot be read is rejected as %s, and its neighbours survive', async (reason, raw) => {
    const [page] = await walk(history, serving({ plays: [...plays(2), { id: 1, at, of: 1, raw }] }));
    expect(page).toMatchObject({ read: 3, rejected: [{ reason }] });
    expect(page?.items).toHaveLength(2);
  });

  test('a page of bad records only is no end, and no standstill', async () => {
    const bad = plays(10, NOW).map((play) => ({ ...play, id: play.id + 100, raw: { watched_at: 'yesterday' } }));
    const pages = await walk(history, serving({ plays: [...bad, ...plays(15)] }), { limit: 10 });
    expect(idsOf(pages)).toHaveLength(15);
  });

  test('a service that never comes to an end is an error', async () => {
    const [{ cursor = '' } = {}] = await walk(history, serving({ plays: plays(1) }));
    const far = cursor.replace('"page":1', '"page":1001');
    expect(far).not.toBe(cursor);
    const asked = history.fetchPage(contextOf(serving({ plays: plays(1) })), { ...start, cursor: far });
    await expect(asked).rejects.toMatchObject({ code: 'upstream', reason: 'endless_list' });
  });

  test.each([
    ...['', 'x', '1', ':1', '[]', 'null', '{"walk":{}}', '{"kept":{"stamps":{},"fullAt":"now"}}', '{"more":1}'],
    '{"kept":{"stamps":{},"fullAt":9999999999999999}}',
    '{"kept":{"stamps":{},"fullAt":0,"recent":{"from":0,"ids":["x"]}}}',
  ])("'%s' is no position", async (cursor) => {
    const asked = history.fetchPage(contextOf(serving({})), { ...start, cursor });
    await expect(asked).rejects.toMatchObject({ code: 'invalid_data', reason: 'cursor_invalid' });
  });
});

describe('ratings', () => {
  const at = Date.UTC(2026, 2, 1, 20, 15);

  test.each([
    ['movie', 'movie', 'Film 12', undefined, 'https://trakt.tv/movies/film-12'],
    ['show', 'tv_show', 'Example Show', undefined, 'https://trakt.tv/shows/example-show'],
    ['season', 'tv_season', 'Season 2', 'Example Show', 'https://trakt.tv/shows/example-show/seasons/2'],
    ['episode', 'tv_episode', 'Part 12', 'Example Show', 'https://trakt.tv/shows/example-show/seasons/2/episodes/12'],
  ] as const)('of a %s', async (type, subtype, title, creator, url) => {
    expect(await only(ratings, { ratings: [{ at, of: 12, rating: 8, type }] })).toMatchObject({
      externalId: `rated:${type}:12`,
      contentId: `${type}:12`,
      action: 'rated',
      rating: 8,
      subtype,
      title,
      url,
      ...(creator && { creator }),
      consumedAt: new Date(minuteOf(at)),
      precision: 'minute',
      source: 'ratings',
    });
  });

  test('every walk reads all of them, page by page', async () => {
    const server = serving({ ratings: rated(35), maxLimit: 10 });
    expect(idsOf(await walk(ratings, server, { since: NOW, highWater: NOW }))).toHaveLength(35);
    const pages = server.calls.filter(({ path }) => path === '/sync/ratings');
    expect(pages.map(({ query }) => query)).toEqual(['1', '2', '3', '4', '5'].map((page) => ({ page, limit: '250' })));
  });

  test('a walk tells what there is, over all pages', async () => {
    const types = (['movie', 'show', 'season', 'episode'] as const).map((type) => ({ at, of: 7, rating: 5, type }));
    const pages = await walk(ratings, serving({ ratings: [...types, ...rated(3)], maxLimit: 2 }));
    expect(pages.slice(0, -1).every(({ present }) => present === undefined)).toBe(true);
    const contentIds = ['movie:7', 'show:7', 'season:7', 'episode:7', 'movie:1', 'movie:2', 'movie:3'];
    expect(pages.at(-1)?.present).toEqual([{ source: 'ratings', contentIds }]);
    expect((await walk(ratings, serving({})))[0]?.present).toEqual([{ source: 'ratings', contentIds: [] }]);
  });

  test('what moved during a walk, or has no id, is not taken for removed', async () => {
    const server = serving({ ratings: rated(35), maxLimit: 10 });
    const moved = await walk(ratings, server, {}, (page) => {
      if (page === 1) server.changedAt += server.ratings.splice(0, 1).length;
    });
    // The one behind the first page slipped past.
    expect(idsOf(moved)).toHaveLength(34);
    expect(moved.at(-1)?.present).toBeUndefined();
    const lost = [...rated(2), { at, of: 9, rating: 1, raw: { movie: null } }];
    expect((await walk(ratings, serving({ ratings: lost }))).at(-1)?.present).toBeUndefined();
  });

  test('a rating that is parked is still there', async () => {
    const bad = [...rated(2), { at, of: 9, rating: 1, raw: { rated_at: null } }];
    const [last] = (await walk(ratings, serving({ ratings: bad }))).at(-1)?.present ?? [];
    expect(last?.contentIds).toEqual(['movie:1', 'movie:2', 'movie:9']);
  });

  test.each(['x', '2:', '2:5', '2:x:m1', '2:5:x1', '2:5:m1,', '0:5:m1'])('"%s" is no position', async (cursor) => {
    const asked = ratings.fetchPage(contextOf(serving({})), { ...start, cursor });
    await expect(asked).rejects.toMatchObject({ code: 'invalid_data', reason: 'cursor_invalid' });
  });

  test.each([
    ['no_id', { movie: { title: 'Film', ids: {} } }],
    ['invalid_date', { rated_at: null }],
    ['unexpected_shape', { rating: 0 }],
    ['unexpected_shape', { rating: 7.5 }],
  ])('a rating that cannot be read is rejected as %s', async (reason, raw) => {
    const [page] = await walk(ratings, serving({ ratings: [...rated(2), { at, of: 9, rating: 1, raw }] }));
    expect(page).toMatchObject({ read: 3, rejected: [{ reason }] });
  });
});

describe('session check', () => {
  test('names the account by what never changes; a bad token is no', async () => {
    const yes = { valid: true, account: USER.uuid, label: USER.username };
    expect(await sessionCheck.check(contextOf(serving({})))).toEqual(yes);
    expect(await sessionCheck.check(contextOf(serving({}), 'revoked'))).toEqual({ valid: false });
  });

  test('without uuid the slug names it; trouble is no answer', async () => {
    const server = serving({});
    server.failures.push(Response.json({ user: { username: null, ids: { slug: 'ana' } } }));
    expect(await sessionCheck.check(contextOf(server))).toEqual({ valid: true, account: 'ana', label: 'ana' });
    server.failures.push(refusal(423));
    const asked = sessionCheck.check(contextOf(server));
    await expect(asked).rejects.toMatchObject({ code: 'permission_denied', reason: 'account_locked' });
  });
});
