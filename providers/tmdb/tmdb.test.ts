import { inspect } from 'node:util';
import type { McaEvent } from '@mca/core';
import { tmdb } from '@mca/core/providers/tmdb';
import { providerContext } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { KEY, NOW, page, READ_TOKEN, refusal, TmdbServer } from './__fixtures__/server.ts';

function contextOf(server: TmdbServer, provider = tmdb({ apiKey: KEY }), apiKey = KEY, events: McaEvent[] = []) {
  const [strategy] = provider.auth;
  const sign = strategy && 'sign' in strategy ? strategy.sign : undefined;
  const onEvent = (event: McaEvent) => void events.push(event);
  return providerContext({
    provider,
    fetch: server.fetch,
    now: NOW,
    sign,
    credentials: { fields: { apiKey } },
    onEvent,
  });
}

const { catalog } = tmdb({ apiKey: KEY }).capabilities;
const pathsOf = ({ calls }: TmdbServer): string[] => calls.map(({ path }) => path);

describe('what proves who asks', () => {
  test.each([
    ['key', KEY, { api_key: KEY }, null],
    ['key in capitals and blanks', ` ${KEY.toUpperCase()}\n`, { api_key: KEY.toUpperCase() }, null],
    ['token', READ_TOKEN, {}, `Bearer ${READ_TOKEN}`],
    ['token with blanks', ` ${READ_TOKEN} `, {}, `Bearer ${READ_TOKEN}`],
  ])('a %s', async (_, apiKey, inAddress, inHeader) => {
    for (const provider of [tmdb({ apiKey }), tmdb()]) {
      const server = new TmdbServer();
      server.failures.push(Response.json({ success: true }));
      await provider.capabilities.sessionCheck.check(contextOf(server, provider, apiKey));
      const [call] = server.calls;
      expect(call).toMatchObject({ path: 'authentication', query: inAddress, authorization: inHeader });
      expect(Object.keys(call?.query ?? {})).toHaveLength(Object.keys(inAddress).length);
      expect(call?.accept).toBe('application/json');
    }
  });

  test.each(['', 'secret', KEY.slice(1), `${KEY}0`, 'eyJ', 'eyJ with blanks', 'g'.repeat(32)])(
    'neither: %o',
    async (apiKey) => {
      expect(() => tmdb({ apiKey })).toThrowError(
        expect.objectContaining({ code: 'configuration', reason: 'malformed_key', hint: expect.any(String) }),
      );
      const server = new TmdbServer();
      const asked = tmdb().capabilities.sessionCheck.check(contextOf(server, tmdb(), apiKey));
      await expect(asked).rejects.toMatchObject({ code: 'invalid_data', reason: 'malformed_key' });
      expect(server.calls).toEqual([]);
    },
  );

  test('a key that may be missing does not compile, and is refused where nobody compiles', () => {
    const missing: string | undefined = undefined;
    // @ts-expect-error a variable that is not set must not turn into a form for users
    expect(() => tmdb({ apiKey: missing })).toThrowError(expect.objectContaining({ reason: 'malformed_key' }));
    expect(tmdb().auth.map(({ type }) => type)).toEqual(['form']);
    expect(tmdb({ apiKey: KEY }).auth.map(({ type }) => type)).toEqual(['none']);
  });
});

describe('the key is nowhere to be seen', () => {
  const leaks = [KEY, READ_TOKEN];

  test.each([
    ['key', KEY],
    ['token', READ_TOKEN],
  ])('a %s: errors and events', async (_, apiKey) => {
    const server = new TmdbServer();
    const events: McaEvent[] = [];
    const seen: unknown[] = [tmdb({ apiKey })];
    const context = contextOf(server, tmdb({ apiKey }), apiKey, events);
    for (const failure of [refusal(401, 7, `Bad key ${apiKey}`), refusal(422, 5, apiKey), Response.json(apiKey)]) {
      server.failures.push(failure);
      seen.push(await catalog.lookup(context, { imdb: 'tt0181852' }).catch((error: unknown) => error));
    }
    // As fetch itself may fail: with the address in its message.
    server.beforeAnswer = async () => {
      throw new TypeError(`fetch failed: https://api.themoviedb.org/3/find/tt1?api_key=${apiKey}`);
    };
    const dropped = await catalog.lookup(context, { imdb: 'tt0181852' }).catch((error: unknown) => error);
    expect(dropped).toMatchObject({ code: 'upstream' });
    seen.push(dropped, events);
    expect(events.length).toBeGreaterThan(3);
    for (const shown of seen.flatMap((each) => [inspect(each, { depth: 10, showHidden: true }), JSON.stringify(each)]))
      for (const leak of leaks) expect(shown).not.toContain(leak);
  });
});

describe('lookups', () => {
  test('two requests for a film or show, one more for an episode, with all that is needed', async () => {
    const server = new TmdbServer();
    const context = contextOf(server);
    await catalog.lookup(context, { imdb: 'tt0181852' });
    await catalog.lookup(context, { imdb: 'tt1370967' });
    expect(server.calls.map(({ path, query: { api_key: _, ...query } }) => [path, query])).toEqual([
      ['find/tt0181852', { external_source: 'imdb_id', language: 'en-US' }],
      ['movie/296', { append_to_response: 'keywords,external_ids', language: 'en-US' }],
      ['find/tt1370967', { external_source: 'imdb_id', language: 'en-US' }],
      ['tv/8592', { append_to_response: 'keywords,external_ids', language: 'en-US' }],
      ['tv/8592/season/1/episode/1', { append_to_response: 'external_ids', language: 'en-US' }],
    ]);
  });

  test('IMDb first, TheTVDB when IMDb gives nothing or nothing certain', async () => {
    const server = new TmdbServer();
    const context = contextOf(server);
    expect((await catalog.lookup(context, { imdb: 'tt1266020', tvdb: '12' }))?.id).toBe('tv:8592');
    expect((await catalog.lookup(context, { imdb: 'tt9999999', tvdb: '84912' }))?.id).toBe('tv:8592');
    expect((await catalog.lookup(context, { imdb: 'tt0000404', tvdb: '84912' }))?.id).toBe('tv:8592');
    expect(pathsOf(server)).toEqual([
      ...['find/tt1266020', 'tv/8592'],
      ...['find/tt9999999', 'find/84912', 'tv/8592'],
      ...['find/tt0000404', 'movie/404', 'find/84912', 'tv/8592'],
    ]);
  });

  test('a number of TMDB’s own needs its kind, and no search', async () => {
    const server = new TmdbServer();
    const context = contextOf(server);
    expect((await catalog.lookup(context, { tmdb: '296' }, 'movie'))?.id).toBe('movie:296');
    expect((await catalog.lookup(context, { tmdb: '8592' }, 'tv_show'))?.id).toBe('tv:8592');
    expect(await catalog.lookup(context, { tmdb: '1' }, 'tv_episode')).toBeUndefined();
    expect(pathsOf(server)).toEqual(['movie/296', 'tv/8592']);
    expect((await catalog.lookup(context, { tmdb: '404', imdb: 'tt0181852' }, 'movie'))?.id).toBe('movie:296');
  });

  test('an episode that is told apart by its kind', async () => {
    const found = await catalog.lookup(contextOf(new TmdbServer()), { tvdb: '12' }, 'tv_episode');
    expect(found).toMatchObject({ id: 'tv:7:s0e2', title: 'Episode 2' });
  });

  test('titles and tags in the language that is asked for', async () => {
    const server = new TmdbServer();
    const provider = tmdb({ apiKey: KEY, language: 'de-DE' });
    await provider.capabilities.catalog.lookup(contextOf(server, provider), { imdb: 'tt1370967' });
    expect(server.calls.map(({ query }) => query.language)).toEqual(['de-DE', 'de-DE', 'de-DE']);
  });
});

describe('details', () => {
  test('hardly anything known: no empty texts, no zeros', async () => {
    const context = contextOf(new TmdbServer());
    const bare = { type: 'video', tags: [] };
    expect(await catalog.details(context, 'movie:7')).toEqual({
      ...bare,
      id: 'movie:7',
      subtype: 'movie',
      title: 'TMDB movie:7',
      url: 'https://www.themoviedb.org/movie/7',
      ids: { tmdb: '7' },
    });
    expect(await catalog.details(context, 'tv:7')).toEqual({
      ...bare,
      id: 'tv:7',
      subtype: 'tv_show',
      title: 'TMDB tv:7',
      url: 'https://www.themoviedb.org/tv/7',
      ids: { tmdb: '7' },
    });
    expect(await catalog.details(context, 'tv:7:s0e2')).toEqual({
      ...bare,
      id: 'tv:7:s0e2',
      subtype: 'tv_episode',
      title: 'Episode 2',
      url: 'https://www.themoviedb.org/tv/7/season/0/episode/2',
      ids: { tmdb: '70' },
    });
  });

  test.each([
    [{ runtime: null }, 22 * 60_000],
    [{ runtime: 0 }, 22 * 60_000],
    [{ runtime: 31 }, 31 * 60_000],
  ])('the length of an episode goes before that of its show: %o', async (raw, durationMs) => {
    const server = new TmdbServer();
    server.failures.push(undefined, Response.json({ id: 1, name: 'Pilot', ...raw }));
    expect(await catalog.details(contextOf(server), 'tv:8592:s1e1')).toMatchObject({ durationMs });
  });

  test.each([
    [{ title: 'Film', original_title: 'Original' }, { title: 'Film' }],
    [{ title: null, original_title: 'Original' }, { title: 'Original' }],
    [{ title: 'Film', release_date: '2003' }, { year: undefined }],
    [
      { title: 'Film', release_date: 7, genres: 'none', keywords: [], runtime: 'long' },
      { year: undefined, tags: [] },
    ],
    // Appended methods that fail are left out without a word.
    [{ title: 'Film', imdb_id: null, external_ids: { imdb_id: 'tt12' } }, { ids: { tmdb: '5', imdb: 'tt12' } }],
    [{ title: 'Film', imdb_id: 'nm12', external_ids: { tvdb_id: 0 } }, { ids: { tmdb: '5' } }],
  ])('what is there is taken, whatever else is not: %j', async (raw, expected) => {
    const server = new TmdbServer();
    server.failures.push(Response.json({ id: 5, ...raw }));
    const entry = await catalog.details(contextOf(server), 'movie:5');
    expect({ year: entry?.year, ...entry }).toMatchObject(expected);
  });

  test('gone means gone, also when only the show is left', async () => {
    const server = new TmdbServer();
    const context = contextOf(server);
    for (const id of ['movie:404', 'tv:404', 'tv:404:s1e1', 'tv:8592:s9e9'])
      expect(await catalog.details(context, id)).toBeUndefined();
    expect(pathsOf(server)).toEqual(['movie/404', 'tv/404', 'tv/404', 'tv/8592', 'tv/8592/season/9/episode/9']);
  });

  test.each([
    'movie:0',
    'movie:-1',
    'movie:1.5',
    'tv:1:s1',
    'tv:1:e1',
    'movie:1:s1e1',
    'person:1',
    'movie:99999999999',
  ])('%s is no id', async (id) => {
    const server = new TmdbServer();
    expect(await catalog.details(contextOf(server), id)).toBeUndefined();
    expect(server.calls).toEqual([]);
  });
});

describe('limits', () => {
  test.each([
    ['429 with a wait', () => refusal(429, 25, 'Slow down.', { 'retry-after': '7' }), 7_000],
    ['429 without', () => refusal(429, 25), 1],
    ['504', () => refusal(504, 24), 1],
    ['a page of the proxy', () => page(502), 1],
  ])('%s is waited for and asked again', async (_, failure, waitMs) => {
    const server = new TmdbServer();
    server.failures.push(failure());
    const context = contextOf(server);
    expect(await catalog.details(context, 'movie:296')).toMatchObject({ id: 'movie:296' });
    expect(server.calls).toHaveLength(2);
    expect(context.now() - NOW).toBeGreaterThanOrEqual(waitMs);
  });

  test('a refused key is not asked with again', async () => {
    const server = new TmdbServer();
    const asked = catalog.details(contextOf(server, tmdb({ apiKey: '0'.repeat(32) })), 'movie:296');
    await expect(asked).rejects.toMatchObject({ code: 'permission_denied', reason: 'invalid_key' });
    expect(server.calls).toHaveLength(1);
  });
});
