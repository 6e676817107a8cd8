import { providerContext } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import {
  account,
  fields,
  history,
  itemsOf,
  NOW,
  provider,
  serverWith,
  sign,
  songs,
  start,
  T0,
  walk,
} from '../../test/support/navidrome-rig.ts';
import { GONIC, OLD_NAVIDROME, SubsonicServer } from './__fixtures__/server.ts';

describe('the last play of each song', () => {
  test('stops below what is known, and asks for no album that was not played', async () => {
    const server = serverWith(GONIC, 120);
    const since = (T0 + 118 * 180) * 1_000;
    const [page] = await walk(server, { since });
    expect(page?.items.map(({ title }) => title)).toEqual(['Song 118', 'Song 119']);
    expect(server.calls.filter(({ path }) => path === 'rest/getAlbum')).toHaveLength(1);
  });

  test('an album played while the walk is under way is given whole', async () => {
    const server = serverWith(OLD_NAVIDROME, 300);
    let lists = 0;
    server.intercept = (path) => {
      if (path === 'rest/getAlbumList2') lists += 1;
      if (lists === 2) server.plays.push({ id: 5_000, at: NOW / 1_000 - 5, song: '100' });
      return undefined;
    };
    const heard = new Set(itemsOf(await walk(server)).map(({ contentId }) => contentId));
    expect(heard.size).toBe(300);
    // Five pages of albums, the end of the list, and one look at the top.
    expect(lists).toBe(7);
  });

  test('more than a page of albums on top is looked through, and again when that moved too', async () => {
    const server = serverWith(OLD_NAVIDROME, 300);
    let lists = 0;
    server.intercept = (path) => {
      if (path !== 'rest/getAlbumList2') return undefined;
      lists += 1;
      // The oldest thirty albums jump to the top during the walk, one of them again during the look.
      if (lists === 2)
        for (let index = 0; index < 30; index += 1)
          server.plays.push({ id: 5_000 + index, at: NOW / 1_000 - 100 + index, song: `${100 + index * 3}` });
      if (lists === 8) server.plays.push({ id: 6_000, at: NOW / 1_000 - 5, song: '100' });
      return undefined;
    };
    const heard = new Set(itemsOf(await walk(server)).map(({ contentId }) => contentId));
    expect(heard.size).toBe(300);
  });

  test('the walk ends also when something is played all the time', async () => {
    const server = serverWith(OLD_NAVIDROME, 150);
    let at = NOW / 1_000 - 86_400;
    server.intercept = (path) => {
      if (path !== 'rest/getAlbumList2') return undefined;
      for (let index = 0; index < 50; index += 1) {
        at += 1;
        server.plays.push({ id: at, at, song: `${100 + index * 3}` });
      }
      return undefined;
    };
    expect((await walk(server)).at(-1)?.hasMore).toBe(false);
  });

  test('a play of the future on top does not hide what jumps below it', async () => {
    const server = serverWith(OLD_NAVIDROME, 300);
    server.plays.push({ id: 4_000, at: NOW / 1_000 + 9_000_000, song: '399' });
    let lists = 0;
    server.intercept = (path) => {
      if (path === 'rest/getAlbumList2') lists += 1;
      if (lists === 2) server.plays.push({ id: 5_000, at: NOW / 1_000 - 5, song: '100' });
      return undefined;
    };
    expect(new Set(itemsOf(await walk(server)).map(({ contentId }) => contentId)).size).toBe(300);
  });

  test('where only songs tell times, the walk ends below a page of albums without a wanted song', async () => {
    const server = serverWith({ ...GONIC, isSilentOnAlbums: true }, 600);
    const since = (T0 + 590 * 180) * 1_000;
    expect(itemsOf(await walk(server, { since }))).toHaveLength(10);
    // Two pages down and a look at the top, of more than two hundred albums.
    expect(server.calls.filter(({ path }) => path === 'rest/getAlbum')).toHaveLength(60);
  });

  test('an album whose time cannot be read does not end the walk, nor does "never" of Go', async () => {
    const server = serverWith(OLD_NAVIDROME, 90);
    const since = (T0 + 10 * 180) * 1_000;
    for (const played of ['yesterday', '0001-01-01T00:00:00Z']) {
      const context = providerContext({
        provider,
        now: NOW,
        sign,
        credentials: { account, fields },
        fetch: async (...request) => {
          const answer = await server.fetch(...request);
          if (!answer.headers.get('content-type')?.includes('json')) return answer;
          const body = await answer.json();
          const second = body['subsonic-response']?.albumList2?.album?.[1];
          if (second) second.played = played;
          return Response.json(body);
        },
      });
      const keys = new Set<string>();
      let cursor: string | undefined;
      do {
        const page = await history.fetchPage(context, { ...start, since, cursor });
        for (const { externalId } of page.items) keys.add(externalId);
        cursor = page.hasMore ? page.cursor : undefined;
      } while (cursor !== undefined);
      expect(keys.size).toBe(80);
    }
  });

  test.each([
    ['albums', { ...GONIC, ignoresOffset: true }],
    ['songs only', { ...GONIC, ignoresOffset: true, isSilentOnAlbums: true }],
  ])('a server that gives the same albums for ever is an error, where %s tell times', async (_, kind) => {
    const walked = walk(serverWith(kind, 90));
    await expect(walked).rejects.toMatchObject({ code: 'upstream', reason: 'endless_list', retryable: false });
  });

  test('times with an offset are read', async () => {
    const server = new SubsonicServer(OLD_NAVIDROME, [
      { id: '1', title: 'One', album: 'a', raw: { id: '1', title: 'One', played: '2026-08-01T22:11:12.5+02:00' } },
    ]);
    server.plays.push({ id: 1, at: T0, song: '1' });
    const consumedAt = new Date('2026-08-01T20:11:12.500Z');
    expect(itemsOf(await walk(server))).toMatchObject([{ consumedAt }]);
  });

  test('ids that are numbers become texts, a single song is a list of one', async () => {
    const server = new SubsonicServer(GONIC, [{ id: '77', title: 'Only', album: 'solo' }]);
    server.plays.push({ id: 1, at: T0, song: '77' });
    expect(itemsOf(await walk(server))).toMatchObject([{ contentId: '77', title: 'Only', durationMs: 215_000 }]);
  });

  test('songs never played are left out and counted', async () => {
    const server = new SubsonicServer(GONIC, songs(3));
    server.plays.push({ id: 1, at: T0, song: '101' });
    expect(await walk(server)).toMatchObject([{ read: 3, skipped: { never_played: 2 } }]);
  });
});
