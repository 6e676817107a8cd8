import type { IncrementalCapability, ItemPage } from '@mca/core/provider-kit';
import { simkl } from '@mca/core/providers/simkl';
import { providerContext } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { CLIENT, type FakeThing, isoOf, NOW, SimklServer, TOKEN } from './__fixtures__/server.ts';

const provider = simkl({ clientId: CLIENT });
const { history, ratings } = provider.capabilities;

function pageOf(capability: IncrementalCapability, server: SimklServer, cursor?: string): Promise<ItemPage> {
  const [strategy] = provider.auth;
  const sign = strategy && 'sign' in strategy ? strategy.sign : undefined;
  const context = providerContext({ provider, fetch: server.fetch, now: NOW, sign, credentials: { token: TOKEN } });
  return capability.fetchPage(context, {
    cursor,
    since: undefined,
    until: undefined,
    highWater: undefined,
    limit: 1_000,
  });
}

/** What one thing becomes. */
const only = (thing: FakeThing, capability: IncrementalCapability = history): Promise<ItemPage> =>
  pageOf(capability, new SimklServer([thing]));

const at = Date.UTC(2026, 2, 1, 20, 15, 7);
const film: FakeThing = { type: 'movies', id: 53_536, changedAt: at, watchedAt: at };
const show: FakeThing = { type: 'shows', id: 583_436, changedAt: at, episodes: [{ season: 2, number: 3, at }] };

describe('what was watched', () => {
  test('a film, whole', async () => {
    expect((await only(film)).items).toEqual([
      {
        platform: 'simkl',
        externalId: `${at / 1_000}:movie:53536`,
        contentId: 'movie:53536',
        type: 'video',
        subtype: 'movie',
        action: 'consumed',
        title: 'Film 53536',
        url: 'https://simkl.com/movies/53536/film-53536',
        consumedAt: new Date(at),
        durationMs: 109 * 60_000,
        tags: [],
        ids: { simkl: '53536', imdb: 'tt1053536', tmdb: '143536' },
        source: 'all-items',
        precision: 'second',
        rawMetadata: { year: 2003 },
      },
    ]);
  });

  test('an episode, whole', async () => {
    expect((await only(show)).items).toEqual([
      {
        platform: 'simkl',
        externalId: `${at / 1_000}:show:583436:s2e3`,
        contentId: 'show:583436:s2e3',
        type: 'video',
        subtype: 'tv_episode',
        action: 'consumed',
        title: 'Episode 3',
        creator: 'Show 583436',
        url: 'https://simkl.com/tv/583436/example-show',
        consumedAt: new Date(at),
        tags: [],
        ids: {},
        source: 'all-items',
        precision: 'second',
        rawMetadata: {
          year: 2017,
          season: 2,
          episode: 3,
          showIds: { simkl: '583436', imdb: 'tt3579018', tmdb: '62417', tvdb: '295779' },
        },
      },
    ]);
  });

  test('anime are told apart from shows; an anime film is a film', async () => {
    const { items } = await only({ ...show, type: 'anime' });
    expect(items).toMatchObject([
      {
        externalId: `${at / 1_000}:anime:583436:s2e3`,
        subtype: 'tv_episode',
        url: 'https://simkl.com/anime/583436',
        rawMetadata: { animeType: 'tv', showIds: { simkl: '583436', mal: '11061', anidb: '8550' } },
      },
    ]);
    const { episodes: _, ...whole } = show;
    const raw = { anime_type: 'movie', last_watched_at: isoOf(at) };
    expect((await only({ ...whole, type: 'anime', raw })).items).toMatchObject([
      { externalId: `${at / 1_000}:anime:583436`, subtype: 'movie', rawMetadata: { mal: '11061' } },
    ]);
    expect((await only({ ...show, type: 'anime', raw })).items).toMatchObject([
      { externalId: `${at / 1_000}:anime:583436:s2e3`, subtype: 'movie', title: 'Show 583436' },
    ]);
  });

  test('ids as texts or numbers, null, empty, absent, or something else', async () => {
    const ids = { simkl: '53536', imdb: '', tmdb: 296, tvdb: null, mal: true, slug: undefined };
    const [item] = (await only({ ...film, raw: { movie: { title: null, year: null, ids } } })).items;
    expect(item).toMatchObject({ externalId: `${at / 1_000}:movie:53536`, title: 'Simkl movie 53536' });
    expect(item?.ids).toEqual({ simkl: '53536', tmdb: '296' });
    expect(item?.url).toBe('https://simkl.com/movies/53536');
    expect(item).not.toHaveProperty('durationMs');
  });

  test('a rewatch is another event: the time is part of the name', async () => {
    const server = new SimklServer([film]);
    const { cursor, items } = await pageOf(history, server);
    server.things.splice(0, 1, { ...film, watchedAt: NOW, changedAt: NOW });
    const again = await pageOf(history, server, cursor);
    expect([...items, ...again.items].map(({ externalId }) => externalId)).toEqual([
      `${at / 1_000}:movie:53536`,
      `${NOW / 1_000}:movie:53536`,
    ]);
  });

  test('a film that is to be watched again was watched', async () => {
    expect((await only({ ...film, status: 'plantowatch' })).items).toHaveLength(1);
  });

  test.each([
    ['its show came to the lists', {}, Date.UTC(2025, 0, 20)],
    ['the first of its show was watched', { added_to_watchlist_at: null }, Date.UTC(2026, 1, 27)],
    ['the first of its show was watched', { added_to_watchlist_at: 7, last_watched_at: null }, Date.UTC(2026, 1, 27)],
  ])('without a date it has the day on which %s, and a name without time: %j', async (_, raw, day) => {
    const episodes = [
      { season: 2, number: 2 },
      { season: 2, number: 3, at },
      { season: 1, number: 9, at: at - 2 * 86_400_000 },
    ];
    expect((await only({ ...show, episodes, raw })).items).toMatchObject([
      {
        externalId: 'show:583436:s2e2',
        consumedAt: new Date(day),
        precision: 'day',
        rawMetadata: { undated: true },
      },
      { externalId: `${at / 1_000}:show:583436:s2e3`, consumedAt: new Date(at), precision: 'second' },
      { externalId: `${at / 1_000 - 172_800}:show:583436:s1e9`, precision: 'second' },
    ]);
  });

  test('a day that cannot be read is a bad record of what has no date of its own, and of nothing else', async () => {
    const episodes = [
      { season: 2, number: 2 },
      { season: 2, number: 3, at },
    ];
    const page = await only({ ...show, episodes, raw: { added_to_watchlist_at: 'yesterday' } });
    expect(page).toMatchObject({ read: 2, items: [{}], rejected: [{ reason: 'invalid_date' }] });
  });

  test.each([
    ['undated', { ...show, episodes: [{ season: 1, number: 1 }] }],
    ['undated', { ...film, watchedAt: undefined }],
    [
      'undated',
      {
        ...show,
        episodes: [{ season: 1, number: 1 }],
        raw: { added_to_watchlist_at: null, last_watched_at: isoOf(at) },
      },
    ],
    ['not_watched', { ...film, watchedAt: undefined, status: 'plantowatch' }],
    ['not_watched', { ...show, episodes: undefined, status: 'plantowatch' }],
    ['no_episodes', { ...show, episodes: undefined }],
    ['no_episodes', { ...show, raw: { seasons: null } }],
    ['no_episodes', { ...show, raw: { seasons: [{ number: 1, episodes: null }] } }],
  ])('%s is left out', async (reason, thing) => {
    expect(await only(thing)).toMatchObject({ read: 1, items: [], skipped: { [reason]: 1 }, rejected: [] });
  });

  test.each([
    ['invalid_date', { last_watched_at: 'yesterday' }],
    ['unexpected_shape', { last_watched_at: 7 }],
    ['no_id', { movie: { title: 'Film', ids: {} } }],
    ['no_id', { movie: null }],
    ['unexpected_shape', { movie: 'Film' }],
  ])('%s: one film is rejected, its neighbours survive', async (reason, raw) => {
    const server = new SimklServer([film, { ...film, id: 1, raw }, { ...film, id: 2 }]);
    const page = await pageOf(history, server);
    expect(page).toMatchObject({ read: 3, rejected: [{ reason }] });
    expect(page.items).toHaveLength(2);
    expect(history.replay(page.rejected[0]?.raw)).toMatchObject({ items: [], rejected: [{ reason }] });
  });

  test.each([
    [{ seasons: 'all' }, 1],
    [{ seasons: [{ number: 1, episodes: [{ number: 1, watched_at: isoOf(at) }, { number: 'two' }, null] }] }, 3],
    [{ seasons: [{ number: null, episodes: [{ number: 1, watched_at: isoOf(at) }] }] }, 1],
  ])('episodes that cannot be read are rejected one by one: %j', async (raw, read) => {
    const page = await only({ ...show, raw });
    expect(page.read).toBe(read);
    expect(page.rejected).toHaveLength(read === 3 ? 2 : 1);
    expect(page.rejected.every(({ reason }) => reason === 'unexpected_shape')).toBe(true);
    expect(page.items).toHaveLength(read === 3 ? 1 : 0);
  });
});

describe('ratings', () => {
  const rating = { value: 8, at };

  test.each([
    ['shows', 'show', 'tv_show', 'https://simkl.com/tv/12/example-show'],
    ['movies', 'movie', 'movie', 'https://simkl.com/movies/12/film-12'],
    ['anime', 'anime', 'tv_show', 'https://simkl.com/anime/12'],
  ] as const)('of %s', async (type, kind, subtype, url) => {
    const { items } = await only({ type, id: 12, changedAt: NOW, rating }, ratings);
    expect(items).toMatchObject([
      { externalId: `rated:${kind}:12`, contentId: `${kind}:12`, action: 'rated', rating: 8, subtype, url },
    ]);
    expect(items).toMatchObject([{ consumedAt: new Date(at), precision: 'second', source: 'ratings' }]);
    expect(items[0]?.durationMs).toBe(type === 'movies' ? 109 * 60_000 : undefined);
    expect(items[0]?.ids.simkl).toBe('12');
  });

  test.each([
    ['not_rated', { user_rating: null }],
    ['undated', { user_rated_at: null }],
  ])('%s is left out', async (reason, raw) => {
    expect(await only({ ...film, rating, raw }, ratings)).toMatchObject({ read: 1, skipped: { [reason]: 1 } });
  });

  test.each([
    ['invalid_date', { user_rated_at: 'yesterday' }],
    ['unexpected_shape', { user_rating: 7.5 }],
    ['unexpected_shape', { user_rating: 0 }],
    ['no_id', { movie: { ids: {} } }],
  ])('%s is rejected', async (reason, raw) => {
    expect(await only({ ...film, rating, raw }, ratings)).toMatchObject({ read: 1, rejected: [{ reason }] });
  });

  test('seasons in a list of ratings do not matter', async () => {
    expect((await only({ ...show, rating, raw: { seasons: 'all' } }, ratings)).items).toHaveLength(1);
  });
});
