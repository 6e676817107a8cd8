import type { Storage } from '@mca/core';
import { beginConnect, continueConnect, createRegistry, McaError, type McaEvent, syncDue } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import type { FakePlay } from '@mca/core/testing';
import { createFakeOAuthServer, FakeService, fakeProvider, type VirtualProcess, virtualEnv } from '@mca/core/testing';

export const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 1);
const INTERVAL = 6 * HOUR;
const REDIRECT = 'https://app.example/callback';
/** Plays the windowed service remembers. */
const WINDOW = 50;
/** Plays before the first day. */
const PAST = 300;
const PROVIDERS = ['paged', 'window'] as const;

/** Breaks something on purpose: every harness has to show that it can fail. */
export interface Mutant {
  /** Replaces verbs of the storage. What it is given dies with the process, at every call. */
  readonly storage?: (storage: Storage) => Partial<Storage>;
  /** Replaces the credential store, below the process. */
  readonly credentials?: (
    store: ReturnType<typeof memory>['credentials'],
  ) => Partial<ReturnType<typeof memory>['credentials']>;
  readonly overlapMs?: number;
  /** Writes headers of requests to the log. */
  readonly isTalkative?: boolean;
}

/** What one simulated life came to. */
export interface Outcome {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly hash: string;
  readonly syncs: number;
  readonly deaths: number;
  readonly plays: number;
}

/**
 * Thirty days, or as many as asked for, of a host with one user and two services: plays happen and arrive late, tokens
 * end, services fail in all their ways, processes die or freeze at any await, clocks step, the disk is full. Checks all
 * the while, and at the end, after two quiet intervals, that nothing is missing.
 */
export async function simulate(seed: number, days: number, mutant: Mutant = {}): Promise<Outcome> {
  return new Simulation(seed, days, mutant).run();
}

interface Weather {
  kind: 'storm' | 'outage' | 'garbage' | 'drop' | 'repeats' | undefined;
  untilMs: number;
  retryAfterSeconds: number;
}

class Simulation {
  readonly #days: number;
  readonly #mutant: Mutant;
  readonly #world;
  readonly #adapter;
  readonly #oauth;
  readonly #services = new Map<string, FakeService>();
  readonly #weather = new Map<string, Weather>();
  /** Machine time before which a service asked not to be called, by provider. */
  readonly #notBefore = new Map<string, number>();
  readonly #gaps: { readonly provider: string; readonly from: number; readonly to: number }[] = [];
  readonly #violations: string[] = [];
  readonly #fences = new Map<string, number>();
  readonly #clockSteps: boolean;
  #fullDisk = 0;
  #syncs = 0;
  #deaths = 0;
  #plays = 0;
  #needsUser = new Set<string>();
  readonly #told = new Set<string>();
  #firstTold: number | undefined;

  constructor(seed: number, days: number, mutant: Mutant) {
    this.#days = days;
    this.#mutant = mutant;
    this.#clockSteps = seed % 3 === 0;
    this.#world = virtualEnv(seed, {
      fetch: (input, init) => this.#route(new Request(input, init)),
      startMs: START,
      quick: true,
    });
    const { clock } = this.#world.time;
    this.#adapter = memory({ clock });
    this.#oauth = createFakeOAuthServer({ clock: this.#trueClock(), accessLifetimeMs: HOUR });
    for (const provider of PROVIDERS) {
      this.#services.set(
        provider,
        new FakeService({
          now: () => this.#now(),
          authorise: (request) => this.#oauth.requireToken(request)?.account,
          maxLimit: provider === 'window' ? WINDOW : 20,
          pageTokenLifetimeMs: 4 * HOUR,
          ...(provider === 'window' && { window: WINDOW }),
        }),
      );
      this.#weather.set(provider, { kind: undefined, untilMs: 0, retryAfterSeconds: 0 });
    }
  }

  async run(): Promise<Outcome> {
    const { time, random, trace } = this.#world;
    // A past of some size, so that crashes also meet the walk through what is old.
    this.#services.get('paged')?.add('ada', ...pastOf(PAST));
    for (const provider of PROVIDERS) await this.#connect(provider);
    const end = this.#days * DAY;
    while (this.#now() - START < end) {
      const stepMs = Math.floor((1 + random() * 5) * HOUR);
      await time.advance(stepMs);
      this.#listen(stepMs);
      this.#changeWeather();
      await this.#sync(random() < 0.25 ? 2 : 1, true);
      await this.#lookAtConnections();
      for (const provider of [...this.#needsUser]) if (random() < 0.5) await this.#connect(provider);
    }
    // The faults are over: two intervals, and everything must be there.
    for (const weather of this.#weather.values()) weather.kind = undefined;
    this.#fullDisk = 0;
    for (let round = 0; round < 3; round += 1) {
      await this.#lookAtConnections();
      for (const provider of [...this.#needsUser]) await this.#connect(provider);
      await time.advance(INTERVAL + HOUR);
      await this.#sync(1, false);
    }
    await this.#checkAll();
    const { seed } = this.#world;
    const outcome = {
      seed,
      violations: this.#violations,
      syncs: this.#syncs,
      deaths: this.#deaths,
      plays: this.#plays,
    };
    return { ...outcome, hash: trace.hash() };
  }

  /** True time: the machine's clock may be wrong. */
  #now(): number {
    return START + (this.#world.time.clock.monotonic?.() ?? 0);
  }

  #trueClock() {
    return { now: () => this.#now() };
  }

  #listen(stepMs: number): void {
    const { random } = this.#world;
    for (const [provider, service] of this.#services) {
      const plays = Math.floor(random() * 6);
      for (let index = 0; index < plays; index += 1) {
        const playedAt = this.#now() - Math.floor(random() * stepMs);
        const lateMs = random() < 0.2 ? Math.floor(random() * 18 * HOUR) : 0;
        this.#plays += 1;
        const title = `${provider} ${this.#plays}`;
        service.add('ada', { id: `id-${this.#plays}`, playedAt, title, visibleFrom: playedAt + lateMs });
      }
    }
  }

  #changeWeather(): void {
    const { random, time } = this.#world;
    const kinds = ['storm', 'outage', 'garbage', 'drop', 'repeats'] as const;
    for (const weather of this.#weather.values()) {
      if (weather.untilMs < this.#now()) weather.kind = undefined;
      if (weather.kind === undefined && random() < 0.08) {
        weather.kind = kinds[Math.floor(random() * kinds.length)];
        weather.untilMs = this.#now() + Math.floor(random() * 12 * HOUR);
        weather.retryAfterSeconds = [2, 90, 7_200][Math.floor(random() * 3)] ?? 2;
      }
    }
    if (random() < 0.01) for (const grant of this.#oauth.grants) grant.revoked = true;
    if (random() < 0.05) this.#oauth.failNext('token', 2, random() < 0.5 ? { status: 503 } : 'drop-after');
    if (random() < 0.03) this.#fullDisk = 1 + Math.floor(random() * 3);
    if (this.#clockSteps && random() < 0.05) time.step(random() < 0.5 ? -HOUR : HOUR);
  }

  async #route(request: Request): Promise<Response> {
    const { host } = new URL(request.url);
    if (this.#mutant.isTalkative) this.#world.trace.add(`request ${request.headers.get('authorization')}`);
    if (host === 'oauth.test') return this.#oauth.handle(request);
    const provider = host.split('.')[0] ?? '';
    const service = this.#services.get(provider);
    const weather = this.#weather.get(provider);
    if (!service || !weather) throw new TypeError('fetch failed');
    const machineNow = this.#world.time.clock.now();
    if (!this.#clockSteps && machineNow < (this.#notBefore.get(provider) ?? 0) - 1_000)
      this.#violate(`I6 ${provider} was called ${(this.#notBefore.get(provider) ?? 0) - machineNow} ms too early`);
    switch (weather.kind) {
      case 'storm':
        return Response.json({}, { status: 429, headers: { 'retry-after': String(weather.retryAfterSeconds) } });
      case 'outage':
        return new Response('<html>down</html>', { status: 503, headers: { 'content-type': 'text/html' } });
      case 'garbage':
        return new Response('{"plays": [', { headers: { 'content-type': 'application/json' } });
      case 'drop':
        throw new TypeError('fetch failed');
      case 'repeats':
        return repeated(await service.handle(request));
      default:
        return service.handle(request);
    }
  }

  #process() {
    const process = this.#world.start();
    return { process, registry: this.#registry(process) };
  }

  #registry(process: VirtualProcess) {
    const { storage, credentials } = this.#adapter;
    const mutated = { ...storage, ...this.#mutant.storage?.(process.mortal(storage)) };
    return createRegistry({
      providers: PROVIDERS.map((id) =>
        fakeProvider({
          id,
          baseUrl: `https://${id}.test/v1`,
          auth: [
            { type: 'oauth2', clientId: 'client', scopes: ['plays'], ...this.#oauth.endpoints('https://oauth.test') },
          ],
          window: id === 'window',
          overlapMs: this.#mutant.overlapMs ?? DAY,
          ...(this.#mutant.overlapMs !== undefined && { deepOverlapMs: 0 }),
          intervalMs: INTERVAL,
        }),
      ),
      storage: process.mortal({ ...mutated, commitPage: (page) => this.#commit(mutated, page) }),
      credentials: process.mortal({ ...credentials, ...this.#mutant.credentials?.(credentials) }),
      insecurePlaintextForTests: true,
      env: process.env,
      onEvent: (event) => {
        if (process.isAlive) this.#hear(event);
      },
    });
  }

  async #commit(storage: Storage, page: Parameters<Storage['commitPage']>[0]) {
    if (this.#fullDisk > 0) {
      this.#fullDisk -= 1;
      throw new McaError({ code: 'storage', reason: 'disk_full', message: 'The disk is full.' });
    }
    const result = await storage.commitPage(page);
    const { resource, fence } = page.lease;
    if (fence < (this.#fences.get(resource) ?? 0)) this.#violate(`I4 ${resource} was written under a stale fence`);
    this.#fences.set(resource, Math.max(fence, this.#fences.get(resource) ?? 0));
    return result;
  }

  #hear(event: McaEvent): void {
    this.#world.trace.add(JSON.stringify(event));
    if (event.type === 'coverage_gap')
      this.#gaps.push({ provider: event.provider, from: event.from.getTime(), to: event.to.getTime() });
    if (event.type === 'reauth_required') this.#needsUser.add(event.provider);
  }

  /** The event may have died with its process; what the store says stays. */
  async #lookAtConnections(): Promise<void> {
    for (const { provider, status } of await this.#adapter.storage.listConnections({ userId: 'ada' }))
      if (status === 'needs_reauth') this.#needsUser.add(provider);
  }

  /** The user clicks through the log-in page. */
  async #connect(provider: string): Promise<void> {
    const { registry } = this.#process();
    const request = { userId: 'ada', provider, redirectUri: REDIRECT, sessionBinding: 'browser' };
    try {
      await this.#world.time.until(
        (async () => {
          const step = await beginConnect(registry, request);
          if (step.step !== 'redirect') throw new Error('Not a redirect');
          const page = await this.#oauth.fetch(step.url);
          const query = new URL(page.headers.get('location') ?? '').search;
          await continueConnect(registry, { ...request, query });
        })(),
      );
      this.#needsUser.delete(provider);
    } catch (error) {
      // The token endpoint may be down just now: the user tries again later.
      this.#world.trace.add(
        `could not connect ${provider}: ${McaError.isInstance(error) ? error.code : String(error)}`,
      );
      this.#needsUser.add(provider);
    }
  }

  async #sync(processes: number, mayDie: boolean): Promise<void> {
    const { random, time, trace } = this.#world;
    const running = Array.from({ length: processes }, () => {
      const { process, registry } = this.#process();
      const isEarly = this.#now() - START < DAY;
      if (mayDie && random() < (isEarly ? 0.9 : 0.2)) process.dieAfter(1 + Math.floor(random() * 60));
      if (mayDie && random() < 0.05) time.timers.after(Math.floor(random() * 2_000), () => process.freeze(3 * 60_000));
      const work = syncDue(registry, {
        concurrency: 2,
        onReport: (report) => {
          if (!process.isAlive) return;
          this.#syncs += 1;
          trace.add(`${report.provider} ${report.status} ${JSON.stringify(report.counts)}`);
          const { read, inserted, updated, unchanged, skipped, rejected } = report.counts;
          // A process that dies with the answer in its hand takes the wait along: only a wait that was told counts.
          if (report.notBefore) this.#notBefore.set(report.provider, report.notBefore.getTime());
          if (report.status === 'complete' || report.status === 'partial') this.#noteTold(report.provider);
          if (read !== inserted + updated + unchanged + skipped + rejected)
            this.#violate('R-094 a report does not balance');
        },
      });
      const ended = Promise.race([work.then(() => 'done', String), process.death.then(() => 'died')]);
      return ended.then((how) => {
        if (how === 'died') this.#deaths += 1;
        else if (how !== 'done') this.#violate(`syncDue threw ${how}`);
        process.kill();
      });
    });
    await time.until(Promise.all(running));
  }

  /** What the windowed service tells of at this instant: of this, nothing may be missing. */
  #noteTold(provider: string): void {
    if (provider !== 'window') return;
    const visible = this.#services.get(provider)?.plays('ada') ?? [];
    const told = visible.filter(({ visibleFrom = 0 }) => visibleFrom <= this.#now()).slice(-WINDOW);
    for (const { title } of told) this.#told.add(title);
    this.#firstTold ??= this.#now();
  }

  /**
   * The windowed service forgets. What it told of must be stored; what it never told of must lie in a gap that was
   * reported, unless it was played before the first sync, or came late into a window that had moved on: nobody can know.
   */
  #isExcused(provider: string, { title, playedAt, visibleFrom }: FakePlay): boolean {
    if (provider !== 'window' || this.#told.has(title)) return false;
    const isLate = visibleFrom !== undefined && visibleFrom > playedAt;
    return isLate || playedAt < (this.#firstTold ?? Number.POSITIVE_INFINITY);
  }

  async #checkAll(): Promise<void> {
    const { storage } = this.#adapter;
    const items = await storage.queryItems({ userId: 'ada', order: 'oldest', limit: 1_000_000 });
    const stored = new Set(items.map(({ title }) => title));
    if (stored.size !== items.length) this.#violate('I2 something is stored twice');
    for (const [provider, service] of this.#services) {
      for (const play of service.plays('ada')) {
        const { title, playedAt } = play;
        if (stored.has(title) || this.#isExcused(provider, play)) continue;
        const isTold = this.#gaps.some(
          (gap) => gap.provider === provider && playedAt >= gap.from && playedAt <= gap.to,
        );
        if (!isTold) this.#violate(`I1 ${title} is missing, and no gap says so`);
      }
    }
    this.#checkTokens(JSON.stringify(items));
    for (const connection of await storage.listConnections({ userId: 'ada' })) {
      if (connection.status !== 'active') this.#violate(`I8 ${connection.provider} is ${connection.status} at the end`);
    }
  }

  #checkTokens(items: string): void {
    // A token may be handed in again while nobody knows whether it was traded in: answers get lost, processes die. Once
    // its successor was in use, somebody had stored that, and the old one must never be seen again.
    const newestInUse = new Map<string, number>();
    const order = new Map<string, { readonly family: string; readonly age: number }>();
    for (const [family, { usedRefreshTokens, refreshToken }] of this.#oauth.grants.entries())
      for (const [age, token] of [...usedRefreshTokens, refreshToken].entries())
        if (token) order.set(token, { family: String(family), age });
    for (const { grantType, handedIn = '' } of this.#oauth.calls) {
      const place = grantType === 'refresh_token' ? order.get(handedIn) : undefined;
      if (!place) continue;
      const newest = newestInUse.get(place.family) ?? 0;
      if (place.age < newest) this.#violate(`I5 ${handedIn} was used after its successor`);
      newestInUse.set(place.family, Math.max(newest, place.age));
    }
    const told = [...this.#world.trace.lines, items].join('\n');
    for (const { accessTokens, refreshToken } of this.#oauth.grants)
      for (const token of [...accessTokens.keys(), refreshToken])
        if (token && told.includes(token)) this.#violate('I7 a token stands in the trace');
  }

  #violate(what: string): void {
    this.#violations.push(what);
  }
}

/** Plays an hour apart, long before the simulation begins. */
function pastOf(count: number): FakePlay[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `past-${index}`,
    playedAt: START - 90 * DAY + index * HOUR,
    title: `past ${index}`,
  }));
}

/** The same plays twice, and in another order. */
async function repeated(answer: Response): Promise<Response> {
  if (!answer.ok) return answer;
  const body = (await answer.json()) as { plays?: unknown[] };
  return Response.json({ ...body, ...(body.plays && { plays: [...body.plays, ...body.plays.toReversed()] }) });
}
