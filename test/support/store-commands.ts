import { isDeepStrictEqual } from 'node:util';
import { type Lease, McaError, type MediaItem, type Storage, type UpdatePolicy } from '@mca/core/adapter-kit';
import fc from 'fast-check';

/** The reference, and everything a command needs to know. */
export interface Model {
  readonly storage: Storage;
  readonly leases: Map<string, Lease>;
  /** Items handed over so far, for the balance at the end. */
  handedOver: number;
  counted: number;
  steps: number;
}

/** The adapter under test. */
export interface Real {
  readonly storage: Storage;
  readonly leases: Map<string, Lease>;
  /** Moves the clock that both stores share. */
  advance(ms: number): void;
}

const USERS = ['ada', 'bob'];
const ACCOUNTS = ['', 'work'];
const IMPORTS = ['i1', 'i2'];
const KEYS = ['1:a', '2:b', '3:c', '4:ﬁ', '5:😀'];
const DAY_MS = 86_400_000;
const READ_EVERY = 5;

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

const users = fc.constantFrom(...USERS);
const accounts = fc.constantFrom(...ACCOUNTS);
const keys = fc.record({ platform: fc.constantFrom('spotify', 'netflix'), externalId: fc.constantFrom(...KEYS) });
const policies = fc.constantFrom<UpdatePolicy>('keep', 'longest', 'replace');
const pages = fc.array(items, { maxLength: 8, size: 'max' });
const rarely = fc.nat(5).map((number) => number === 0);
const resources = fc.constantFrom('sync:ada:history', 'import:i1', 'import:i2');

const connectionId = (userId: string, account: string) => `${userId} ${account}`;

/** What both stores are asked, and what is compared: the answer, or code and reason of the refusal. */
type Question = (storage: Storage, leases: Map<string, Lease>) => Promise<unknown>;

class Ask implements fc.AsyncCommand<Model, Real> {
  readonly #name: string;
  readonly #question: Question;
  readonly #after: (model: Model, real: Real, answer: unknown) => void;

  constructor(name: string, question: Question, after: (model: Model, real: Real, answer: unknown) => void = () => {}) {
    this.#name = name;
    this.#question = question;
    this.#after = after;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    const expected = await answerOf(this.#question(model.storage, model.leases));
    const actual = await answerOf(this.#question(real.storage, real.leases));
    if (!isDeepStrictEqual(actual, expected)) throw new Error(difference(this.#name, actual, expected));
    model.steps += 1;
    // All reads after each step would take most of the time and find the same; the last state is read in any case.
    if (model.steps % READ_EVERY === 0) await compareReads(model.storage, real.storage);
    this.#after(model, real, expected);
  }

  toString(): string {
    return this.#name;
  }
}

const commits = fc
  .tuple(users, accounts, policies, pages, fc.option(fc.constantFrom(...IMPORTS)), rarely)
  .map((drawn) => commitCommand(drawn));

/** One step of a run. */
export const commands: readonly fc.Arbitrary<fc.AsyncCommand<Model, Real>>[] = [
  fc
    .tuple(users, accounts)
    .map(
      ([userId, account]) =>
        new Ask(`connect(${userId}, ${account})`, (storage) => storage.ensureConnection(connectionOf(userId, account))),
    ),
  // Listed often, because only full stores can disagree about much.
  ...Array.from({ length: 8 }, () => commits),
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

function connectionOf(userId: string, account: string) {
  return { id: connectionId(userId, account), userId, provider: 'spotify', kind: 'file' as const, account };
}

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
      parked: page.length === 3 ? [{ reason: 'r', message: 'm', raw: '{}' }] : undefined,
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

function progressOf(id: string, items: number) {
  const status = items > 4 ? ('complete' as const) : ('running' as const);
  const skipped = items === 2 ? { ad: 1 } : {};
  return { id, status, startedAt: new Date(0), files: ['a'], read: items, skipped, rejected: {}, coverage: [] };
}

async function answerOf(work: Promise<unknown>): Promise<unknown> {
  try {
    return await work;
  } catch (error) {
    if (!McaError.isInstance(error)) throw error;
    return { code: error.code, reason: error.reason };
  }
}

/** Every read there is, over all users. */
export async function compareReads(model: Storage, real: Storage): Promise<void> {
  for (const [name, read] of Object.entries(READS)) {
    for (const userId of USERS) {
      const [expected, actual] = [await read(model, userId), await read(real, userId)];
      if (!isDeepStrictEqual(actual, expected)) throw new Error(difference(`${name} of ${userId}`, actual, expected));
    }
  }
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
  cursor: (storage, userId) => storage.readCursor(connectionId(userId, ''), 'history'),
  parked: (storage, userId) => storage.listParked(connectionId(userId, '')),
};

function difference(name: string, actual: unknown, expected: unknown): string {
  return `${name}\nstore:     ${JSON.stringify(actual)}\nreference: ${JSON.stringify(expected)}`;
}
