import { describe, expect, test } from 'vitest';
import type { CatalogEntry, CatalogLookup, ProviderContext } from '../contracts/capabilities/index.ts';
import type { Fetch } from '../contracts/env.ts';
import { McaError } from '../contracts/errors.ts';
import type { MediaIds } from '../contracts/media-item.ts';
import type { AnyProvider } from '../contracts/provider.ts';
import type { StandardSchema } from '../contracts/standard-schema.ts';
import { type CatalogUnderTest, catalogConformance } from './catalog-conformance.ts';

const film: CatalogEntry = {
  id: 'movie:1',
  type: 'video',
  subtype: 'movie',
  title: 'Film',
  year: 2003,
  durationMs: 60_000,
  tags: ['drama', 'sea'],
  url: 'https://service.test/movie/1',
  ids: { tmdb: '1', imdb: 'tt1', tvdb: '7' },
};
const show: CatalogEntry = {
  id: 'tv:1',
  type: 'video',
  subtype: 'tv_show',
  title: 'Show',
  tags: [],
  ids: { tvdb: '7' },
};

/** A service that has entries by path, and lists of them by the ids of others. */
const service: Fetch = async (input, init) => {
  const [, what, id = ''] = new URL(new Request(input, init).url).pathname.split('/');
  const entries = [film, show];
  if (what === 'find') return Response.json(entries.filter(({ ids }) => Object.values(ids).includes(id)));
  const entry = entries.find((each) => each.id === id);
  return entry ? Response.json(entry) : new Response(null, { status: 404 });
};

const whatever = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } };
const ask = <Output>({ http }: ProviderContext, path: string): Promise<Output> =>
  http.request({ path, operation: 'ask', schema: whatever as StandardSchema<Output> });

const real: CatalogLookup = {
  async lookup(context, { imdb, tvdb }, subtype) {
    const id = imdb ?? tvdb;
    if (id === undefined) return undefined;
    const all = await ask<readonly CatalogEntry[]>(context, `find/${id}`);
    const fitting = all.filter((each) => each.subtype === (subtype ?? each.subtype));
    return fitting.length === 1 ? fitting[0] : undefined;
  },
  async details(context, id) {
    if (!/^(?:movie|tv):\d+$/.test(id)) return undefined;
    return ask<CatalogEntry>(context, `entry/${id}`).catch((error: unknown) => {
      if (McaError.isInstance(error) && error.code === 'not_found') return undefined;
      throw error;
    });
  },
};

function underTest(broken: Partial<CatalogLookup> = {}): CatalogUnderTest {
  const provider: AnyProvider = {
    apiVersion: 1,
    id: 'fake',
    name: 'Fake',
    baseUrl: 'https://service.test/',
    auth: [{ type: 'none' }],
    limits: [],
    policy: {},
    capabilities: { catalog: { ...real, ...broken } },
  };
  return {
    provider,
    now: Date.UTC(2026, 0, 1),
    service,
    known: [{ ids: { imdb: 'tt1' }, entry: film }],
    ambiguous: { ids: { tvdb: '7' }, entries: [film, show] },
    unknown: { imdb: 'tt404' },
    unaskable: { isrc: 'GBAYE6800011' },
    gone: 'movie:404',
    errors: [
      { title: 'status 429', service: async () => new Response(null, { status: 429 }), code: 'rate_limit' },
      { title: 'status 500', service: async () => new Response(null, { status: 500 }), code: 'upstream' },
    ],
  };
}

describe('catalogConformance: a whole catalogue keeps every promise', () => {
  for (const { id, title, skip, run } of catalogConformance(underTest())) test.skipIf(skip)(`${id} ${title}`, run);
});

const changing = (change: (entry: CatalogEntry) => object): CatalogLookup => ({
  async lookup(...args) {
    const entry = await real.lookup(...args);
    return entry && { ...entry, ...change(entry) };
  },
  async details(...args) {
    const entry = await real.details(...args);
    return entry && { ...entry, ...change(entry) };
  },
});

const guessing: CatalogLookup['lookup'] = async (context, { imdb, tvdb }: MediaIds) =>
  (imdb ?? tvdb) === undefined ? undefined : (await ask<readonly CatalogEntry[]>(context, `find/${imdb ?? tvdb}`))[0];

const MUTANTS: Readonly<Record<string, Partial<CatalogLookup>>> = {
  'CAT-1 gives another entry': changing(() => ({ title: 'Another' })),
  'CAT-1 forgets the id': changing(({ ids: { imdb: _, ...ids } }) => ({ ids })),
  'CAT-2 takes the first of several': {
    lookup: async (context, ids, subtype) =>
      (await real.lookup(context, ids, subtype)) ?? (subtype === undefined ? guessing(context, ids) : undefined),
  },
  'CAT-2 does not care about the kind': { lookup: guessing },
  'CAT-3 asks for what it cannot be asked for': {
    lookup: async (context, ids, subtype) =>
      Object.keys(ids).length === 0 || ids.isrc ? ask(context, 'find/') : real.lookup(context, ids, subtype),
  },
  'CAT-3 invents what nobody knows': {
    lookup: async (context, ids, subtype) => (ids.imdb === 'tt404' ? film : real.lookup(context, ids, subtype)),
  },
  'CAT-4 knows no ids of its own': { details: async () => undefined },
  'CAT-4 fails for what is gone': { details: (context, id) => ask(context, `entry/${id}`) },
  'CAT-4 sends any id': {
    details: (context, id) => real.details(context, id).then((found) => found ?? ask(context, id)),
  },
  'CAT-5 has tags twice': changing(() => ({ tags: ['sea', 'sea'] })),
  'CAT-5 has tags in capitals': changing(() => ({ tags: ['Sea'] })),
  'CAT-5 has an empty text': changing(() => ({ creator: '' })),
  'CAT-5 takes unknown for zero': changing(() => ({ durationMs: 0 })),
  'CAT-5 has the year zero': changing(() => ({ year: 0 })),
  'CAT-6 hides errors': { lookup: (...args) => real.lookup(...args).catch(() => undefined) },
  'CAT-6 lets raw errors out': {
    lookup: (...args) => real.lookup(...args).catch(() => Promise.reject(new Error('http 500'))),
  },
  'CAT-7 never looks at the signal': {
    details: (context, id) => (context.signal.aborted ? Promise.resolve(film) : real.details(context, id)),
  },
  'CAT-7 waits for an answer that never comes': {
    lookup: (...args) => real.lookup(...args).catch(() => new Promise<never>(() => {})),
  },
};

describe('catalogConformance: catches', () => {
  for (const [name, broken] of Object.entries(MUTANTS)) {
    const [id] = name.split(' ');
    test(name, async () => {
      const cases = catalogConformance(underTest(broken)).filter((each) => each.id === id && !each.skip);
      const results = await Promise.allSettled(cases.map(({ run }) => run()));
      expect(results.some(({ status }) => status === 'rejected')).toBe(true);
    });
  }
});

test('a provider without lookups is told so', () => {
  const { provider, ...rest } = underTest();
  const bare = { ...provider, capabilities: { catalog: {} } };
  expect(() => catalogConformance({ ...rest, provider: bare })).toThrow('has no capability "catalog"');
  expect(() => catalogConformance({ ...underTest(), known: [] })).toThrow('needs something');
});
