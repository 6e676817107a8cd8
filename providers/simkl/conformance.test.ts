import { simkl } from '@mca/core/providers/simkl';
import { type ExpectedError, type GrowingService, historyConformance, type ShrinkingService } from '@mca/core/testing';
import { describe, test } from 'vitest';
import {
  CLIENT,
  type FakeThing,
  idOf,
  NOW,
  page,
  rated,
  refusal,
  SimklServer,
  TOKEN,
  watched,
} from './__fixtures__/server.ts';

const provider = simkl({ clientId: CLIENT, appName: 'testing' });
const credentials = { account: '51234', token: TOKEN };

/** The whole table of the README. */
const errors: readonly ExpectedError[] = (
  [
    [400, 'empty_field', 'invalid_data', 'bad_request'],
    [400, 'wrong_parameter', 'invalid_data', 'bad_request'],
    [401, 'user_token_failed', 'auth_expired', 'token_rejected'],
    [401, 'grant_error', 'auth_expired', 'token_rejected'],
    [403, 'key_failed', 'permission_denied', 'app_not_allowed'],
    [404, 'id_err', 'not_found', 'unknown_id'],
    [404, 'url_failed', 'not_found', 'unknown_address'],
    [404, 'something', 'not_found', undefined],
    [405, 'method', 'invalid_data', 'wrong_method'],
    [409, 'exists', 'invalid_data', 'already_there'],
    [412, 'client_id_failed', 'permission_denied', 'client_id_failed'],
    [418, 'something', 'invalid_data', undefined],
    [429, 'rate_limit', 'rate_limit', undefined],
    [500, 'something', 'upstream', undefined],
    [502, 'something', 'upstream', undefined],
    [503, 'something', 'upstream', undefined],
  ] as const
).map(([status, error, code, reason]) => ({
  title: `${status} ${error}`,
  service: async () => refusal(status, error),
  code,
  reason,
}));
const others: readonly ExpectedError[] = [
  ...[500, 502, 503].map((status) => ({
    title: `${status} as HTML`,
    service: async () => page(status),
    code: 'upstream' as const,
  })),
  { title: 'HTML with status 200', service: async () => page(200), code: 'upstream', reason: 'not_json' },
  { title: 'a text', service: async () => Response.json('OK'), code: 'invalid_data', reason: 'unexpected_answer' },
];

/** Something is watched or rated now and then, of a type that was asked for already as well as of one still to come. */
function growing(make: (id: number, at: number) => FakeThing, nameOf: (thing: FakeThing) => string): GrowingService {
  const server = new SimklServer(rated(35));
  let id = 5_000;
  return {
    fetch: server.fetch,
    grow() {
      id += 1;
      const thing = make(id, NOW + (id - 5_000) * 1_000);
      server.things.push(thing);
      return [nameOf(thing)];
    },
  };
}

/** A show with all its episodes, a film and an anime are taken from their lists. */
function shrinking(namesOf: (thing: FakeThing) => readonly string[]): ShrinkingService {
  const server = new SimklServer(rated(35));
  const [show, film, anime] = server.things.slice(9, 12) as [FakeThing, FakeThing, FakeThing];
  const second = { season: 2, number: 1, at: NOW - 3_600_000 };
  show.episodes = [...(show.episodes ?? []), second];
  return {
    fetch: server.fetch,
    remove() {
      for (const thing of [show, film, anime]) server.remove(thing, NOW + 1_000);
      return [show, film, anime].flatMap(namesOf);
    },
  };
}

const types = ['shows', 'movies', 'anime'] as const;
const newThing = (id: number, at: number): FakeThing => {
  const type = types[id % 3] ?? 'shows';
  return {
    type,
    id,
    changedAt: at,
    ...(type === 'movies' ? { watchedAt: at } : { episodes: [{ season: 1, number: 1, at }] }),
  };
};
const ratingOf = ({ type, id }: FakeThing): string =>
  `rated:${{ shows: 'show', anime: 'anime', movies: 'movie' }[type]}:${id}`;

describe('history keeps its contract', () => {
  const full = watched(35);
  const bad = { ...newThing(9, NOW), type: 'movies' as const, raw: { last_watched_at: 'yesterday' } };
  const suite = historyConformance({
    provider,
    credentials,
    now: NOW,
    service: {
      full: new SimklServer(full).fetch,
      empty: new SimklServer().fetch,
      withBadRecord: new SimklServer([...watched(4), bad]).fetch,
      growing: () => growing(newThing, idOf),
      shrinking: () =>
        shrinking((thing) => [
          idOf(thing),
          ...(thing.type === 'shows' ? [`${(NOW - 3_600_000) / 1_000}:show:${thing.id}:s2e1`] : []),
        ]),
    },
    expected: full.map((thing) => ({ externalId: idOf(thing), consumedAt: new Date(thing.changedAt) })),
    personal: ['Ana', 'Europe/Lisbon'],
    errors: [...errors, ...others],
  });
  for (const { id, title, skip, run } of suite) test.skipIf(skip)(`${id} ${title}`, run);
});

describe('ratings keep their contract', () => {
  const full = rated(35);
  const suite = historyConformance({
    provider,
    capability: 'ratings',
    credentials,
    now: NOW,
    service: {
      full: new SimklServer(full).fetch,
      empty: new SimklServer(watched(3)).fetch,
      withBadRecord: new SimklServer([...rated(4), { ...newThing(9, NOW), rating: { value: 11, at: NOW } }]).fetch,
      growing: () => growing((id, at) => ({ ...newThing(id, at), rating: { value: 5, at } }), ratingOf),
      shrinking: () => shrinking((thing) => [ratingOf(thing)]),
    },
    expected: full.map(ratingOf),
    errors: [...errors, ...others],
  });
  for (const { id, title, skip, run } of suite) test.skipIf(skip)(`${id} ${title}`, run);
});
