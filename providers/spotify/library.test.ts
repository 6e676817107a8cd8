import { spotify } from '@mca/core/providers/spotify';
import { providerContext } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { type FakeSaved, idOf, SpotifyServer, USER } from './__fixtures__/server.ts';

const NOW = Date.UTC(2026, 8, 10);
const T0 = NOW - 3 * 86_400_000;
const MINUTE = 60_000;
const provider = spotify({ clientId: 'app-of-the-host' });
const { library } = provider.capabilities;
const start = { cursor: undefined, since: undefined, until: undefined, highWater: undefined, limit: 1_000 };
type Request = Parameters<typeof library.fetchPage>[1];

const savedTracks = (count: number): FakeSaved[] =>
  Array.from({ length: count }, (_, index) => ({ addedAt: T0 + index * MINUTE, id: idOf(index + 1) }));
const contextOf = (server: SpotifyServer) =>
  providerContext({ provider, fetch: server.fetchSigned, now: NOW, credentials: { account: USER } });

async function readSaved(server: SpotifyServer, request: Partial<Request> = {}) {
  const pages = [];
  let next: Request = { ...start, ...request };
  for (let guard = 0; guard < 50; guard += 1) {
    const page = await library.fetchPage(contextOf(server), next);
    pages.push(page);
    if (!page.hasMore) break;
    next = { ...next, cursor: page.cursor };
  }
  return pages;
}

describe('saved tracks', () => {
  test('a saved track: when it was saved, named by its URI alone', async () => {
    const [page] = await readSaved(new SpotifyServer({ saved: [{ addedAt: T0, id: idOf(7) }] }));
    expect(page?.items).toMatchObject([
      {
        externalId: `saved:spotify:track:${idOf(7)}`,
        action: 'saved',
        type: 'music',
        title: 'Song 7',
        consumedAt: new Date(T0),
        durationMs: 180_000,
        source: 'saved-tracks',
      },
    ]);
  });

  test('by offset, 50 at a time, to the end', async () => {
    const server = new SpotifyServer({ saved: savedTracks(101) });
    const pages = await readSaved(server);
    expect(server.calls.map(({ query }) => query)).toEqual(
      ['0', '50', '100'].map((offset) => ({ limit: '50', offset })),
    );
    expect(pages.flatMap(({ items }) => items)).toHaveLength(101);
    expect(pages[0]?.total).toBe(101);
  });

  test('goes on by the limit that was answered, not by the one that was asked for', async () => {
    const server = new SpotifyServer({ saved: savedTracks(45) });
    server.mostPerPage = 20;
    const pages = await readSaved(server);
    expect(new Set(pages.flatMap(({ items }) => items.map(({ externalId }) => externalId))).size).toBe(45);
    expect(server.calls.map(({ query }) => query.offset)).toEqual(['0', '20', '40']);
  });

  test.each([1, 7, 60])('%i tracks removed while the walk is under way hide nobody', async (removed) => {
    const server = new SpotifyServer({ saved: savedTracks(160) });
    const page = await library.fetchPage(contextOf(server), start);
    // Newest first: the newest ones go, and what follows moves up.
    server.saved.splice(160 - removed, removed);
    const rest = await readSaved(server, { cursor: page.cursor });
    const seen = new Set([page, ...rest].flatMap(({ items }) => items.map(({ externalId }) => externalId)));
    for (const { id } of server.saved) expect(seen).toContain(`saved:spotify:track:${id}`);
  });

  test('tracks removed when the last page is asked for hide nobody either', async () => {
    const server = new SpotifyServer({ saved: savedTracks(60) });
    const page = await library.fetchPage(contextOf(server), start);
    server.saved.splice(48, 12);
    const rest = await readSaved(server, { cursor: page.cursor });
    const seen = new Set([page, ...rest].flatMap(({ items }) => items.map(({ externalId }) => externalId)));
    for (const { id } of server.saved) expect(seen).toContain(`saved:spotify:track:${id}`);
  });

  test('a position of an older release is still one', async () => {
    const server = new SpotifyServer({ saved: savedTracks(60) });
    expect((await readSaved(server, { cursor: '50' })).flatMap(({ items }) => items)).toHaveLength(10);
    await expect(readSaved(server, { cursor: '50.' })).rejects.toMatchObject({ reason: 'cursor_invalid' });
  });

  test('stops at what is stored already', async () => {
    const server = new SpotifyServer({ saved: savedTracks(300) });
    // The second page ends at track 201; the third would begin before it.
    const pages = await readSaved(server, { since: T0 + 210 * MINUTE });
    expect(pages).toHaveLength(2);
    expect(pages.flatMap(({ items }) => items).some(({ title }) => title === 'Song 212')).toBe(true);
  });

  test('an empty page ends the walk though there seems to be more', async () => {
    const server = new SpotifyServer();
    server.failures.push(
      Response.json({ items: [], limit: 50, next: 'https://api.spotify.com/v1/me/tracks?offset=50' }),
    );
    expect(await readSaved(server)).toMatchObject([{ read: 0, hasMore: false }]);
  });

  test('tracks that are gone are left out and counted, local ones are there', async () => {
    const local = { id: null, uri: 'spotify:local:A:B:Rain:93', is_local: true, name: 'Rain' };
    const saved = [...savedTracks(2), { addedAt: T0, id: idOf(8), track: null }, { addedAt: T0, id: '', track: local }];
    const [page] = await readSaved(new SpotifyServer({ saved }));
    expect(page).toMatchObject({ read: 4, skipped: { no_content: 1 } });
    expect(page?.items.map(({ externalId }) => externalId)).toContain('saved:spotify:local:A:B:Rain:93');
  });
});
