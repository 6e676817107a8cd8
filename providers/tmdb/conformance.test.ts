import { tmdb } from '@mca/core/providers/tmdb';
import { type CatalogUnderTest, catalogConformance, type ExpectedError } from '@mca/core/testing';
import { describe, test } from 'vitest';
import { KEY, NOW, page, READ_TOKEN, refusal, TmdbServer } from './__fixtures__/server.ts';

/** The whole table of the README, and of the service. */
const errors: readonly ExpectedError[] = (
  [
    [501, 2, 'upstream', undefined],
    [401, 3, 'permission_denied', 'not_allowed'],
    [405, 4, 'invalid_data', 'wrong_method'],
    [422, 5, 'invalid_data', 'bad_request'],
    [401, 7, 'permission_denied', 'invalid_key'],
    [403, 8, 'invalid_data', 'already_there'],
    [503, 9, 'upstream', 'maintenance'],
    [401, 10, 'permission_denied', 'suspended_key'],
    [500, 11, 'upstream', undefined],
    [401, 14, 'permission_denied', 'not_allowed'],
    [500, 15, 'upstream', undefined],
    [401, 16, 'auth_expired', undefined],
    [401, 17, 'auth_expired', undefined],
    [400, 18, 'invalid_data', 'bad_request'],
    [406, 19, 'invalid_data', 'wrong_accept_header'],
    [422, 20, 'invalid_data', 'bad_request'],
    [400, 22, 'invalid_data', 'bad_request'],
    [400, 23, 'invalid_data', 'bad_request'],
    [504, 24, 'upstream', 'overloaded'],
    [429, 25, 'rate_limit', undefined],
    ...([26, 27, 28, 29] as const).map((code) => [400, code, 'invalid_data', 'bad_request'] as const),
    ...([30, 31, 32, 36, 38, 39] as const).map((code) => [401, code, 'permission_denied', 'not_allowed'] as const),
    [401, 33, 'auth_expired', undefined],
    [401, 35, 'auth_expired', undefined],
    [404, 37, 'auth_expired', undefined],
    [422, 41, 'invalid_data', 'bad_request'],
    [405, 42, 'invalid_data', 'wrong_method'],
    [502, 43, 'upstream', 'overloaded'],
    [500, 44, 'upstream', undefined],
    [403, 45, 'permission_denied', 'suspended_user'],
    [503, 46, 'upstream', 'maintenance'],
    [400, 47, 'invalid_data', 'bad_request'],
  ] as const
).map(([status, statusCode, code, reason]) => ({
  title: `${status} with status_code ${statusCode}`,
  service: async () => refusal(status, statusCode),
  code,
  reason,
}));

const others: readonly ExpectedError[] = [
  ...[400, 422].map((status) => ({
    title: `${status} with a list of errors`,
    service: async () => Response.json({ errors: ['page must be less than or equal to 500'] }, { status }),
    code: 'invalid_data' as const,
    reason: 'bad_request',
  })),
  { title: '401 without a body', service: async () => new Response(null, { status: 401 }), code: 'permission_denied' },
  { title: '403 without a body', service: async () => new Response(null, { status: 403 }), code: 'permission_denied' },
  { title: '404 of a find', service: async () => refusal(404, 34), code: 'not_found' },
  { title: '404 of a find, malformed', service: async () => refusal(404, 6), code: 'not_found' },
  { title: '502 as HTML', service: async () => page(502), code: 'upstream', reason: 'overloaded' },
  { title: '504 as HTML', service: async () => page(504), code: 'upstream', reason: 'overloaded' },
  { title: 'HTML with 200', service: async () => page(200), code: 'upstream', reason: 'not_json' },
  { title: 'a text', service: async () => Response.json('x'), code: 'invalid_data', reason: 'unexpected_answer' },
];

const film = {
  id: 'movie:296',
  type: 'video',
  subtype: 'movie',
  title: 'Example Movie',
  year: 2003,
  durationMs: 109 * 60_000,
  tags: ['action', 'thriller', 'robot'],
  url: 'https://www.themoviedb.org/movie/296',
  ids: { tmdb: '296', imdb: 'tt0181852' },
} as const;
const show = {
  id: 'tv:8592',
  type: 'video',
  subtype: 'tv_show',
  title: 'Example Show',
  year: 2009,
  durationMs: 22 * 60_000,
  tags: ['comedy', 'small town'],
  url: 'https://www.themoviedb.org/tv/8592',
  ids: { tmdb: '8592', imdb: 'tt1266020', tvdb: '84912' },
} as const;
const pilot = {
  id: 'tv:8592:s1e1',
  type: 'video',
  subtype: 'tv_episode',
  title: 'Pilot',
  creator: 'Example Show',
  year: 2009,
  durationMs: 24 * 60_000,
  tags: ['comedy', 'small town'],
  url: 'https://www.themoviedb.org/tv/8592/season/1/episode/1',
  ids: { tmdb: '1', imdb: 'tt1370967', tvdb: '421821' },
} as const;
const nameless = {
  id: 'movie:7',
  type: 'video',
  subtype: 'movie',
  title: 'TMDB movie:7',
  tags: [],
  url: 'https://www.themoviedb.org/movie/7',
  ids: { tmdb: '7', tvdb: '12' },
} as const;

describe.each([
  ['by the host’s token', { provider: tmdb({ apiKey: READ_TOKEN }) }],
  ['by the host’s key', { provider: tmdb({ apiKey: KEY }) }],
  ['by a key of the user', { provider: tmdb(), credentials: { fields: { apiKey: KEY } } }],
] as const)('the catalogue keeps its contract, %s', (_, access) => {
  const underTest: CatalogUnderTest = {
    ...access,
    now: NOW,
    service: new TmdbServer().fetch,
    known: [
      { ids: { imdb: 'tt0181852' }, entry: film },
      { ids: { imdb: 'tt1266020' }, entry: show },
      { ids: { tvdb: '84912' }, entry: show },
      { ids: { imdb: 'tt1370967' }, entry: pilot },
      { ids: { tvdb: '421821' }, entry: pilot },
    ],
    ambiguous: { ids: { tvdb: '12' }, entries: [nameless, { ...show, ids: { ...show.ids, tvdb: '12' } }] },
    unknown: { imdb: 'tt9999999', tvdb: '9999999' },
    unaskable: { isrc: 'GBAYE6800011', tmdb: '296', imdb: '../movie/296' },
    gone: 'movie:404',
    errors: [...errors, ...others],
  };
  for (const { id, title, skip, run } of catalogConformance(underTest)) test.skipIf(skip)(`${id} ${title}`, run);
});
