import { tmdb } from '@mca/core/providers/tmdb';
import { providerContext } from '@mca/core/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { KEY, NOW, READ_TOKEN, TmdbServer } from '../../providers/tmdb/__fixtures__/server.ts';
import { type Contract, openContract, watched, whyNot } from './contract.ts';

const API = 'https://api.themoviedb.org';

/** By token, or by a key in the address, which the description does not know and the documentation does. */
function isSigned({ headers, url }: Request): boolean {
  return headers.get('authorization') === `Bearer ${READ_TOKEN}` || new URL(url).searchParams.get('api_key') === KEY;
}

let contract: Contract;
beforeEach(async ({ skip }) => {
  if (whyNot !== undefined) skip(whyNot);
  contract ??= await openContract({
    file: 'tmdb-v3.openapi.json.gz',
    server: API,
    strict: false,
    isSigned,
    commonQuery: ['api_key'],
  });
});

function observe(apiKey: string) {
  const provider = tmdb({ apiKey });
  const [strategy] = provider.auth;
  const sign = strategy && 'sign' in strategy ? strategy.sign : undefined;
  const seen = watched(contract, new TmdbServer().fetch);
  return { seen, context: providerContext({ provider, fetch: seen.fetch, now: NOW, sign }), ...provider.capabilities };
}

describe.each([
  ['token', READ_TOKEN],
  ['key', KEY],
])('what the provider sends, and what the fake answers, by %s', (_, apiKey) => {
  test('the check of the key', async () => {
    const { seen, context, sessionCheck } = observe(apiKey);
    await sessionCheck.check(context);
    expect(seen.faults).toEqual([]);
    expect(seen.requests).toHaveLength(1);
  });

  test('films, shows and episodes', async () => {
    const { seen, context, catalog } = observe(apiKey);
    for (const imdb of ['tt0181852', 'tt1266020', 'tt1370967', 'tt9999999']) await catalog.lookup(context, { imdb });
    await catalog.lookup(context, { tvdb: '84912' });
    await catalog.lookup(context, { tmdb: '296' }, 'movie');
    expect(seen.faults).toEqual([]);
    expect(seen.requests.map((each) => each.split('?')[0])).toEqual([
      ...['/3/find/tt0181852', '/3/movie/296'],
      ...['/3/find/tt1266020', '/3/tv/8592'],
      ...['/3/find/tt1370967', '/3/tv/8592', '/3/tv/8592/season/1/episode/1'],
      '/3/find/tt9999999',
      ...['/3/find/84912', '/3/tv/8592'],
      '/3/movie/296',
    ]);
  });
});

test('a refused key is as described', async () => {
  const { seen, context, sessionCheck } = observe('f'.repeat(32));
  await expect(sessionCheck.check(context)).rejects.toMatchObject({ reason: 'invalid_key' });
  expect(seen.faults).toEqual(['the request is not signed']);
});

describe('negative controls: the contract can be broken', () => {
  const asked = (path: string, headers: Record<string, string> = { authorization: `Bearer ${READ_TOKEN}` }) =>
    new Request(`${API}/3/${path}`, { headers });

  test.each([
    ['a source nobody has', 'find/tt1?external_source=trakt_id', 'must be equal to one of the allowed values'],
    ['no source', 'find/tt1', "must have required property 'external_source'"],
    ['an id that is no number', 'movie/first', 'must be integer'],
    ['a parameter that does not exist', 'movie/1?append=keywords', 'must NOT have additional properties'],
    ['a path that does not exist', 'films/1', 'there is no GET'],
  ])('%s', (_, path, fault) => {
    expect(contract.faultsOf(asked(path)).join()).toContain(fault);
  });

  test('another host, no key', () => {
    expect(contract.faultsOf(new Request('https://api.example.com/3/movie/1'))).toEqual(['there is no GET /3/movie/1']);
    expect(contract.faultsOf(asked('movie/1', {}))).toEqual(['the request is not signed']);
  });

  test('an answer of another shape, and a status nobody described', () => {
    expect(contract.faultsOfAnswer(asked('movie/1'), 200, { id: '1' }).join()).toContain('must be integer');
    expect(contract.faultsOfAnswer(asked('find/tt1?external_source=imdb_id'), 200, { movie_results: {} })).toEqual([
      '/movie_results must be array',
    ]);
    expect(contract.faultsOfAnswer(asked('movie/1'), 418, {})).toEqual(['status 418 is not described']);
  });
});
