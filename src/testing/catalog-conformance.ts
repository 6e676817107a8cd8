import assert from 'node:assert/strict';
import type { SigningCredentials } from '../contracts/auth.ts';
import type { CatalogEntry, CatalogLookup, ProviderContext } from '../contracts/capabilities/index.ts';
import type { Fetch } from '../contracts/env.ts';
import { McaError } from '../contracts/errors.ts';
import type { MediaIds } from '../contracts/media-item.ts';
import type { AnyProvider } from '../contracts/provider.ts';
import type { ConformanceCase } from './conformance-case.ts';
import type { ExpectedError } from './history-conformance.ts';
import { providerContext } from './provider-context.ts';

/** What the suite needs to know about a catalogue. */
export interface CatalogUnderTest {
  readonly provider: AnyProvider;
  /** What requests are signed with. @default nothing */
  readonly credentials?: Partial<SigningCredentials> | undefined;
  /** The machine's clock, epoch milliseconds. */
  readonly now: number;
  /** A fake of the service, true to its documentation. It may be called any number of times. */
  readonly service: Fetch;
  /** Ids of other catalogues that the service knows, and what each must give. At least one of each kind it has. */
  readonly known: readonly { readonly ids: MediaIds; readonly entry: CatalogEntry }[];
  /** An id that names one thing of each of several kinds. @default not proved */
  readonly ambiguous?: { readonly ids: MediaIds; readonly entries: readonly CatalogEntry[] } | undefined;
  /** Ids that the service can be asked for, and does not know. */
  readonly unknown: MediaIds;
  /** Ids that it cannot be asked for. */
  readonly unaskable: MediaIds;
  /** An `id` of the right form that is gone. */
  readonly gone: string;
  /** Error answers of the service, and what each must become: its whole error table. */
  readonly errors: readonly ExpectedError[];
}

/**
 * Proves that a provider keeps the promises `CAT-1` to `CAT-7`, with the real HTTP client in front of a fake service.
 *
 * @example
 * ```ts
 * for (const { id, title, skip, run } of catalogConformance(underTest)) test.skipIf(skip)(`${id} ${title}`, run);
 * ```
 */
export function catalogConformance(underTest: CatalogUnderTest): readonly ConformanceCase[] {
  const { provider, service, known, ambiguous, unknown, unaskable, gone } = underTest;
  const catalog = catalogOf(provider);
  const contextOf = (fetch: Fetch, signal?: AbortSignal): ProviderContext => contextFor(underTest, fetch, signal);
  const [first] = known;
  assert.ok(first, 'the suite needs something that the service knows');
  const calls = [
    (context: ProviderContext) => catalog.lookup(context, first.ids),
    (context: ProviderContext) => catalog.details(context, first.entry.id),
  ];

  const cases: ConformanceCase[] = [
    {
      id: 'CAT-1',
      title: 'an id of another catalogue gives the entry, with the id',
      async run() {
        for (const { ids, entry } of known) {
          const found = await catalog.lookup(contextOf(service), ids);
          assert.deepEqual(found, entry);
          for (const [name, id] of Object.entries(ids))
            assert.equal(found?.ids[name as keyof MediaIds], id, `${name} was asked for and is not in the entry`);
        }
      },
    },
    {
      id: 'CAT-2',
      title: 'an id of several things gives one only when its kind is told',
      skip: ambiguous ? undefined : 'the suite was given no id that names several things',
      async run() {
        const { ids, entries } = ambiguous ?? assert.fail('the suite was given no id that names several things');
        assert.ok(entries.length > 1, 'the suite needs an entry for each kind');
        assert.equal(await catalog.lookup(contextOf(service), ids), undefined, 'the kind was guessed');
        for (const entry of entries)
          assert.deepEqual(await catalog.lookup(contextOf(service), ids, entry.subtype), entry);
      },
    },
    {
      id: 'CAT-2',
      title: 'an entry of another kind than the one told is none',
      async run() {
        for (const { ids } of known)
          assert.equal(await catalog.lookup(contextOf(service), ids, 'no_such_kind'), undefined);
      },
    },
    {
      id: 'CAT-3',
      title: 'an id nobody knows gives nothing',
      async run() {
        assert.equal(await catalog.lookup(contextOf(service), unknown), undefined);
      },
    },
    {
      id: 'CAT-3',
      title: 'ids that cannot be asked for give nothing, without a request',
      async run() {
        for (const ids of [unaskable, {}]) assert.equal(await catalog.lookup(contextOf(unreachable), ids), undefined);
      },
    },
    {
      id: 'CAT-4',
      title: 'the id of an entry gives the entry',
      async run() {
        for (const { entry, ids } of known) {
          const found = await catalog.details(contextOf(service), entry.id);
          // What was looked for is among the ids of what was found, whether or not the service names it there.
          assert.deepEqual(found && { ...found, ids: { ...found.ids, ...ids } }, entry);
        }
      },
    },
    {
      id: 'CAT-4',
      title: 'an id that is gone, or is none, gives nothing',
      async run() {
        assert.equal(await catalog.details(contextOf(service), gone), undefined);
        for (const id of ['', 'no id at all', `${first.entry.id}/../..`])
          assert.equal(await catalog.details(contextOf(unreachable), id), undefined);
      },
    },
    {
      id: 'CAT-5',
      title: 'entries are whole',
      async run() {
        for (const { ids } of known) assertEntry(await catalog.lookup(contextOf(service), ids));
        for (const { entry } of known) assertEntry(await catalog.details(contextOf(service), entry.id));
      },
    },
    {
      id: 'CAT-7',
      title: 'an aborted signal ends a call with cancelled',
      async run() {
        for (const call of calls) {
          const context = contextOf(service, AbortSignal.abort());
          assert.equal((await errorOf(soon(call(context)))).code, 'cancelled');
        }
      },
    },
    {
      id: 'CAT-7',
      title: 'a signal that is aborted while a request hangs ends the call with cancelled',
      async run() {
        for (const call of calls) {
          const controller = new AbortController();
          const hanging: Fetch = () => {
            queueMicrotask(() => controller.abort());
            return new Promise(() => {});
          };
          assert.equal((await errorOf(soon(call(contextOf(hanging, controller.signal))))).code, 'cancelled');
        }
      },
    },
  ];

  const errorCases = underTest.errors.map(
    ({ title, service: broken, code, reason }): ConformanceCase => ({
      id: 'CAT-6',
      title: `${title} is ${code}${reason ? ` ${reason}` : ''}`,
      async run() {
        const error = await errorOf(catalog.lookup(contextOf(broken), first.ids));
        assert.equal(error.code, code, error.message);
        if (reason !== undefined) assert.equal(error.reason, reason);
      },
    }),
  );
  return [...cases, ...errorCases];
}

function catalogOf({ id, capabilities: { catalog } }: AnyProvider): CatalogLookup {
  assert.ok(catalog?.lookup && catalog.details, `${id} has no capability "catalog" with lookup and details`);
  return catalog as CatalogLookup;
}

function contextFor(
  { provider, credentials, now }: CatalogUnderTest,
  fetch: Fetch,
  signal: AbortSignal | undefined,
): ProviderContext {
  const strategy = provider.auth.find((each) => 'sign' in each);
  const sign = strategy && 'sign' in strategy ? strategy.sign : undefined;
  return providerContext({ provider, fetch, now, sign, credentials, signal });
}

const unreachable: Fetch = () => assert.fail('a request was sent');

function assertEntry(entry: CatalogEntry | undefined): void {
  assert.ok(entry, 'there is no entry');
  const { id, title, creator, tags, url, ids, durationMs, year } = entry;
  for (const text of [id, title, creator ?? 'none', url ?? 'none', ...tags, ...Object.values(ids)])
    assert.ok(typeof text === 'string' && text !== '', 'a text of an entry is empty, or none');
  assert.deepEqual([...new Set(tags.map((tag) => tag.toLowerCase()))], tags, 'tags are not in lower case, or repeat');
  assert.ok(durationMs === undefined || (durationMs > 0 && Number.isSafeInteger(durationMs)), 'an impossible duration');
  assert.ok(year === undefined || (year > 1_800 && year < 3_000), 'an impossible year');
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
