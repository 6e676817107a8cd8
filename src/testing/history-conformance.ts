import assert from 'node:assert/strict';
import type { SigningCredentials, SignRequest } from '../contracts/auth.ts';
import type { IncrementalCapability, ItemPage, PageRequest } from '../contracts/capabilities/history.ts';
import type { ProviderContext } from '../contracts/capabilities/index.ts';
import type { Fetch } from '../contracts/env.ts';
import type { ErrorCode } from '../contracts/error-codes.ts';
import { McaError } from '../contracts/errors.ts';
import type { MediaItem } from '../contracts/media-item.ts';
import type { AnyProvider } from '../contracts/provider.ts';
import { assertItem } from './assert-item.ts';
import type { ConformanceCase } from './conformance-case.ts';
import { providerContext } from './provider-context.ts';
import { removalCases, type ShrinkingService } from './removal-cases.ts';

/** What the suite needs to know about something that is paged incrementally. */
export interface HistoryUnderTest {
  readonly provider: AnyProvider;
  /** @default 'history' */
  readonly capability?: 'history' | 'library' | 'ratings' | undefined;
  /** What requests are signed with. @default nothing */
  readonly credentials?: Partial<SigningCredentials> | undefined;
  /** The machine's clock, epoch milliseconds. */
  readonly now: number;
  /** Records asked for at a time, so that `full` comes in at least three pages. @default 10 */
  readonly limit?: number | undefined;
  /** Fakes of the service, true to its documentation. Each may be called any number of times. */
  readonly service: {
    /** An account with some history, and no defects. */
    readonly full: Fetch;
    /** An account without any history. */
    readonly empty: Fetch;
    /** One record among good ones that is not as documented. */
    readonly withBadRecord: Fetch;
    /** Makes an account with as much history as `full`, to which something new is added now and then. @default not proved */
    readonly growing?: (() => GrowingService) | undefined;
    /** Makes an account from which something is removed, where the provider tells `present`. @default not proved */
    readonly shrinking?: (() => ShrinkingService) | undefined;
  };
  /** `externalId` of everything in `full`; with `consumedAt` that is proved, too. */
  readonly expected: readonly (string | Pick<MediaItem, 'externalId' | 'consumedAt'>)[];
  /** Personal data planted in the answers that must not reach an item: an address, a user name, a device. @default not proved */
  readonly personal?: readonly string[] | undefined;
  /** The service keeps a window only and tells it in one page. @default false */
  readonly onePage?: boolean | undefined;
  /** A position that this service refuses, where positions are the service's own. @default a text that is no position */
  readonly foreignCursor?: ForeignCursor | undefined;
  /** Error answers of the service, and what each must become: its whole error table. */
  readonly errors: readonly ExpectedError[];
}

/** A service whose history grows under way. */
export interface GrowingService {
  /** The service, as a `fetch`. */
  readonly fetch: Fetch;
  /** Something happens: a second after `now`, and each time a second later. @returns its `externalId`s */
  grow(): readonly string[];
}

/** A position, and the service that refuses it. */
export interface ForeignCursor {
  readonly cursor: string;
  /** @default the full service */
  readonly service?: Fetch | undefined;
}

/** An error answer, and the error it must become. */
export interface ExpectedError {
  readonly title: string;
  /** Answers with the error. */
  readonly service: Fetch;
  readonly code: ErrorCode;
  readonly reason?: string | undefined;
}

/**
 * Proves that a provider keeps the promises `HIST-1` to `HIST-14`, with the real HTTP client in front of a fake service.
 *
 * @example
 * ```ts
 * for (const { id, title, skip, run } of historyConformance(underTest)) test.skipIf(skip)(`${id} ${title}`, run);
 * ```
 */
export function historyConformance(underTest: HistoryUnderTest): readonly ConformanceCase[] {
  const { provider, service, personal = [], limit = 10, now } = underTest;
  const expected = underTest.expected.map((each) => (typeof each === 'string' ? each : each.externalId));
  const capability = capabilityOf(underTest);
  const sign = signOf(provider);
  const contextOf = (fetch: Fetch, signal?: AbortSignal, at = now): ProviderContext =>
    providerContext({ provider, fetch, now: at, sign, credentials: underTest.credentials, signal });
  const full = (): ProviderContext => contextOf(service.full);
  const start: PageRequest = { cursor: undefined, since: undefined, until: undefined, highWater: undefined, limit };
  const walk = (
    context: ProviderContext,
    request: Partial<PageRequest> = {},
    between?: () => void,
  ): Promise<readonly ItemPage[]> => walkOf(capability, context, { ...start, ...request }, between);
  const whyNotGrowing = service.growing ? undefined : 'the suite was given no service that grows';
  const several = underTest.onePage ? 'the service tells everything in one page' : undefined;

  const cases: ConformanceCase[] = [
    {
      id: 'HIST-1',
      title: 'a walk gives every item, and so does what follows any of its pages',
      async run() {
        const pages = await walk(full());
        assert.deepEqual(keysOf(pages), new Set(expected), 'the walk gives other items than expected');
        const told = new Map(pages.flatMap(({ items }) => items.map((item) => [item.externalId, item.consumedAt])));
        for (const each of underTest.expected)
          if (typeof each !== 'string')
            assert.deepEqual(told.get(each.externalId), each.consumedAt, `${each.externalId} has another consumedAt`);
        if (several === undefined) assert.ok(pages.length >= 3, 'the suite needs at least three pages: lower `limit`');
        for (const [index, page] of pages.entries()) {
          if (!page.hasMore) break;
          const rest = await walk(full(), { cursor: page.cursor });
          const together = keysOf([...pages.slice(0, index + 1), ...rest]);
          assert.deepEqual(together, new Set(expected), `items are lost when taken up after page ${index + 1}`);
        }
      },
    },
    {
      id: 'HIST-1',
      title: 'nothing is missed when new items arrive during a walk',
      skip: several ?? whyNotGrowing,
      async run() {
        const { fetch, grow } = service.growing?.() ?? assert.fail(whyNotGrowing);
        const context = contextOf(fetch);
        const before = keysOf(await walk(context));
        const arrived: string[] = [];
        const pages = await walk(context, {}, () => void arrived.push(...grow()));
        for (const key of before) assert.ok(keysOf(pages).has(key), `${key} is lost to what arrived during the walk`);
        const times = pages.flatMap(({ items }) => items.map(({ consumedAt }) => consumedAt.getTime()));
        const highWater = Math.max(...times.filter((time) => time <= now));
        const later = contextOf(fetch, undefined, now + 3_600_000);
        const next = await walk(later, { since: highWater - 1_000, highWater });
        for (const key of arrived)
          assert.ok(keysOf([...pages, ...next]).has(key), `${key} arrived during the walk and is in neither`);
      },
    },
    {
      id: 'HIST-2',
      title: 'the same request gives the same items with the same keys',
      async run() {
        const first = await capability.fetchPage(full(), start);
        const second = keysOf([await capability.fetchPage(full(), start)]);
        for (const key of keysOf([first])) assert.ok(second.has(key), `${key} is gone the second time`);
      },
    },
    {
      id: 'HIST-3',
      title: 'with `since` everything after it is given',
      async run() {
        const items = (await walk(full())).flatMap((page) => page.items);
        const times = items.map(({ consumedAt }) => consumedAt.getTime()).sort((a, b) => a - b);
        const since = times[times.length >> 1] ?? 0;
        const given = keysOf(await walk(full(), { since, highWater: since }));
        for (const item of items.filter(({ consumedAt }) => consumedAt.getTime() > since))
          assert.ok(given.has(item.externalId), `${item.externalId} is after \`since\` and is not given`);
      },
    },
    {
      id: 'HIST-4',
      title: 'every page balances',
      async run() {
        for (const fetch of [service.full, service.withBadRecord, service.empty])
          for (const { read, items, skipped, rejected } of await walk(contextOf(fetch)))
            assert.equal(read, items.length + Object.values(skipped).reduce((a, b) => a + b, 0) + rejected.length);
      },
    },
    {
      id: 'HIST-5',
      title: 'items are whole, of this platform and of declared sources',
      async run() {
        const givenBy = { platform: provider.id, sources: capability.sources, now };
        for (const { items } of await walk(full())) for (const item of items) assertItem(item, givenBy);
      },
    },
    {
      id: 'HIST-5',
      title: 'personal data stays behind',
      skip: personal.length > 0 ? undefined : 'the suite was given no personal data',
      async run() {
        for (const fetch of [service.full, service.withBadRecord])
          for (const { items, rejected } of await walk(contextOf(fetch))) {
            const said = JSON.stringify([items, rejected.map(({ reason, message }) => [reason, message])]);
            for (const secret of personal)
              assert.ok(!said.includes(secret), 'personal data reached an item, or what is said of a record');
          }
      },
    },
    {
      id: 'HIST-6',
      title: 'one bad record is rejected with its raw form, and its neighbours survive',
      async run() {
        const pages = await walk(contextOf(service.withBadRecord));
        const rejected = pages.flatMap((page) => page.rejected);
        assert.ok(rejected.length > 0, 'no record was rejected: the suite needs a bad one');
        assert.ok(keysOf(pages).size > 0, 'no record beside the bad one was read');
        for (const { reason, message, raw } of rejected) {
          assert.match(reason, /^[a-z][a-z0-9_]*$/);
          assert.ok(message.length > 0);
          assert.deepEqual(capability.replay(raw).items, [], 'a record that cannot be read can be replayed');
        }
      },
    },
    {
      id: 'HIST-7',
      title: 'an aborted signal ends a call with cancelled',
      async run() {
        const error = await errorOf(soon(capability.fetchPage(contextOf(service.full, AbortSignal.abort()), start)));
        assert.equal(error.code, 'cancelled');
      },
    },
    {
      id: 'HIST-7',
      title: 'a signal that is aborted while a request hangs ends the call with cancelled',
      async run() {
        const controller = new AbortController();
        let requests = 0;
        const hanging: Fetch = () => {
          requests += 1;
          queueMicrotask(() => controller.abort());
          return new Promise(() => {});
        };
        const error = await errorOf(soon(capability.fetchPage(contextOf(hanging, controller.signal), start)));
        assert.equal(error.code, 'cancelled');
        assert.equal(requests, 1, 'another request was sent after the abort');
      },
    },
    {
      id: 'HIST-8',
      title: 'an empty account is one page without items',
      async run() {
        const pages = await walk(contextOf(service.empty));
        assert.equal(pages.length, 1);
        assert.equal(keysOf(pages).size, 0);
      },
    },
    {
      id: 'HIST-10',
      title: 'pages of an oldest-first walk go forward in time',
      skip: capability.order === 'oldest-first' ? several : 'walks go newest first',
      async run() {
        let newest = Number.NEGATIVE_INFINITY;
        for (const { items } of await walk(full())) {
          const times = items.map(({ consumedAt }) => consumedAt.getTime());
          for (const time of times)
            assert.ok(time >= newest - 1_000, 'a page holds an item older than the page before');
          newest = Math.max(newest, ...times);
        }
      },
    },
    {
      id: 'HIST-11',
      title: 'a position that is not its own is refused',
      skip: several,
      async run() {
        const { cursor, service: fetch = service.full } = underTest.foreignCursor ?? { cursor: 'no position at all' };
        const outcome = await capability.fetchPage(contextOf(fetch), { ...start, cursor }).then(
          () => 'gave a page',
          (error: unknown) => error,
        );
        const error = McaError.isInstance(outcome) ? outcome : undefined;
        const what = error ? `became ${error.code}` : outcome === 'gave a page' ? outcome : `threw ${String(outcome)},`;
        assert.ok(
          error?.code === 'invalid_data' && error.reason === 'cursor_invalid',
          `it ${what} without reason cursor_invalid: throw \`cursorInvalid\` of the provider kit, or where the service says so, add a rule to \`errors\``,
        );
      },
    },
    {
      id: 'HIST-12',
      title: 'with `until` everything before it is given',
      skip: capability.backfill ? undefined : 'walks cannot be bounded',
      async run() {
        const items = (await walk(full())).flatMap((page) => page.items);
        const times = items.map(({ consumedAt }) => consumedAt.getTime()).sort((a, b) => a - b);
        for (const until of [times[times.length >> 1] ?? 0, (times.at(-1) ?? 0) + 1, times[0] ?? 0]) {
          const given = keysOf(await walk(full(), { until }));
          for (const { externalId } of items.filter(({ consumedAt }) => consumedAt.getTime() < until))
            assert.ok(given.has(externalId), `${externalId} is before \`until\` and is not given`);
        }
      },
    },
    {
      id: 'HIST-13',
      title: 'a walk that begins where the last one ended gives what has come since',
      skip: capability.keepsCursor ? (several ?? whyNotGrowing) : 'walks begin without a cursor',
      async run() {
        const { fetch, grow } = service.growing?.() ?? assert.fail(whyNotGrowing);
        const cursor = (await walk(contextOf(fetch))).at(-1)?.cursor;
        assert.ok(cursor, 'the last page has no cursor to keep');
        const arrived = grow();
        const later = contextOf(fetch, undefined, now + 3_600_000);
        const next = keysOf(await walk(later, { cursor, since: now, highWater: now }));
        for (const key of arrived) assert.ok(next.has(key), `${key} has come since the walk before and is not given`);
      },
    },
  ];
  return [
    ...cases,
    ...removalCases({ capability, full, shrinking: service.shrinking, contextOf, walk, now }),
    ...underTest.errors.map((each) => errorCase(each, () => capability.fetchPage(contextOf(each.service), start))),
  ];
}

function errorCase({ title, code, reason }: ExpectedError, call: () => Promise<unknown>): ConformanceCase {
  return {
    id: 'HIST-9',
    title: `${title} is ${code}${reason ? ` ${reason}` : ''}`,
    async run() {
      const error = await errorOf(call());
      assert.equal(error.code, code, error.message);
      if (reason !== undefined) assert.equal(error.reason, reason);
    },
  };
}

function capabilityOf({ provider, capability: name = 'history' }: HistoryUnderTest): IncrementalCapability {
  const capability = provider.capabilities[name];
  assert.ok(capability, `${provider.id} has no capability "${name}"`);
  return capability;
}

function signOf(provider: AnyProvider): SignRequest | undefined {
  for (const strategy of provider.auth) {
    if ('sign' in strategy && strategy.sign) return strategy.sign;
    if (strategy.type === 'oauth2' || strategy.type === 'device-code')
      return ({ headers }, { token = '' }) => headers.set('authorization', `Bearer ${token}`);
  }
  return undefined;
}

/** Fails instead of walking for ever. */
async function walkOf(
  capability: IncrementalCapability,
  context: ProviderContext,
  start: PageRequest,
  between: () => void = () => {},
): Promise<readonly ItemPage[]> {
  const pages: ItemPage[] = [];
  let request = start;
  for (;;) {
    const page = await capability.fetchPage(context, request);
    pages.push(page);
    if (!page.hasMore) return pages;
    assert.notEqual(page.cursor, request.cursor, 'the walk stands still');
    assert.ok(pages.length < 1_000, 'the walk does not end');
    request = { ...request, cursor: page.cursor };
    between();
  }
}

function keysOf(pages: readonly ItemPage[]): ReadonlySet<string> {
  return new Set(pages.flatMap(({ items }) => items.map(({ externalId }) => externalId)));
}

/** Turns of the event loop in which an aborted call must end. */
const TURNS_UNTIL_CANCELLED = 20_000;

/** Fails instead of waiting for ever. */
function soon<Result>(call: Promise<Result>): Promise<Result> {
  const tooLate = async (): Promise<never> => {
    for (let turn = 0; turn < TURNS_UNTIL_CANCELLED; turn += 1) await new Promise((wake) => setImmediate(wake));
    return assert.fail('the call goes on after the abort');
  };
  return Promise.race([call, tooLate()]);
}

async function errorOf(call: Promise<unknown>): Promise<McaError> {
  try {
    await call;
  } catch (error) {
    assert.ok(McaError.isInstance(error), `threw ${String(error)}, which is no McaError`);
    return error;
  }
  return assert.fail('nothing was thrown');
}
