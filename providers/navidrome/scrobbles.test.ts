import { addConnection, createRegistry, queryItems, syncHistory } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { fakeClock } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import {
  contextOf,
  fields,
  history,
  itemsOf,
  keysOf,
  NOW,
  provider,
  scrobbleKey,
  serverWith,
  songs,
  start,
  T0,
  walk,
} from '../../test/support/navidrome-rig.ts';
import { NAVIDROME, OLD_NAVIDROME, SubsonicServer } from './__fixtures__/server.ts';

const html = (status: number, headers = {}) =>
  new Response('<html><body>Log in</body></html>', { status, headers: { 'content-type': 'text/html', ...headers } });

describe('the list of scrobbles', () => {
  test('tells every play, with its song', async () => {
    const server = new SubsonicServer(NAVIDROME, [
      {
        id: 'a',
        title: 'Jóga',
        album: 'x',
        artist: 'Björk',
        isrc: ['gb-um7-10-29604'],
        mbid: 'B1A9C0E9-D987-4042-AE91-78D6A3267D69',
      },
    ]);
    server.plays.push({ id: 7, at: T0, song: 'a' }, { id: 8, at: T0 + 60, song: 'a' });
    const [page] = await walk(server);
    expect(page).toMatchObject({ read: 2, hasMore: true });
    expect(page?.items[1]).toEqual({
      platform: 'navidrome',
      externalId: 'ana@music.example.org%2Fhome/scrobble:7',
      type: 'music',
      action: 'consumed',
      title: 'Jóga',
      creator: 'Björk',
      consumedAt: new Date(T0 * 1_000),
      durationMs: 214_700,
      tags: [],
      contentId: 'a',
      ids: { isrc: 'GBUM71029604', mbid: 'b1a9c0e9-d987-4042-ae91-78d6a3267d69' },
      source: 'scrobbles',
      precision: 'second',
      rawMetadata: { album: 'x' },
    });
  });

  test('one log-in serves a whole walk, and a session that is over is opened again', async () => {
    const server = serverWith(NAVIDROME, 450);
    const context = contextOf(server);
    const page = await history.fetchPage(context, start);
    expect(server.logIns).toBe(1);
    server.logIns += 1;
    const rest = await history.fetchPage(context, { ...start, cursor: page.cursor });
    expect(rest.items).toHaveLength(200);
    expect(server.calls.filter(({ path }) => path === 'auth/login')).toHaveLength(2);
  });

  test.each([
    ['https://music.example.org/home', {}, true],
    ['http://music.example.org/home', {}, false],
    ['http://192.168.1.5:4533/home', {}, false],
    ['http://127.0.0.1.example.org/home', {}, false],
    ['http://localhost:4533/home', {}, true],
    ['http://127.0.0.1:4533/home', {}, true],
    ['http://[::1]:4533/home', {}, true],
    ['http://music.example.org/home', { plainLogIn: 'yes' }, true],
    ['http://music.example.org/home', { plainLogIn: 'no' }, false],
    ['http://music.example.org/home', { legacyPassword: 'yes' }, true],
  ])('the password itself is sent to %s, with %o: %s', async (url, more, isSent) => {
    const server = serverWith(NAVIDROME, 3);
    const { items } = await history.fetchPage(contextOf(server, { url, ...more }), start);
    expect(server.calls.filter(({ path }) => path === 'auth/login')).toHaveLength(isSent ? 1 : 0);
    // Where it must not be, last plays take the place of the list.
    expect(new Set(items.map(({ source }) => source))).toEqual(new Set([isSent ? 'scrobbles' : 'last-played']));
    expect(items).toHaveLength(3);
  });

  test('a walk that may no longer send the password ends; the next one with leave goes on where nothing was given', async () => {
    const server = serverWith(NAVIDROME, 450);
    const first = await history.fetchPage(contextOf(server), start);
    const url = 'http://music.example.org/home';
    const logIns = server.logIns;
    const since = Number.NEGATIVE_INFINITY;
    let page = await history.fetchPage(contextOf(server, { url }), { ...start, since, cursor: first.cursor });
    while (page.hasMore)
      page = await history.fetchPage(contextOf(server, { url }), { ...start, since, cursor: page.cursor });
    expect(server.logIns).toBe(logIns);
    const rest = await walk(server, { cursor: page.cursor, since });
    expect([...keysOf(rest)]).toEqual(expect.arrayContaining([scrobbleKey(1), scrobbleKey(450)]));
  });

  test('plays that come meanwhile hide none', async () => {
    const server = serverWith(NAVIDROME, 450);
    const page = await history.fetchPage(contextOf(server), start);
    for (let index = 0; index < 30; index += 1)
      server.plays.push({ id: 1_000 + index, at: T0 + 200_000 + index, song: '100' });
    const rest = await walk(server, { cursor: page.cursor });
    const keys = new Set([...page.items, ...itemsOf(rest)].map(({ externalId }) => externalId));
    for (let id = 1; id <= 450; id += 1) expect(keys).toContain(`ana@music.example.org%2Fhome/scrobble:${id}`);
  });

  test('many plays of one second do not stop the walk', async () => {
    const server = new SubsonicServer(NAVIDROME, songs(1));
    for (let id = 1; id <= 700; id += 1) server.plays.push({ id, at: T0 + (id > 650 ? 1 : 0), song: '100' });
    const items = itemsOf(await walk(server)).filter(({ source }) => source === 'scrobbles');
    expect(new Set(items.map(({ externalId }) => externalId)).size).toBe(700);
  });

  test('a song whose file is gone is left out and counted', async () => {
    const server = new SubsonicServer(NAVIDROME, songs(1));
    server.plays.push({ id: 1, at: T0, song: 'gone' }, { id: 2, at: T0, song: '100' });
    const [page] = await walk(server);
    expect(page).toMatchObject({ read: 2, skipped: { unknown_song: 1 }, rejected: [] });
    expect(page?.items).toHaveLength(1);
  });

  test.each([
    ['is not found', () => html(404)],
    ['is another page', () => html(200)],
    ['has songs that nobody asked for', () => Response.json([{ id: 'other', title: 'Other' }])],
    ['has rows without ids', () => Response.json([{ title: 'Other' }])],
  ] as const)('songs are not gone when the list of songs %s', async (_, answer) => {
    const server = serverWith(NAVIDROME, 9);
    server.intercept = (path) => (path === 'api/song' ? answer() : undefined);
    const failure = history.fetchPage(contextOf(server), start);
    await expect(failure).rejects.toMatchObject({ code: 'upstream', reason: 'list_unavailable', retryable: true });
    server.intercept = () => undefined;
    expect((await history.fetchPage(contextOf(server), start)).items).toHaveLength(9);
  });

  test.each([
    ['404', () => html(404)],
    ['410', () => new Response('gone', { status: 410 })],
    ['501', () => new Response('no', { status: 501 })],
    ['HTML', () => html(200)],
  ] as const)('in the middle of a walk %s is an error, and the position stays', async (_, answer) => {
    const server = serverWith(NAVIDROME, 450);
    const page = await history.fetchPage(contextOf(server), start);
    server.intercept = (path) => (path === 'api/scrobble' ? answer() : undefined);
    const failure = history.fetchPage(contextOf(server), { ...start, cursor: page.cursor });
    await expect(failure).rejects.toMatchObject({ code: 'upstream', reason: 'list_unavailable', retryable: true });
    server.intercept = () => undefined;
    const rest = await walk(server, { cursor: page.cursor });
    expect([...page.items, ...itemsOf(rest)].filter(({ source }) => source === 'scrobbles').length).toBeGreaterThan(
      449,
    );
  });

  test('a time that no date can hold costs its row only', async () => {
    const server = serverWith(NAVIDROME, 4);
    const rows = [9_000_000_000_000, T0].map((at, index) => ({ id: index, mediaFileId: '100', submissionTime: at }));
    server.intercept = (path) => (path === 'api/scrobble' ? Response.json(rows) : undefined);
    const page = await history.fetchPage(contextOf(server), start);
    expect(page).toMatchObject({ read: 2, items: [{ contentId: '100' }], rejected: [{ reason: 'unexpected_shape' }] });
  });

  test('an empty list, because the server keeps none: the last play of each song takes its place', async () => {
    const server = serverWith({ ...NAVIDROME, keepsNoScrobbles: true }, 9);
    expect(itemsOf(await walk(server)).map(({ source }) => source)).toEqual(Array(9).fill('last-played'));
    const since = (T0 + 7 * 180) * 1_000;
    expect(itemsOf(await walk(server, { since }))).toHaveLength(2);
  });

  test('a first walk goes on with last plays, from before the list; a later one does not', async () => {
    const server = serverWith(NAVIDROME, 9);
    server.intercept = (path, query) => void (path === 'api/scrobble' && query.set('from', String(T0 + 6 * 180)));
    const sources = itemsOf(await walk(server)).map(({ source }) => source);
    expect(sources).toEqual([...Array(3).fill('scrobbles'), ...Array(9).fill('last-played')]);
    server.calls.length = 0;
    const later = itemsOf(await walk(server, { since: T0 * 1_000 }));
    expect(later.map(({ source }) => source)).toEqual(Array(3).fill('scrobbles'));
    expect(server.calls.map(({ path }) => path)).not.toContain('rest/getAlbumList2');
  });

  test('it goes on above the row where the walk before began, and is whole where that is not known', async () => {
    const server = serverWith(NAVIDROME, 450);
    const since = (T0 + 400 * 180) * 1_000;
    const pages = await walk(server, { since });
    expect(keysOf(pages).size).toBe(450);
    server.plays.push({ id: 451, at: T0, song: '100' });
    const later = await walk(server, { since, cursor: pages.at(-1)?.cursor });
    expect([...keysOf(later)]).toEqual([scrobbleKey(451)]);
    expect(later).toHaveLength(1);
    expect(await walk(server, { since, cursor: later[0]?.cursor })).toMatchObject([{ read: 0, hasMore: false }]);
  });

  test('plays submitted weeks late all come home', async () => {
    const DAY = 86_400;
    const time = fakeClock(NOW);
    const server = new SubsonicServer(NAVIDROME, songs(1));
    for (let id = 1; id <= 30; id += 1) server.plays.push({ id, at: T0 + id, song: '100' });
    const registry = createRegistry({
      providers: [provider],
      ...memory({ clock: time.clock }),
      insecurePlaintextForTests: true,
      guardedFetch: server.fetch,
      env: { clock: time.clock, timers: time.timers },
    });
    const request = { userId: 'ana', provider: 'navidrome' } as const;
    await time.until(addConnection(registry, { ...request, credentials: { fields } }));
    for (let day = 0; day < 10; day += 1) {
      expect(await time.until(syncHistory(registry, request))).toMatchObject({ status: 'complete' });
      await time.advance(DAY * 1_000);
      if (day === 1) server.plays.push({ id: 31, at: NOW / 1_000 + DAY, song: '100' });
      if (day !== 2) continue;
      // A phone that was offline for weeks.
      for (let id = 32; id <= 41; id += 1) server.plays.push({ id, at: NOW / 1_000 - 20 * DAY + id, song: '100' });
    }
    const { items } = await queryItems(registry, { userId: 'ana', limit: 100, resolve: 'all' });
    expect(items.filter(({ source }) => source === 'scrobbles')).toHaveLength(41);
  });

  test('rows that are removed meanwhile hide none', async () => {
    const server = serverWith(NAVIDROME, 1_000);
    const context = contextOf(server);
    const first = await history.fetchPage(context, start);
    const second = await history.fetchPage(context, { ...start, cursor: first.cursor });
    // All of the first page and more: what comes next stands where that was.
    server.plays.splice(700, 300);
    const rest = await walk(server, { cursor: second.cursor });
    const keys = new Set([...first.items, ...second.items, ...itemsOf(rest)].map(({ externalId }) => externalId));
    for (let id = 1; id <= 600; id += 1) expect(keys).toContain(scrobbleKey(id));
  });

  test('rows without an id neither stop a walk nor hold it up', async () => {
    const server = serverWith(NAVIDROME, 900);
    const rows = server.plays.toReversed().map(({ id, at, song }, index) => ({
      ...((index < 150 || index > 650) && { id }),
      mediaFileId: song,
      submissionTime: at,
    }));
    server.intercept = (path, query) =>
      path === 'api/scrobble'
        ? Response.json(rows.slice(Number(query.get('_start')), Number(query.get('_end'))))
        : undefined;
    const pages = await walk(server, { since: 0 });
    expect(pages.at(-1)?.hasMore).toBe(false);
    expect(keysOf(pages).size).toBe(399);
  });

  test('a server that gives the same rows for ever is an error', async () => {
    const walked = walk(serverWith({ ...NAVIDROME, ignoresOffset: true }, 450));
    await expect(walked).rejects.toMatchObject({ code: 'upstream', reason: 'endless_list', retryable: false });
  });

  test('a list that counts anew is read whole', async () => {
    const first = await walk(serverWith(NAVIDROME, 450), { since: 0 });
    const another = await walk(serverWith(NAVIDROME, 9), { since: 0, cursor: first.at(-1)?.cursor });
    expect(keysOf(another).size).toBe(9);
  });

  test('a walk without the list forgets nothing about it', async () => {
    const server = serverWith(NAVIDROME, 450);
    const first = await walk(server, { since: 0 });
    server.intercept = (path) => (path === 'api/scrobble' ? html(404) : undefined);
    const without = await walk(server, { since: NOW, cursor: first.at(-1)?.cursor });
    server.intercept = () => undefined;
    server.plays.push({ id: 451, at: T0, song: '100' });
    const again = await walk(server, { since: NOW, cursor: without.at(-1)?.cursor });
    expect([...keysOf(again)]).toEqual([scrobbleKey(451)]);
  });

  test.each([
    ['an older Navidrome', OLD_NAVIDROME, undefined],
    ['a proxy in front of it', NAVIDROME, html(200)],
    ['a proxy that knows no such path', NAVIDROME, html(404)],
  ] as const)('%s: the last play of each song takes its place', async (_, kind, answer) => {
    const server = serverWith(kind, 9);
    const context = contextOf(server);
    if (answer) {
      const { fetch } = server;
      Object.assign(server, {
        fetch: async (...args: Parameters<typeof fetch>) =>
          String(args[0] instanceof Request ? args[0].url : args[0]).includes('/auth/login')
            ? answer.clone()
            : fetch(...args),
      });
    }
    const page = await history.fetchPage(answer ? contextOf(server) : context, start);
    expect(page.items.map(({ source }) => source)).toEqual(Array.from({ length: 9 }, () => 'last-played'));
  });
});
