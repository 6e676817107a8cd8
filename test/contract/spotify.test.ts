import type { IncrementalCapability } from '@mca/core/provider-kit';
import { spotify } from '@mca/core/providers/spotify';
import { providerContext } from '@mca/core/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  idOf,
  refusal,
  type ServerOptions,
  SpotifyServer,
  TOKEN,
} from '../../providers/spotify/__fixtures__/server.ts';
import { type Contract, openContract, watched, whyNot } from './contract.ts';

const API = 'https://api.spotify.com/v1';
const NOW = Date.UTC(2026, 8, 10);
const MINUTE = 60_000;
const provider = spotify({ clientId: 'app-of-the-host' });
const { history, library, sessionCheck } = provider.capabilities;

let contract: Contract;
beforeEach(async ({ skip }) => {
  if (whyNot !== undefined) skip(whyNot);
  contract ??= await openContract({ file: 'spotify.openapi.yml.gz', server: API });
});

const content: ServerOptions = {
  plays: Array.from({ length: 60 }, (_, index) => ({
    endedAt: NOW - index * 4 * MINUTE,
    id: idOf(index),
    context: 'spotify:playlist:37i9dQZF1DXcBWIGoYBM5M',
  })),
  saved: Array.from({ length: 120 }, (_, index) => ({ addedAt: NOW - index * MINUTE, id: idOf(index) })),
};
const asked = (path: string, headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` }) =>
  new Request(`${API}/${path}`, { headers });

function observe(server: SpotifyServer) {
  const seen = watched(contract, server.fetch);
  const context = providerContext({
    provider,
    fetch: seen.fetch,
    now: NOW,
    sign: ({ headers }) => headers.set('authorization', `Bearer ${TOKEN}`),
  });
  const walk = async (capability: IncrementalCapability, since?: number): Promise<void> => {
    for (let cursor: string | undefined, guard = 0; guard < 20; guard += 1) {
      const page = await capability.fetchPage(context, {
        cursor,
        since,
        until: undefined,
        highWater: since,
        limit: 1_000,
      });
      if (!page.hasMore) return;
      cursor = page.cursor;
    }
  };
  return { seen, context, walk };
}

/** Of albums the description still wants what new apps no longer get. */
const KNOWN = { A: [], C: ["answer: /items/*/track/album must have required property 'available_markets'"] } as const;

describe.each(['A', 'C'] as const)(
  'what the provider sends, and what the fake of generation %s answers',
  (generation) => {
    test('recently played, from the beginning and following', async () => {
      const { seen, walk } = observe(new SpotifyServer({ ...content, generation }));
      await walk(history);
      await walk(history, NOW - 30 * MINUTE + 0.5);
      expect(seen.faults).toEqual(KNOWN[generation]);
      expect(seen.requests).toEqual([
        '/v1/me/player/recently-played?limit=50',
        `/v1/me/player/recently-played?limit=50&after=${NOW - 30 * MINUTE}`,
      ]);
    });

    test('saved tracks, all pages', async () => {
      const { seen, walk } = observe(new SpotifyServer({ ...content, generation }));
      await walk(library);
      expect(seen.faults).toEqual(KNOWN[generation]);
      expect(seen.requests).toEqual(['0', '50', '100'].map((offset) => `/v1/me/tracks?limit=50&offset=${offset}`));
    });

    test('the profile', async () => {
      const { seen, context } = observe(new SpotifyServer({ generation }));
      await sessionCheck.check(context);
      expect(seen).toMatchObject({ faults: [], requests: ['/v1/me'] });
    });
  },
);

test('errors of the fake are as described', async () => {
  for (const status of [401, 403, 429]) {
    const body: unknown = await refusal(status, 'What went wrong').json();
    expect(contract.faultsOfAnswer(asked('me'), status, body)).toEqual([]);
  }
});

test('the scopes it asks for are those the description names', () => {
  const [strategy] = provider.auth;
  if (strategy?.type !== 'oauth2') throw new Error('Spotify is connected by OAuth.');
  const needed = ['me/player/recently-played', 'me/tracks', 'me'].flatMap(
    (path) => contract.scopesOf(asked(path)) ?? [],
  );
  expect(needed).toEqual(expect.arrayContaining([...strategy.scopes]));
  expect(contract.scopesOf(asked('me/player/recently-played'))).toEqual(history.scopes);
  expect(contract.scopesOf(asked('me/tracks'))).toEqual(library.scopes);
});

describe('negative controls: the contract can be broken', () => {
  test.each([
    ['a page that is too large', 'me/tracks?limit=51', 'must be <= 50'],
    ['a page of nothing', 'me/player/recently-played?limit=0', 'must be >= 1'],
    ['a position that is no number', 'me/player/recently-played?after=yesterday', 'must be integer'],
    ['half a millisecond', 'me/player/recently-played?after=1.5', 'must be integer'],
    ['a parameter that does not exist', 'me/tracks?limit=50&since=1', 'must NOT have additional properties'],
    ['a path that does not exist', 'me/listens', 'there is no GET'],
    ['another version', '../v2/me', 'there is no GET'],
  ])('%s', (_, path, fault) => {
    expect(contract.faultsOf(asked(path)).join()).toContain(fault);
  });

  test('another method, another host, no token', () => {
    const posted = new Request(`${API}/me/tracks`, { method: 'POST', headers: { authorization: `Bearer ${TOKEN}` } });
    expect(contract.faultsOf(posted)).toEqual(['there is no POST /v1/me/tracks']);
    expect(contract.faultsOf(new Request('https://api.example.com/v1/me'))).toEqual(['there is no GET /v1/me']);
    expect(contract.faultsOf(asked('me', {}))).toEqual(['the request is not signed']);
  });

  test('an answer of another shape, and a status nobody described', async () => {
    const { items: _, ...rest } = await (await new SpotifyServer(content).fetchSigned(`${API}/me/tracks`)).json();
    expect(contract.faultsOfAnswer(asked('me/tracks'), 200, { ...rest, items: 'many' }).join()).toContain('array');
    const { total: __, ...uncounted } = { ...rest, items: [] };
    expect(contract.faultsOfAnswer(asked('me/tracks'), 200, uncounted).join()).toContain("'total'");
    const wrong = { items: [{ track: { duration_ms: 'long' } }] };
    expect(contract.faultsOfAnswer(asked('me/player/recently-played'), 200, wrong).join()).toContain('must be integer');
    expect(contract.faultsOfAnswer(asked('me'), 418, {})).toEqual(['status 418 is not described']);
    expect(contract.faultsOfAnswer(asked('me'), 401, { error: 'no' }).join()).toContain('must be object');
  });

  test('a provider that breaks it is found out', async () => {
    const { seen, context } = observe(new SpotifyServer(content));
    const schema = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } } as const;
    const sending = context.http.request({
      path: 'me/tracks',
      operation: 'saved-tracks',
      query: { limit: 51 },
      schema,
    });
    await expect(sending).rejects.toMatchObject({ code: 'invalid_data' });
    expect(seen.faults).toEqual(expect.arrayContaining([expect.stringContaining('must be <= 50')]));
  });
});
