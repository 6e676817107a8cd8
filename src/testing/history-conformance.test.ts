import { describe, expect, test } from 'vitest';
import { tellingHistory } from '../../test/support/telling-history.ts';
import type { ItemPage, PresentContent } from '../contracts/capabilities/history.ts';
import type { HistoryCapability } from '../contracts/capabilities/index.ts';
import type { Fetch } from '../contracts/env.ts';
import { McaError } from '../contracts/errors.ts';
import type { MediaItem } from '../contracts/media-item.ts';
import { faultOf } from '../history/check-item.ts';
import { fakeProvider } from './fake-provider.ts';
import { type FakePlay, FakeService } from './fake-service.ts';
import { type GrowingService, type HistoryUnderTest, historyConformance } from './history-conformance.ts';
import type { ShrinkingService } from './removal-cases.ts';

const NOW = Date.UTC(2026, 0, 1);
const PLAYS: readonly FakePlay[] = Array.from({ length: 35 }, (_, index) => ({
  id: `song-${index}`,
  // Two plays in one second, over and over: where pages meet, nothing may get lost.
  playedAt: NOW - 40 * 60_000 + Math.floor(index / 2) * 60_000,
  title: `Song ${index}`,
}));

function serviceOf(plays: readonly FakePlay[]): Fetch {
  const service = new FakeService({ now: () => NOW });
  service.add('ada', ...plays);
  return service.fetch;
}

function growingService(): GrowingService {
  const service = new FakeService({ now: () => NOW + 3_600_000 });
  service.add('ada', ...PLAYS);
  let added = 0;
  return {
    fetch: service.fetch,
    grow() {
      added += 1;
      const play = { id: `new-${added}`, playedAt: NOW + added * 1_000, title: `New ${added}` };
      service.add('ada', play);
      return [`${play.playedAt / 1_000}:${play.id}`];
    },
  };
}

/** The oldest and the newest play are removed. */
function shrinkingService(): ShrinkingService {
  const service = new FakeService({ now: () => NOW + 3_600_000 });
  service.add('ada', ...PLAYS);
  const gone = PLAYS.filter((_, index) => index % (PLAYS.length - 1) === 0);
  return {
    fetch: service.fetch,
    remove() {
      service.remove('ada', ...gone.map(({ id }) => id));
      return gone.map(({ id, playedAt }) => `${playedAt / 1_000}:${id}`);
    },
  };
}

const refusal = (status: number): Fetch => {
  return async () => Response.json({ error: 'x' }, { status, headers: { 'retry-after': '90' } });
};

/** The fake provider with parts of its history replaced. */
function underTest(broken?: (real: HistoryCapability) => Partial<HistoryCapability>): HistoryUnderTest {
  const options = { baseUrl: 'https://service.test/v1' };
  const real = fakeProvider(options).capabilities.history;
  const [good = { id: '', playedAt: 0, title: '' }, bad = good] = PLAYS;
  return {
    provider: fakeProvider({ ...options, history: broken?.(real) }),
    now: NOW,
    service: {
      full: serviceOf(PLAYS),
      empty: serviceOf([]),
      withBadRecord: serviceOf([good, { ...bad, poison: true }]),
      growing: growingService,
    },
    expected: PLAYS.map(({ id, playedAt }, index) => {
      const externalId = `${playedAt / 1_000}:${id}`;
      return index % 2 === 0 ? externalId : { externalId, consumedAt: new Date(playedAt) };
    }),
    personal: ['Phone of Ada'],
    errors: [
      { title: 'status 401', service: refusal(401), code: 'auth_expired' },
      { title: 'status 429', service: refusal(429), code: 'rate_limit' },
      { title: 'status 500', service: refusal(500), code: 'upstream' },
    ],
  };
}

describe('historyConformance: the fake provider keeps every promise', () => {
  for (const { id, title, skip, run } of historyConformance(underTest())) test.skipIf(skip)(`${id} ${title}`, run);
});

describe('historyConformance: a provider that tells what was removed', () => {
  const suite = underTest(() => tellingHistory);
  const service = { ...suite.service, shrinking: shrinkingService };
  for (const { id, title, skip, run } of historyConformance({ ...suite, service }))
    test.skipIf(skip)(`${id} ${title}`, run);
});

type Change = (page: ItemPage) => Partial<ItemPage>;
const changing = (change: Change) => (real: HistoryCapability) => ({
  fetchPage: async (...args: Parameters<HistoryCapability['fetchPage']>) => {
    const page = await real.fetchPage(...args);
    return { ...page, ...change(page) };
  },
});

const items = (change: (item: MediaItem) => object) =>
  changing((page) => ({ items: page.items.map((item) => ({ ...item, ...change(item) })) }));

/** Ends each walk with a cursor that says up to when it went; the next one begins `skippedMs` later. */
const keeping =
  (skippedMs: number) =>
  (real: HistoryCapability): Partial<HistoryCapability> => ({
    keepsCursor: true,
    async fetchPage(context, { cursor, ...request }) {
      const since = cursor?.startsWith('kept:') ? Number(cursor.slice(5)) + skippedMs : request.since;
      const page = await real.fetchPage(context, {
        ...request,
        since,
        cursor: cursor?.startsWith('kept:') ? undefined : cursor,
      });
      const newest = Math.max(since ?? 0, ...page.items.map(({ consumedAt }) => consumedAt.getTime()));
      return page.hasMore ? page : { ...page, cursor: `kept:${newest}` };
    },
  });

describe('historyConformance: cursors that are kept', () => {
  for (const { id, title, skip, run } of historyConformance(underTest(keeping(0))))
    test.skipIf(skip)(`${id} ${title}`, run);
});

/** Says what is there otherwise than it is. */
const telling =
  (change: (ids: readonly string[], page: ItemPage) => Partial<PresentContent>) => (): Partial<HistoryCapability> => ({
    async fetchPage(context, request) {
      const page = await tellingHistory.fetchPage?.(context, request);
      if (!page?.present) return page ?? expect.fail('there is a page');
      const present = page.present.map((each) => ({ ...each, ...change(each.contentIds, page) }));
      return { ...page, present };
    },
  });

const MUTANTS: Readonly<Record<string, (real: HistoryCapability) => Partial<HistoryCapability>>> = {
  'HIST-1 loses the last item of a page': changing(({ items, read }) => ({
    items: items.slice(0, -1),
    read: read - 1,
  })),
  'HIST-1 resumes after the next page': (real) => ({
    async fetchPage(context, request) {
      if (request.cursor === undefined) return real.fetchPage(context, request);
      const skipped = await real.fetchPage(context, request);
      return skipped.hasMore ? real.fetchPage(context, { ...request, cursor: skipped.cursor }) : skipped;
    },
  }),
  'HIST-1 counts places from the end, which moves when something arrives': (real) => ({
    async fetchPage(context, request) {
      const whole = await real.fetchPage(context, { ...request, cursor: undefined, limit: 200 });
      if (request.since !== undefined || request.until !== undefined) return whole;
      const done = Number(request.cursor ?? 0);
      // As much as was there at first: what arrives pushes the oldest out.
      const items = whole.items.toReversed().slice(done, Math.min(done + 10, PLAYS.length));
      const hasMore = done + items.length < PLAYS.length;
      return { ...whole, read: items.length, items, cursor: String(done + items.length), hasMore };
    },
  }),
  'HIST-1 tells the end of a play in place of its start': items(({ consumedAt }) => ({
    consumedAt: new Date(consumedAt.getTime() + 200_000),
  })),
  'HIST-2 makes keys anew each time': (real) => {
    let calls = 0;
    return changing(({ items }) => {
      calls += 1;
      return { items: items.map((item) => ({ ...item, externalId: `${item.externalId}:${calls}` })) };
    })(real);
  },
  'HIST-3 gives a day less than asked for': (real) => ({
    fetchPage: (context, request) =>
      real.fetchPage(context, { ...request, since: request.since && request.since + 86_400_000 }),
  }),
  'HIST-4 counts what it sends, not what came': changing(({ items }) => ({ read: items.length })),
  'HIST-5 names another platform': changing(({ items }) => ({
    items: items.map((item) => ({ ...item, platform: 'x' })),
  })),
  'HIST-5 keeps personal data': items(() => ({ rawMetadata: { device: 'Phone of Ada' } })),
  'HIST-5 repeats personal data when it rejects': changing(({ rejected }) => ({
    rejected: rejected.map((each) => ({ ...each, message: 'bad: Phone of Ada' })),
  })),
  'HIST-6 drops bad records silently': changing(({ items }) => ({ rejected: [], read: items.length })),
  'HIST-6 fails as a whole': (real) => ({
    async fetchPage(context, request) {
      const page = await real.fetchPage(context, request);
      if (page.rejected.length > 0) throw new TypeError('unexpected');
      return page;
    },
  }),
  'HIST-7 never looks at the signal': (real) => ({
    fetchPage: (context, request) =>
      context.signal.aborted
        ? new Promise<never>((_, reject) => reject(new Error('late')))
        : real.fetchPage(context, request),
  }),
  'HIST-7 waits for an answer that never comes': (real) => ({
    fetchPage: (...args) => real.fetchPage(...args).catch(() => new Promise<never>(() => {})),
  }),
  'HIST-7 takes an abort under way for an outage': (real) => ({
    async fetchPage(context, request) {
      const { aborted } = context.signal;
      return real.fetchPage(context, request).catch((error: unknown) => {
        if (aborted || !context.signal.aborted) throw error;
        throw new McaError({ code: 'upstream', message: 'No answer.' });
      });
    },
  }),
  'HIST-8 says an empty account has more': changing(({ items }) =>
    items.length === 0 ? { hasMore: true, cursor: 'x' } : {},
  ),
  'HIST-9 lets raw errors out': (real) => ({
    fetchPage: (...args) => real.fetchPage(...args).catch(() => Promise.reject(new Error('http 500'))),
  }),
  'HIST-10 walks newest first and says otherwise': changing(({ items }) => ({
    items: items.map((item, index) => ({
      ...item,
      consumedAt: new Date(NOW - index * 60_000 - items.length * 60_000),
    })),
  })),
  'HIST-11 takes any position for the beginning': (real) => ({
    fetchPage: (context, request) =>
      real.fetchPage(context, request.cursor?.startsWith('no ') ? { ...request, cursor: undefined } : request),
  }),
  'HIST-12 ends minutes before the bound': (real) => ({
    fetchPage: (context, request) =>
      real.fetchPage(context, { ...request, until: request.until && request.until - 5 * 60_000 }),
  }),
  'HIST-13 has no cursor to keep': () => ({ keepsCursor: true }),
  'HIST-13 passes over what comes next': keeping(3_600_000),
  'HIST-14 takes what is on a page for all there is': telling((_, { items }) => ({
    contentIds: items.map(({ contentId = '' }) => contentId),
  })),
  'HIST-14 names things otherwise than its items do': telling((ids) => ({ contentIds: ids.map((id) => `x-${id}`) })),
  'HIST-14 names ids without their prefix': telling(() => ({ prefix: 'show:' })),
  'HIST-14 speaks of a source it does not declare': telling(() => ({ source: 'x' })),
  'HIST-14 goes on naming what was removed': telling((ids) => ({ contentIds: [...ids, 'song-0'] })),
  'HIST-14 never says what it has': () => ({}),
  'HIST-12 takes the bound for the beginning': (real) => ({
    fetchPage: (context, { until, ...request }) =>
      real.fetchPage(context, { ...request, until: undefined, since: until }),
  }),
};

describe('historyConformance: catches', () => {
  for (const [name, broken] of Object.entries(MUTANTS)) {
    const [id] = name.split(' ');
    test(name, async () => {
      const suite = underTest(broken);
      const service = { ...suite.service, ...(id === 'HIST-14' && { shrinking: shrinkingService }) };
      const cases = historyConformance({ ...suite, service }).filter((each) => each.id === id && !each.skip);
      const results = await Promise.allSettled(cases.map(({ run }) => run()));
      expect(results.some(({ status }) => status === 'rejected')).toBe(true);
    });
  }
});

/** What an item may not say; `passes` where the engine does not look, for the sake of speed. */
const FAULTS: Readonly<Record<string, { readonly change: object; readonly passes?: true }>> = {
  'an undeclared source': { change: { source: 'x' } },
  'no externalId': { change: { externalId: '' } },
  'a long externalId': { change: { externalId: 'x'.repeat(513) } },
  'no title': { change: { title: '' } },
  'no date': { change: { consumedAt: new Date(Number.NaN) } },
  'a text for a date': { change: { consumedAt: '2026-01-01' } },
  'negative time': { change: { timeSpentMs: -1 } },
  'endless time': { change: { durationMs: Number.POSITIVE_INFINITY } },
  'an unknown type': { change: { type: 'song' } },
  'an unknown action': { change: { action: 'heard' } },
  'an unknown precision': { change: { precision: 'week' } },
  'a rating of 11': { change: { rating: 11 } },
  'much metadata': { change: { rawMetadata: { text: 'x'.repeat(16_400) } } },
  'a finer precision than declared': { change: { source: 'days', precision: 'second' }, passes: true },
  'no tags': { change: { tags: undefined }, passes: true },
  'no ids': { change: { ids: undefined }, passes: true },
  'an empty id': { change: { ids: { mbid: '' } }, passes: true },
  'an ISRC with dashes': { change: { ids: { isrc: 'GB-AYE-68-00011' } }, passes: true },
  'seconds taken for milliseconds': { change: { consumedAt: new Date(NOW / 1_000) }, passes: true },
  'a date three days ahead': { change: { consumedAt: new Date(NOW + 3 * 86_400_000) }, passes: true },
};

describe('HIST-5 refuses what the engine refuses, and more', () => {
  for (const [name, { change, passes }] of Object.entries(FAULTS)) {
    test(name, async () => {
      const days = { name: 'Days', precision: 'day', rank: 0 } as const;
      const faults: (string | undefined)[] = [];
      const broken = historyConformance(
        underTest((real) => {
          const sources = { ...real.sources, days };
          return {
            sources,
            async fetchPage(context, request) {
              const page = await real.fetchPage(context, request);
              const changed = page.items.map((item) => ({ ...item, ...change }));
              for (const item of passes ? [] : changed) faults.push(faultOf(item, { provider: 'fake', sources }));
              return { ...page, items: changed };
            },
          };
        }),
      ).find(({ id, title }) => id === 'HIST-5' && title.startsWith('items are whole'));
      await expect(broken?.run()).rejects.toThrow();
      expect(faults).not.toContain(undefined);
    });
  }
});

test('HIST-11 says what is missing', async () => {
  const service = refusal(400);
  const suite = historyConformance({ ...underTest(), foreignCursor: { cursor: '0', service } });
  await expect(suite.find(({ id }) => id === 'HIST-11')?.run()).rejects.toThrow('add a rule to `errors`');
  const told = [
    [async () => ({ items: [] }), 'it gave a page without reason cursor_invalid: throw `cursorInvalid`'],
    [
      () => Promise.reject(new SyntaxError('x')),
      'it threw SyntaxError: x, without reason cursor_invalid: throw `cursorInvalid`',
    ],
  ] as const;
  for (const [fetchPage, message] of told) {
    const careless = historyConformance(underTest(() => ({ fetchPage: fetchPage as never })));
    await expect(careless.find(({ id }) => id === 'HIST-11')?.run()).rejects.toThrow(message);
  }
});
