import { addConnection, createRegistry, describeProvider, queryItems, syncLibrary } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { youtube } from '@mca/core/providers/youtube';
import { type ExpectedError, fakeClock, historyConformance, providerContext } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { CHANNEL, type FakeLike, refusal, TOKEN, videoOf, YouTubeServer } from './__fixtures__/server.ts';

const NOW = Date.UTC(2026, 8, 10);
const T0 = NOW - 300 * 86_400_000;
const HOUR = 3_600_000;
const provider = youtube({ clientId: 'app-of-the-host', clientSecret: 'secret-of-the-host' });
const { library, sessionCheck } = provider.capabilities;
const sign = ({ headers }: { headers: Headers }) => headers.set('authorization', `Bearer ${TOKEN}`);
const start = { cursor: undefined, since: undefined, until: undefined, highWater: undefined, limit: 1_000 };
type Request = Parameters<typeof library.fetchPage>[1];

const likes = (count: number): FakeLike[] =>
  Array.from({ length: count }, (_, index) => ({ video: videoOf(index), at: T0 + index * HOUR, owner: 'Rope Lab' }));
const contextOf = (server: YouTubeServer) =>
  providerContext({ provider, fetch: server.fetch, now: NOW, sign, credentials: { account: CHANNEL } });

async function walk(server: YouTubeServer, request: Partial<Request> = {}, most = 50) {
  const pages = [];
  let next: Request = { ...start, ...request };
  for (let guard = 0; guard < most; guard += 1) {
    const page = await library.fetchPage(contextOf(server), next);
    pages.push(page);
    if (!page.hasMore) break;
    next = { ...next, cursor: page.cursor };
  }
  return pages;
}

const onlyLike = async (like: Partial<FakeLike>) =>
  (await walk(new YouTubeServer([{ video: videoOf(7), at: T0, owner: 'Rope Lab', ...like }])))[0]?.items[0];

const answering =
  (answer: Response): typeof globalThis.fetch =>
  async () =>
    answer.clone();
const html = (status: number) =>
  new Response('<html><body>Error</body></html>', { status, headers: { 'content-type': 'text/html' } });
const scopes = Response.json(
  { error: { code: 403, status: 'PERMISSION_DENIED', details: [{ reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT' }] } },
  { status: 403 },
);
const badKey = Response.json({ error: { code: 400, details: [{ reason: 'API_KEY_INVALID' }] } }, { status: 400 });

/** The table of the README. */
const errors: readonly ExpectedError[] = (
  [
    ['a token that is over', refusal(401, 'authError', 'UNAUTHENTICATED'), 'auth_expired', 'token_rejected'],
    ['an account without a channel', refusal(401, 'youtubeSignupRequired'), 'permission_denied', 'no_channel'],
    ['units that are used up', refusal(403, 'quotaExceeded'), 'rate_limit', 'quota_exceeded'],
    ['a limit of the day', refusal(403, 'dailyLimitExceeded'), 'rate_limit', 'quota_exceeded'],
    ['too little scope', refusal(403, 'insufficientPermissions'), 'permission_denied', 'missing_scopes'],
    ['the same, in detail', scopes, 'permission_denied', 'missing_scopes'],
    ['an API that is switched off', refusal(403, 'accessNotConfigured'), 'permission_denied', 'api_disabled'],
    ['the watch history', refusal(403, 'watchHistoryNotAccessible'), 'permission_denied', 'takeout_only'],
    ['a closed account', refusal(403, 'authenticatedUserAccountClosed'), 'permission_denied', undefined],
    ['a list that is not there', refusal(404, 'playlistNotFound'), 'not_found', 'playlist_unknown'],
    ['a bad parameter', refusal(400, 'invalidFilters'), 'invalid_data', undefined],
    ['a bad API key', badKey, 'configuration', 'invalid_client'],
    ['edits at the same time', refusal(409, 'aborted', 'ABORTED'), 'upstream', undefined],
    ['a failing server', refusal(500, 'backendError'), 'upstream', undefined],
    ['a page of its proxy', html(502), 'upstream', undefined],
    ['a page where an answer should be', html(200), 'upstream', 'not_json'],
    ['an answer of another shape', Response.json({ items: 7 }), 'invalid_data', 'unexpected_answer'],
  ] as const
).map(([title, answer, code, reason]) => ({ title, service: answering(answer), code, reason }));

describe('conformance of likes', () => {
  const full = likes(135);
  const bad = [...likes(3), { video: 'bad', at: T0, raw: { snippet: { publishedAt: 'yesterday' } } }];
  const cases = historyConformance({
    provider,
    capability: 'library',
    now: NOW,
    limit: 50,
    credentials: { account: CHANNEL, token: TOKEN },
    service: {
      full: new YouTubeServer(full).fetch,
      empty: new YouTubeServer().fetch,
      withBadRecord: new YouTubeServer(bad).fetch,
    },
    expected: full.map(({ video }) => `liked:${video}`),
    errors,
  });
  for (const { id, title, skip, run } of cases) test.skipIf(skip)(`${id} ${title}`, run);
});

describe('likes', () => {
  test('one, in full', async () => {
    expect(
      await onlyLike({
        title: 'How to Tie a Knot',
        duration: 'PT1H2M3S',
        topics: ['https://en.wikipedia.org/wiki/Lifestyle_(sociology)', 'https://en.wikipedia.org/wiki/Knowledge'],
      }),
    ).toEqual({
      platform: 'youtube',
      externalId: 'liked:v0000000007',
      type: 'video',
      action: 'liked',
      title: 'How to Tie a Knot',
      creator: 'Rope Lab',
      consumedAt: new Date(T0),
      durationMs: 3_723_000,
      tags: ['Lifestyle (sociology)', 'Knowledge'],
      url: 'https://www.youtube.com/watch?v=v0000000007',
      contentId: 'v0000000007',
      ids: { youtube: 'v0000000007' },
      source: 'liked-videos',
      precision: 'second',
      rawMetadata: { channelId: 'UCowner' },
    });
  });

  test.each([
    ['PT45S', 45_000],
    ['PT15M51S', 951_000],
    ['P1DT2H3M4S', 93_784_000],
    ['P0D', undefined],
    ['PT0S', undefined],
    ['three minutes', undefined],
  ])('a length of %s', async (duration, durationMs) => {
    expect((await onlyLike({ duration }))?.durationMs).toBe(durationMs);
  });

  test('the channel that YouTube makes of an artist is music', async () => {
    expect(await onlyLike({ owner: 'Some Band - Topic' })).toMatchObject({
      type: 'music',
      creator: 'Some Band',
      url: 'https://music.youtube.com/watch?v=v0000000007',
    });
  });

  test('a video that is gone is left out and counted', async () => {
    const gone = { video: videoOf(7), at: T0, title: 'Deleted video' };
    expect(await walk(new YouTubeServer([gone, ...likes(2)]))).toMatchObject([
      { read: 3, skipped: { unavailable: 1 }, rejected: [], items: [{}, {}] },
    ]);
  });

  test('a list that is cut tells of a gap below its oldest like', async () => {
    const all = likes(4_600);
    for (const { total, gap } of [
      { total: 4_600, gap: undefined },
      { total: 6_000, gap: { from: Date.UTC(2005, 1, 14), to: T0 } },
    ]) {
      const server = new YouTubeServer(all);
      server.total = total;
      const pages = await walk(server, {}, 100);
      expect(pages.at(-1)?.gap).toEqual(gap);
      expect(pages.slice(0, -1).every((page) => page.gap === undefined)).toBe(true);
      expect(pages).toHaveLength(92);
      expect((await walk(server, { since: T0 + 4_590 * HOUR }))[0]?.gap).toBeUndefined();
    }
  });

  test('numbers that are not exact tell of no gap', async () => {
    const server = new YouTubeServer(likes(60));
    server.total = 70;
    expect((await walk(server)).map(({ gap }) => gap)).toEqual([undefined, undefined]);
  });

  test('a whole list of 135 costs seven units; what is new, three', async () => {
    const server = new YouTubeServer(likes(135));
    await walk(server);
    expect(server.calls.map(({ path }) => path)).toEqual([
      'channels',
      ...['playlistItems', 'videos', 'playlistItems', 'videos', 'playlistItems', 'videos'],
    ]);
    server.calls.length = 0;
    const pages = await walk(server, { since: T0 + 130 * HOUR });
    expect(pages).toHaveLength(1);
    expect(server.calls).toHaveLength(3);
  });

  test('an account without a channel has no likes, and that is no error', async () => {
    const server = new YouTubeServer();
    server.hasChannel = false;
    expect(await walk(server)).toMatchObject([{ read: 0, hasMore: false }]);
    expect(await sessionCheck.check(contextOf(server))).toEqual({ valid: true });
  });

  test('a page token that is not known any more begins the walk again', async () => {
    const server = new YouTubeServer(likes(3));
    const lost = library.fetchPage(contextOf(server), { ...start, cursor: 'LL|50|gone' });
    await expect(lost).rejects.toMatchObject({ code: 'invalid_data', reason: 'cursor_invalid' });
  });

  test('a quota that is used up is waited for, two hours at a time', async () => {
    const answer = library.fetchPage(
      providerContext({ provider, fetch: answering(refusal(403, 'quotaExceeded')), now: NOW, sign }),
      start,
    );
    await expect(answer).rejects.toMatchObject({ code: 'rate_limit', retryAfterMs: 2 * HOUR });
  });
});

describe('as a host uses it', () => {
  test('connected, likes come home and belong to the channel', async () => {
    const time = fakeClock(NOW);
    const server = new YouTubeServer(likes(60));
    const registry = createRegistry({
      providers: [provider],
      ...memory({ clock: time.clock }),
      insecurePlaintextForTests: true,
      env: { clock: time.clock, timers: time.timers, fetch: server.fetch },
    });
    const scopesGranted = ['https://www.googleapis.com/auth/youtube.readonly'];
    const credentials = {
      accessToken: TOKEN,
      refreshToken: '1//canary',
      expiresAt: new Date(NOW + HOUR),
      scopes: scopesGranted,
    };
    const request = { userId: 'ana', provider: 'youtube' } as const;
    const { account, label } = await time.until(addConnection(registry, { ...request, credentials }));
    expect([account, label]).toEqual([CHANNEL, 'Ana']);
    expect(await time.until(syncLibrary(registry, request))).toMatchObject({
      status: 'complete',
      counts: { inserted: 60 },
    });
    expect((await queryItems(registry, { userId: 'ana', action: 'liked', limit: 100 })).items).toHaveLength(60);
  });

  test('what is stored of a like stays when its video is gone', async () => {
    const time = fakeClock(NOW);
    const server = new YouTubeServer(likes(3));
    const registry = createRegistry({
      providers: [provider],
      ...memory({ clock: time.clock }),
      insecurePlaintextForTests: true,
      env: { clock: time.clock, timers: time.timers, fetch: server.fetch },
    });
    const request = { userId: 'ana', provider: 'youtube' } as const;
    const scopesGranted = ['https://www.googleapis.com/auth/youtube.readonly'];
    const credentials = { accessToken: TOKEN, expiresAt: new Date(NOW + 100 * HOUR), scopes: scopesGranted };
    await time.until(addConnection(registry, { ...request, credentials }));
    await time.until(syncLibrary(registry, request));
    const before = (await queryItems(registry, { userId: 'ana' })).items;
    for (const [index, { video, at }] of server.likes.entries())
      server.likes[index] = { video, at, title: 'Deleted video' };
    const again = await time.until(syncLibrary(registry, { ...request, again: 'everything' }));
    expect(again).toMatchObject({ status: 'complete', skipped: { unavailable: 3 }, counts: { updated: 0 } });
    const after = (await queryItems(registry, { userId: 'ana' })).items;
    expect(after).toEqual(before);
    expect(after.map(({ creator }) => creator)).toEqual(['Rope Lab', 'Rope Lab', 'Rope Lab']);
  });

  test('without client credentials it reads files only, and says so', () => {
    expect(describeProvider(youtube())).toMatchObject({ capabilities: ['fileImport'], supportsAuth: false });
    expect(describeProvider(provider)).toMatchObject({
      capabilities: ['library', 'fileImport', 'sessionCheck'],
      supportsAuth: true,
    });
  });
});
