import type { Cursor, Storage } from '@mca/core';
import { McaError } from '@mca/core';
import type { memory } from '@mca/core/adapters/memory';
import { type FakeOAuthServer, type FakePlay, FakeService, fakeProvider } from '@mca/core/testing';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** Between two syncs of a history. */
export const INTERVAL = 10 * HOUR;
/** Plays the windowed service remembers. */
export const WINDOW = 50;

/** Breaks something on purpose: every harness has to show that it can fail. */
export interface Mutant {
  /** Replaces verbs of the storage. What it is given dies with the process, at every call. */
  readonly storage?: (storage: Storage) => Partial<Storage>;
  /** Replaces the credential store, below the process and above its failures. */
  readonly credentials?: (
    store: ReturnType<typeof memory>['credentials'],
  ) => Partial<ReturnType<typeof memory>['credentials']>;
  readonly overlapMs?: number;
  /** Writes headers of requests to the log. */
  readonly isTalkative?: boolean;
  /** What becomes of a cursor that is damaged. */
  readonly damage?: (cursor: Cursor) => Cursor;
}

/** What one simulated life came to. */
export interface Outcome {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly hash: string;
  readonly syncs: number;
  readonly deaths: number;
  readonly plays: number;
  /** What happened beside the weather, by kind. */
  readonly met: Readonly<Record<'erased' | 'damaged' | 'vaultFailures' | 'steps' | 'saves', number>>;
}

/** What a service is like for a while. */
export interface Weather {
  kind: 'storm' | 'outage' | 'garbage' | 'drop' | 'repeats' | undefined;
  untilMs: number;
  retryAfterSeconds: number;
}

/** Plays an hour apart, long before the simulation begins. */
export function pastOf(count: number, now: number, name = 'past'): FakePlay[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${name}-${index}`,
    playedAt: now - 90 * DAY + index * HOUR,
    title: `${name} ${index}`,
  }));
}

/** The same plays twice, and in another order. */
async function repeated(answer: Response): Promise<Response> {
  if (!answer.ok) return answer;
  const body = (await answer.json()) as { plays?: unknown[] };
  return Response.json({ ...body, ...(body.plays && { plays: [...body.plays, ...body.plays.toReversed()] }) });
}

/** A provider with a library as well: what was saved, at `/saves`. It cannot be walked from the end. */
function withLibrary(provider: ReturnType<typeof fakeProvider<string>>) {
  const { history } = provider.capabilities;
  const saved = <Page extends Pick<Awaited<ReturnType<typeof history.fetchPage>>, 'items'>>(page: Page): Page => ({
    ...page,
    items: page.items.map((item) => ({ ...item, action: 'saved', externalId: `saved:${item.externalId}` })),
  });
  const library: typeof history = {
    ...history,
    backfill: false,
    intervalMs: DAY,
    fetchPage: async ({ http, ...context }, request) =>
      saved(
        await history.fetchPage(
          { ...context, http: { request: (asked) => http.request({ ...asked, path: 'saves', operation: 'saves' }) } },
          request,
        ),
      ),
    replay: (raw) => saved(history.replay(raw)),
  };
  return { ...provider, capabilities: { ...provider.capabilities, library } };
}

/** A service as it answers in this weather. */
export async function answerIn(
  { kind, retryAfterSeconds }: Weather,
  handle: () => Promise<Response>,
): Promise<Response> {
  switch (kind) {
    case 'storm':
      return Response.json({}, { status: 429, headers: { 'retry-after': String(retryAfterSeconds) } });
    case 'outage':
      return new Response('<html>down</html>', { status: 503, headers: { 'content-type': 'text/html' } });
    case 'garbage':
      return new Response('{"plays": [', { headers: { 'content-type': 'application/json' } });
    case 'drop':
      throw new TypeError('fetch failed');
    case 'repeats':
      return repeated(await handle());
    default:
      return handle();
  }
}

/** The service behind a provider, or behind the library of one. */
export function serviceOf(name: string, oauth: FakeOAuthServer, now: () => number): FakeService {
  return new FakeService({
    now,
    authorise: (request) => oauth.requireToken(request)?.account,
    maxLimit: name === 'window' ? WINDOW : 20,
    pageTokenLifetimeMs: 4 * HOUR,
    ...(name === 'window' && { window: WINDOW }),
  });
}

/** `window` forgets; `paged` remembers everything and has a library. */
export function providerOf(id: 'paged' | 'window', oauth: FakeOAuthServer, { overlapMs }: Mutant) {
  const provider = fakeProvider<string>({
    id,
    baseUrl: `https://${id}.test/v1`,
    auth: [{ type: 'oauth2', clientId: 'client', scopes: ['plays'], ...oauth.endpoints('https://oauth.test') }],
    window: id === 'window',
    overlapMs: overlapMs ?? DAY,
    ...(overlapMs !== undefined && { deepOverlapMs: 0 }),
    intervalMs: INTERVAL,
  });
  return id === 'paged' ? withLibrary(provider) : provider;
}

/** A store of credentials that fails as long as `isAway` says. */
export function failing<Store extends ReturnType<typeof memory>['credentials']>(
  store: Store,
  isAway: () => boolean,
): Store {
  return new Proxy(store, {
    get(target, key) {
      const verb: unknown = Reflect.get(target, key);
      if (typeof verb !== 'function') return verb;
      return async (...args: unknown[]) => {
        if (isAway()) throw new McaError({ code: 'storage', reason: 'unavailable', message: 'The vault is away.' });
        return verb.apply(target, args) as unknown;
      };
    },
  });
}

/** What rules about tokens were broken. */
export function tokenViolations(oauth: FakeOAuthServer, told: readonly string[]): string[] {
  const violations: string[] = [];
  // A token may be handed in again while nobody knows whether it was traded in: answers get lost, processes die. Once
  // its successor was in use, somebody had stored that, and the old one must never be seen again.
  const newestInUse = new Map<string, number>();
  const order = new Map<string, { readonly family: string; readonly age: number }>();
  for (const [family, { usedRefreshTokens, refreshToken }] of oauth.grants.entries())
    for (const [age, token] of [...usedRefreshTokens, refreshToken].entries())
      if (token) order.set(token, { family: String(family), age });
  for (const { grantType, handedIn = '' } of oauth.calls) {
    const place = grantType === 'refresh_token' ? order.get(handedIn) : undefined;
    if (!place) continue;
    const newest = newestInUse.get(place.family) ?? 0;
    if (place.age < newest) violations.push(`I5 ${handedIn} was used after its successor`);
    newestInUse.set(place.family, Math.max(newest, place.age));
  }
  const secrets = new Set(
    oauth.grants.flatMap(({ accessTokens, refreshToken }) => [...accessTokens.keys(), refreshToken ?? '']),
  );
  // Looked up by their shape: to look for each of them in everything would take longer than all the rest.
  for (const line of told)
    for (const [word] of line.matchAll(/(?:access|refresh)-\d+-[0-9a-f]+/g))
      if (secrets.has(word)) violations.push('I7 a token stands in the trace');
  return violations;
}

/** What the store still holds of a connection that was erased, by verb. */
export async function remains(
  { storage, credentials }: ReturnType<typeof memory>,
  userId: string,
  connectionIds: ReadonlySet<string>,
): Promise<string[]> {
  const found: Record<string, number> = {
    connections: (await storage.listConnections({ userId })).length,
    items: (await storage.queryItems({ userId, order: 'oldest', limit: 10 })).length,
    imports: (await storage.listImports({ userId })).length,
    changes: (await storage.changes({ after: 0, limit: 10, userId })).length,
  };
  for (const id of connectionIds) {
    const left = {
      credentials: (await credentials.get(id)) ? 1 : 0,
      schedules: (await storage.readSchedules(id)).length,
      'lines of the sync log': (await storage.listSyncLog({ connectionId: id, limit: 10 })).length,
      'parked records': (await storage.listParked(id)).length,
      cursors: (await Promise.all(TRACKS.map((track) => storage.readCursors(id, track)))).flat().length,
    };
    for (const [what, count] of Object.entries(left)) found[what] = (found[what] ?? 0) + count;
  }
  return Object.entries(found).flatMap(([what, count]) => (count > 0 ? [`${count} ${what}`] : []));
}

/** Whether everything a user did is stored once, and every connection works. */
export async function checkStored<Play extends FakePlay>(
  storage: Storage,
  userId: string,
  expected: readonly Play[],
  isKnown: (play: Play) => boolean,
) {
  const violations: string[] = [];
  const items = await storage.queryItems({ userId, order: 'oldest', limit: 1_000_000 });
  const stored = new Set(items.map(({ title }) => title));
  if (stored.size !== items.length) violations.push('I2 something is stored twice');
  for (const play of expected)
    if (!stored.has(play.title) && !isKnown(play)) violations.push(`I1 ${play.title} is missing, and no gap says so`);
  for (const { provider, status } of await storage.listConnections({ userId }))
    if (status !== 'active') violations.push(`I8 ${provider} is ${status} at the end`);
  return { items, violations };
}

/** All walks that keep cursors here. */
export const TRACKS = ['history', 'history:backfill', 'library'] as const;

/** The library is a service of the same kind, at another address. */
export function toPlays(request: Request): Request {
  return request.url.includes('/saves') ? new Request(request.url.replace('/saves', '/plays'), request) : request;
}

/** All verbs of a store, as own functions. */
export function allOf(store: ReturnType<typeof memory>['credentials']): ReturnType<typeof memory>['credentials'] {
  const { apiVersion } = store;
  return {
    apiVersion,
    get: (id) => store.get(id),
    put: (...args) => store.put(...args),
    delete: (id) => store.delete(id),
    list: (request) => store.list(request),
  };
}

interface Wait {
  /** True instant before which nobody may ask, by the machine's clock as it was when the wait was told. */
  readonly until: number;
  /** How far ahead that clock was then, and at most since. */
  readonly ahead: number;
  mostAhead: number;
}

/**
 * Waits that services asked for and reports told of. A clock that is set ahead ends a wait early, by so much and no more:
 * that apart, true time counts, which no step changes.
 */
export class Waits {
  readonly #waits = new Map<string, Wait>();
  readonly #clocks: { readonly now: () => number; readonly machineNow: () => number };

  constructor(clocks: { readonly now: () => number; readonly machineNow: () => number }) {
    this.#clocks = clocks;
  }

  note(key: string, notBefore: number): void {
    const ahead = this.#ahead();
    this.#waits.set(key, { until: notBefore - ahead, ahead, mostAhead: ahead });
  }

  /** The machine's clock was set. */
  step(): void {
    for (const wait of this.#waits.values()) wait.mostAhead = Math.max(wait.mostAhead, this.#ahead());
  }

  /** By how much a call now comes too early. */
  earlyMs(key: string): number {
    const wait = this.#waits.get(key);
    return wait ? wait.until - (wait.mostAhead - wait.ahead) - this.#clocks.now() : 0;
  }

  #ahead(): number {
    return this.#clocks.machineNow() - this.#clocks.now();
  }
}

/**
 * What is known of a service that forgets. What it told of must be stored; what it never told of must lie in a gap that was
 * reported, unless it was played before the first sync, came late into a window that had moved on, or left it while the
 * position was lost: nobody can know.
 */
export class Window {
  readonly #told = new Set<string>();
  readonly #unknowable = new Set<string>();
  readonly #now: () => number;
  readonly #plays: () => readonly FakePlay[];
  #firstTold: number | undefined;
  #isBlind = false;

  constructor(now: () => number, plays: () => readonly FakePlay[]) {
    this.#now = now;
    this.#plays = plays;
  }

  /** It told of all it remembers at this instant. */
  noteTold(): void {
    const now = this.#now();
    const told = this.#plays().filter(({ visibleFrom = 0 }) => visibleFrom <= now);
    for (const { title } of told.slice(-WINDOW)) this.#told.add(title);
    if (this.#isBlind) for (const { title } of told) this.#unknowable.add(title);
    this.#isBlind = false;
    this.#firstTold ??= now;
  }

  /** No position can be read any more, and with it what would tell a gap. */
  loseMark(): void {
    this.#isBlind = true;
  }

  isExcused({ title, playedAt, visibleFrom }: FakePlay): boolean {
    if (this.#told.has(title)) return false;
    if (this.#unknowable.has(title)) return true;
    const isLate = visibleFrom !== undefined && visibleFrom > playedAt;
    return isLate || playedAt < (this.#firstTold ?? Number.POSITIVE_INFINITY);
  }
}
