import { navidrome } from '@mca/core/providers/navidrome';
import { providerContext } from '@mca/core/testing';
import {
  ADDRESS,
  type FakeSong,
  PASSWORD,
  type ServerKind,
  SubsonicServer,
  USER,
} from '../../providers/navidrome/__fixtures__/server.ts';

export const NOW = Date.UTC(2026, 8, 10);
export const T0 = NOW / 1_000 - 40 * 86_400;
export const provider = navidrome();
export const { history, sessionCheck } = provider.capabilities;
const [strategy] = provider.auth;
export const sign = strategy && 'sign' in strategy ? strategy.sign : undefined;
export const fields = { url: ADDRESS, username: USER, password: PASSWORD };
export const account = 'ana@music.example.org/home';
export const start = { cursor: undefined, since: undefined, until: undefined, highWater: undefined, limit: 1_000 };
export type Request = Parameters<typeof history.fetchPage>[1];

export const songs = (count: number, perAlbum = 3): FakeSong[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `${100 + index}`,
    title: `Song ${index}`,
    album: `album-${Math.floor(index / perAlbum)}`,
    artist: 'Björk',
  }));

/** A server where every song was played once, three minutes apart. */
export function serverWith(kind: ServerKind, count: number): SubsonicServer {
  const server = new SubsonicServer(kind, songs(count, kind.hasScrobbles ? 15 : 3));
  for (let index = 0; index < count; index += 1)
    server.plays.push({ id: index + 1, at: T0 + index * 180, song: `${100 + index}` });
  return server;
}

export const contextOf = (server: SubsonicServer, more: Record<string, string> = {}) =>
  providerContext({
    provider,
    fetch: server.fetch,
    now: NOW,
    sign,
    credentials: { account, fields: { ...fields, ...more } },
  });

export async function walk(server: SubsonicServer, request: Partial<Request> = {}) {
  const context = contextOf(server);
  const pages = [];
  let next: Request = { ...start, ...request };
  for (let guard = 0; guard < 60; guard += 1) {
    const page = await history.fetchPage(context, next);
    pages.push(page);
    if (!page.hasMore) break;
    next = { ...next, cursor: page.cursor };
  }
  return pages;
}

export const itemsOf = (pages: Awaited<ReturnType<typeof walk>>) => pages.flatMap(({ items }) => items);
export const keysOf = (pages: Awaited<ReturnType<typeof walk>>) =>
  new Set(itemsOf(pages).map(({ externalId }) => externalId));
export const lastPlayKey = (at: number, song: string) => `ana@music.example.org%2Fhome/${at}:${song}`;
export const scrobbleKey = (id: number) => `ana@music.example.org%2Fhome/scrobble:${id}`;

/** A server where songs never heard before are played while the walk is under way, each on another album far down. */
export function growing(kind: ServerKind, count: number) {
  const server = serverWith(kind, count);
  let grown = 0;
  const grow = () => {
    grown += 1;
    const [id, at, song] = [90_000 + grown, NOW / 1_000 + grown, `${90_000 + grown}`];
    server.songs.set(song, { id: song, title: `New ${grown}`, album: `album-${grown - 1}` });
    server.plays.push({ id, at, song });
    return [kind.hasScrobbles ? scrobbleKey(id) : lastPlayKey(at, song)];
  };
  return { fetch: server.fetch, grow };
}
