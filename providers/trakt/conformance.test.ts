import { trakt } from '@mca/core/providers/trakt';
import { type ExpectedError, type GrowingService, historyConformance, type ShrinkingService } from '@mca/core/testing';
import { describe, test } from 'vitest';
import {
  AGENT,
  blocked,
  CLIENT,
  NOW,
  plays,
  rated,
  refusal,
  type ServerOptions,
  TOKEN,
  TraktServer,
  USER,
} from './__fixtures__/server.ts';

const DAY = 86_400_000;
const provider = trakt({ clientId: CLIENT, userAgent: AGENT });
const serving = (options: ServerOptions): TraktServer => new TraktServer(options);

/** The whole table of the README. */
const errors: readonly ExpectedError[] = (
  [
    [400, 'invalid_data', 'bad_request'],
    [401, 'auth_expired', 'token_rejected'],
    [403, 'permission_denied', 'app_not_allowed'],
    [404, 'not_found', undefined],
    [405, 'invalid_data', 'wrong_method'],
    [409, 'invalid_data', 'already_there'],
    [412, 'invalid_data', 'missing_headers'],
    [418, 'invalid_data', undefined],
    [420, 'permission_denied', 'account_limit'],
    [422, 'invalid_data', 'invalid_values'],
    [423, 'permission_denied', 'account_locked'],
    [426, 'permission_denied', 'vip_only'],
    [429, 'rate_limit', undefined],
    [500, 'upstream', undefined],
    [502, 'upstream', 'overloaded'],
    [503, 'upstream', 'overloaded'],
    [504, 'upstream', 'overloaded'],
    [520, 'upstream', 'unreachable'],
    [521, 'upstream', 'unreachable'],
    [522, 'upstream', 'unreachable'],
  ] as const
).map(([status, code, reason]) => ({
  title: `status ${status} without a body`,
  service: async () => refusal(status),
  code,
  reason,
}));
const proxied: readonly ExpectedError[] = [
  {
    title: '403 of the proxy',
    service: async () => blocked(403),
    code: 'permission_denied',
    reason: 'blocked_by_proxy',
  },
  { title: '502 of the proxy', service: async () => blocked(502), code: 'upstream', reason: 'overloaded' },
  { title: 'a page of the proxy', service: async () => blocked(200), code: 'upstream', reason: 'not_json' },
  { title: 'no list', service: async () => Response.json({}), code: 'invalid_data', reason: 'unexpected_answer' },
];

/** Plays that arrive a minute apart, after all others. */
function growingHistory(server: TraktServer): GrowingService {
  let id = 20_000;
  return {
    fetch: server.fetch,
    grow() {
      id += 1;
      server.plays.unshift({ id, at: NOW - DAY + (id - 20_000) * 60_000, of: id });
      return [`history:${id}`];
    },
  };
}

/** Ratings that push all others down the list. */
function growingRatings(server: TraktServer): GrowingService {
  let of = 500;
  return {
    fetch: server.fetch,
    grow() {
      of += 1;
      server.ratings.unshift({ at: NOW, of, rating: 5 });
      server.changedAt += 1_000;
      return [`rated:movie:${of}`];
    },
  };
}

/** Ratings of which two are taken away. */
function shrinkingRatings(server: TraktServer): ShrinkingService {
  return {
    fetch: server.fetch,
    remove() {
      server.changedAt += 1_000;
      return server.ratings.splice(3, 2).map(({ of }) => `rated:movie:${of}`);
    },
  };
}

describe('history keeps its contract', () => {
  const full = plays(35);
  const suite = historyConformance({
    provider,
    credentials: { account: USER.uuid, token: TOKEN },
    now: NOW,
    service: {
      full: serving({ plays: full }).fetch,
      empty: serving({}).fetch,
      withBadRecord: serving({
        plays: [...plays(2), { id: 5, at: NOW, of: 5, raw: { watched_at: 'yesterday' } }],
      }).fetch,
      growing: () => growingHistory(new TraktServer({ plays: full })),
    },
    expected: full.map(({ id }) => `history:${id}`),
    errors: [...errors, ...proxied],
  });
  for (const { id, title, skip, run } of suite) test.skipIf(skip)(`${id} ${title}`, run);
});

describe('ratings keep their contract', () => {
  const full = rated(35);
  const suite = historyConformance({
    provider,
    capability: 'ratings',
    credentials: { account: USER.uuid, token: TOKEN },
    now: NOW,
    service: {
      full: serving({ ratings: full }).fetch,
      empty: serving({}).fetch,
      withBadRecord: serving({ ratings: [...rated(2), { at: NOW, of: 5, rating: 11 }] }).fetch,
      growing: () => growingRatings(new TraktServer({ ratings: full })),
      shrinking: () => shrinkingRatings(new TraktServer({ ratings: full })),
    },
    expected: full.map(({ of }) => `rated:movie:${of}`),
    errors: [...errors, ...proxied],
  });
  for (const { id, title, skip, run } of suite) test.skipIf(skip)(`${id} ${title}`, run);
});
