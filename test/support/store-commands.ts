import { isDeepStrictEqual } from 'node:util';
import type { MediaItem, Storage, UpdatePolicy } from '@mca/core/adapter-kit';
import fc from 'fast-check';
import {
  Ask,
  accounts,
  connectionId,
  connectionOf,
  difference,
  type Question,
  type StoreCommand,
  USERS,
  users,
} from './ask.ts';
import { SYNC_READS, syncCommands } from './sync-commands.ts';

const IMPORTS = ['i1', 'i2'];
const KEYS = ['1:a', '2:b', '3:c', '4:ﬁ', '5:😀'];
const DAY_MS = 86_400_000;

const optional = <Value>(...values: readonly Value[]) => fc.constantFrom<Value | undefined>(undefined, ...values);

/** Items over few keys and few values, so that runs meet equal keys, equal times and equal contents. */
const items: fc.Arbitrary<MediaItem> = fc.record({
  platform: fc.constantFrom('spotify', 'netflix'),
  externalId: fc.constantFrom(...KEYS),
  type: fc.constantFrom('music' as const, 'video' as const),
  subtype: optional('', 'live'),
  action: fc.constantFrom('consumed' as const, 'consumed' as const, 'liked' as const),
  title: fc.constantFrom('A', 'Ä', 'ﬁ', '😀'),
  creator: optional('', 'Ode', 'ODE', '😀', 'ﬁ'),
  consumedAt: fc.constantFrom(0, 1, DAY_MS, 2 * DAY_MS, -DAY_MS).map((time) => new Date(time)),
  durationMs: optional(0, 10),
  timeSpentMs: optional(0, 5, 5.5, 10),
  tags: fc.constantFrom<readonly string[]>([], ['x'], ['x', 'y']),
  url: optional('', 'https://example.org'),
  contentId: optional('c'),
  ids: fc.constantFrom({}, { isrc: 'I' }),
  rating: optional(0, 7.5),
  source: fc.constantFrom('coarse', 'fine'),
  precision: fc.constantFrom('second' as const, 'day' as const),
  account: optional('', 'Kids'),
  rawMetadata: fc.constantFrom({}, { a: [1, { b: null }] }),
});

const keys = fc.record({ platform: fc.constantFrom('spotify', 'netflix'), externalId: fc.constantFrom(...KEYS) });
const policies = fc.constantFrom<UpdatePolicy>('keep', 'longest', 'replace');
const pages = fc.array(items, { maxLength: 8, size: 'max' });
const rarely = fc.nat(5).map((number) => number === 0);
const resources = fc.constantFrom('sync:ada:history', 'import:i1', 'import:i2');

const commits = fc
  .tuple(users, accounts, policies, pages, fc.option(fc.constantFrom(...IMPORTS)), rarely)
  .map((drawn) => commitCommand(drawn));

/** One step of a run. */
export const commands: readonly fc.Arbitrary<StoreCommand>[] = [
  ...syncCommands,
  fc
    .tuple(users, accounts)
    .map(
      ([userId, account]) =>
        new Ask(`connect(${userId}, ${account})`, (storage) => storage.ensureConnection(connectionOf(userId, account))),
    ),
  // Listed often, because only full stores can disagree about much.
  ...Array.from({ length: 12 }, () => commits),
  fc
    .tuple(users, policies, pages)
    .map(
      ([userId, policy, page]) =>
        new Ask(`preview(${fc.stringify([userId, policy, page])})`, (storage) =>
          storage.previewPage({ userId, policy, items: page }),
        ),
    ),
  fc
    .tuple(users, keys)
    .map(
      ([userId, key]) =>
        new Ask(`delete(${fc.stringify([userId, key])})`, (storage) => storage.deleteItem({ userId, ...key })),
    ),
  fc
    .tuple(users, fc.constantFrom(...IMPORTS))
    .map(
      ([userId, importId]) =>
        new Ask(`undo(${userId}, ${importId})`, (storage) => storage.undoImport({ userId, importId })),
    ),
  fc
    .tuple(users, fc.option(accounts))
    .map(
      ([userId, account]) =>
        new Ask(`erase(${userId}, ${account})`, (storage) =>
          storage.erase({ userId, connectionId: account === null ? undefined : connectionId(userId, account) }),
        ),
    ),
  fc.tuple(resources, fc.constantFrom('x', 'y')).map(
    ([resource, owner]) =>
      new Ask(`acquire(${resource}, ${owner})`, async (storage, leases) => {
        const lease = await storage.acquireLease({ resource, owner, ttlMs: 1_000 });
        // The old lease stays under the name of its owner, so that later commits may come with a stale one.
        if (lease) leases.set(`${resource} ${owner}`, lease).set(resource, lease);
        return lease;
      }),
  ),
  fc.tuple(resources, fc.constantFrom('x', 'y')).map(
    ([resource, owner]) =>
      new Ask(`renew(${resource}, ${owner})`, async (storage, leases) => {
        const lease = leases.get(`${resource} ${owner}`);
        return lease && storage.renewLease(lease, 1_000);
      }),
  ),
  fc.tuple(resources, fc.constantFrom('x', 'y')).map(
    ([resource, owner]) =>
      new Ask(`release(${resource}, ${owner})`, async (storage, leases) => {
        const lease = leases.get(`${resource} ${owner}`);
        return lease && storage.releaseLease(lease);
      }),
  ),
  fc.constantFrom(1, 999, 5_000).map(
    (ms) =>
      new Ask(
        `advance(${ms})`,
        async () => undefined,
        (_, real) => real.advance(ms),
      ),
  ),
];

function commitCommand([userId, account, policy, page, importId, stale]: [
  string,
  string,
  UpdatePolicy,
  MediaItem[],
  string | null,
  boolean,
]): Ask {
  const question: Question = async (storage, leases) => {
    const resource = importId === null ? `sync:${userId}:history` : `import:${importId}`;
    const fresh = stale ? undefined : await storage.acquireLease({ resource, owner: 'writer', ttlMs: 1 });
    const lease = fresh ?? leases.get(`${resource} x`);
    if (!lease) return undefined;
    // Without this most runs would never get as far as storing anything; stale writers may meet what was erased.
    if (!stale) await storage.ensureConnection(connectionOf(userId, account));
    return storage.commitPage({
      lease,
      connectionId: connectionId(userId, account),
      items: page,
      policy,
      cursor: page.length % 2 === 0 ? { capability: 'history', value: `${page.length}` as never } : undefined,
      // Few texts, so that records are met again; ids of all ages, so that some are gone and some another connection's.
      parked: page.length > 5 ? parkedOf(page) : undefined,
      unparked: page.length % 3 === 1 ? [page.length, page.length + 1] : undefined,
      import: importId === null ? undefined : progressOf(importId, page.length),
    });
  };
  const name = `commit(${fc.stringify([userId, account, policy, page, importId, stale])})`;
  return new Ask(name, question, (model, _, answer) => {
    if (typeof answer !== 'object' || answer === null || !('inserted' in answer)) return;
    const { inserted, updated, unchanged } = answer as Record<'inserted' | 'updated' | 'unchanged', number>;
    model.handedOver += page.length;
    model.counted += inserted + updated + unchanged;
  });
}

function parkedOf(page: readonly MediaItem[]) {
  return page.slice(0, 2).map(({ type, subtype = '', title }) => ({
    capability: type === 'music' ? 'history' : 'likes',
    reason: subtype,
    message: title,
    raw: `{"subtype":"${subtype}"}`,
  }));
}

function progressOf(id: string, items: number) {
  const status = items > 4 ? ('complete' as const) : ('running' as const);
  const skipped = items === 2 ? { ad: 1 } : {};
  return { id, status, startedAt: new Date(0), files: ['a'], read: items, skipped, rejected: {}, coverage: [] };
}

const buckets = [-DAY_MS, 0, DAY_MS, 2 * DAY_MS].map((from) => ({
  from: from - 5,
  to: from + DAY_MS - 5,
  dayFrom: from,
  dayTo: from + DAY_MS,
}));

const hiddenRange = {
  platform: 'spotify',
  source: 'coarse',
  connectionIds: USERS.map((userId) => connectionId(userId, '')),
  from: 0,
  to: 1,
  edges: [{ from: DAY_MS - 1, to: 3 * DAY_MS }],
  finerSources: ['fine'],
  reachBeforeMs: DAY_MS,
  reachAfterMs: 1,
};

const READS: Readonly<Record<string, (storage: Storage, userId: string) => Promise<unknown>>> = {
  oldest: (storage, userId) => storage.queryItems({ userId, order: 'oldest', limit: 100 }),
  newest: (storage, userId) => storage.queryItems({ userId, order: 'newest', limit: 3 }),
  'next page': (storage, userId) =>
    storage.queryItems({
      userId,
      order: 'newest',
      limit: 5,
      after: { consumedAt: DAY_MS, platform: 'spotify', externalId: '4:ﬁ' },
    }),
  filtered: (storage, userId) =>
    storage.queryItems({
      userId,
      order: 'oldest',
      limit: 9,
      text: 'ode',
      tag: 'x',
      minTimeSpentMs: 1,
      from: new Date(0),
    }),
  hidden: (storage, userId) => storage.queryItems({ userId, order: 'oldest', limit: 100, hidden: [hiddenRange] }),
  imported: (storage, userId) => storage.summary({ userId, importId: 'i1', platforms: ['spotify'] }),
  timeline: async (storage, userId) => storage.timeline({ userId, actions: ['consumed'] }, buckets),
  titles: (storage, userId) => storage.groups({ userId }, { by: 'title', orderBy: 'timeSpent', limit: 5 }),
  creators: (storage, userId) => storage.groups({ userId }, { by: 'creator', orderBy: 'items', limit: 5 }),
  summary: (storage, userId) => storage.summary({ userId }),
  feed: (storage, userId) => storage.changes({ after: 0, limit: 1_000, userId }),
  'feed of all': (storage) => storage.changes({ after: 3, limit: 7 }),
  imports: (storage, userId) => storage.listImports({ userId }),
  connections: (storage, userId) => storage.listConnections({ userId }),
  cursors: (storage, userId) => storage.readCursors(connectionId(userId, ''), 'history'),
  parked: (storage, userId) => storage.listParked(connectionId(userId, '')),
  ...SYNC_READS,
};

/** Every read there is, over all users. */
export async function compareReads(model: Storage, real: Storage): Promise<void> {
  for (const [name, read] of Object.entries(READS)) {
    for (const userId of USERS) {
      const [expected, actual] = [await read(model, userId), await read(real, userId)];
      if (!isDeepStrictEqual(actual, expected)) throw new Error(difference(`${name} of ${userId}`, actual, expected));
    }
  }
}
