import type { Cursor, Storage } from '@mca/core';
import { beginConnect, continueConnect, createRegistry, eraseUser, McaError, type McaEvent, syncDue } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import type { FakePlay } from '@mca/core/testing';
import { createFakeOAuthServer, type FakeService, type VirtualProcess, virtualEnv } from '@mca/core/testing';
import {
  allOf,
  answerIn,
  checkStored,
  DAY,
  failing,
  HOUR,
  INTERVAL,
  type Mutant,
  type Outcome,
  pastOf,
  providerOf,
  remains,
  serviceOf,
  TRACKS,
  tokenViolations,
  toPlays,
  Waits,
  type Weather,
  Window,
} from './simulation-parts.ts';

const START = Date.UTC(2026, 0, 1);
const REDIRECT = 'https://app.example/callback';
/** Plays before the first day. */
const PAST = 300;
const PROVIDERS = ['paged', 'window'] as const;
/** Services: the two providers, and what `paged` keeps as its library. */
const SERVICES = [...PROVIDERS, 'saves'] as const;

/**
 * Thirty days, or as many as asked for, of a host with two services: plays happen and arrive late, tokens end, services
 * fail in all their ways, processes die or freeze at any await, clocks step, the disk is full, the vault is away, cursors
 * get damaged. Ada is there from the beginning. In every second life Bob comes later and wants what is new only, and in
 * half of those he is erased again. Checks all the while, and at the end, after two quiet intervals, that nothing is missing.
 */
export async function simulate(seed: number, days: number, mutant: Mutant = {}): Promise<Outcome> {
  return new Simulation(seed, days, mutant).run();
}

class Simulation {
  readonly #days: number;
  readonly #mutant: Mutant;
  readonly #world;
  readonly #adapter;
  readonly #oauth;
  readonly #services = new Map<string, FakeService>();
  readonly #weather = new Map<string, Weather>();
  readonly #waits;
  readonly #gaps: { readonly provider: string; readonly from: number; readonly to: number }[] = [];
  readonly #violations: string[] = [];
  readonly #fences = new Map<string, number>();
  /** What damaged cursors are read as. */
  readonly #damaged = new Map<string, Cursor>();
  /** Connections that were ever seen, and whose they are. */
  readonly #owners = new Map<string, string>();
  /** When the user was connected first, by the later one of the true clock and that of the machine. */
  readonly #since = new Map<string, number>();
  readonly #clockSteps: boolean;
  /** Instants at which Bob comes, and is erased. */
  readonly #bob: { readonly comes: number; readonly goes: number };
  readonly #met = { erased: 0, damaged: 0, vaultFailures: 0, steps: 0, saves: 0 };
  #isErased = false;
  #vaultFailures = 0;
  #fullDisk = 0;
  #syncs = 0;
  #deaths = 0;
  #plays = 0;
  #needsUser = new Set<string>();
  readonly #window;

  constructor(seed: number, days: number, mutant: Mutant) {
    this.#days = days;
    this.#mutant = mutant;
    this.#clockSteps = seed % 3 === 0;
    const never = Number.POSITIVE_INFINITY;
    this.#bob = { comes: seed % 2 === 1 ? START + 2 * DAY : never, goes: seed % 4 === 1 ? START + 12 * DAY : never };
    this.#world = virtualEnv(seed, {
      fetch: (input, init) => this.#route(new Request(input, init)),
      startMs: START,
      quick: true,
    });
    const { clock } = this.#world.time;
    this.#waits = new Waits({ now: () => this.#now(), machineNow: () => clock.now() });
    this.#window = new Window(
      () => this.#now(),
      () => this.#services.get('window')?.plays('ada') ?? [],
    );
    this.#adapter = memory({ clock });
    this.#oauth = createFakeOAuthServer({ clock: this.#trueClock(), accessLifetimeMs: HOUR });
    for (const provider of SERVICES) {
      this.#services.set(
        provider,
        serviceOf(provider, this.#oauth, () => this.#now()),
      );
      this.#weather.set(provider, { kind: undefined, untilMs: 0, retryAfterSeconds: 0 });
    }
  }

  async run(): Promise<Outcome> {
    const { time, random, trace } = this.#world;
    // A past of some size, so that crashes also meet the walk through what is old.
    this.#services.get('paged')?.add('ada', ...pastOf(PAST, START));
    this.#services.get('paged')?.add('bob', ...pastOf(20, START, "Bob's past"));
    for (const provider of PROVIDERS) await this.#connect('ada', provider);
    const end = this.#days * DAY;
    while (this.#now() - START < end) {
      const stepMs = Math.floor((3 + random() * 8) * HOUR);
      await time.advance(stepMs);
      this.#listen(stepMs);
      this.#changeWeather();
      if (random() < 0.02) await this.#damageCursors();
      if (this.#now() >= this.#bob.comes && !this.#since.has('bob')) await this.#connect('bob', 'paged');
      await this.#sync(random() < 0.25 ? 2 : 1, true);
      await this.#lookAtConnections();
      for (const who of [...this.#needsUser]) if (random() < 0.5) await this.#reconnect(who);
    }
    // The faults are over: two intervals, and everything must be there.
    for (const weather of this.#weather.values()) weather.kind = undefined;
    this.#fullDisk = 0;
    this.#vaultFailures = 0;
    for (let round = 0; round < 3; round += 1) {
      await this.#lookAtConnections();
      for (const who of [...this.#needsUser]) await this.#reconnect(who);
      await time.advance((round === 0 ? DAY : INTERVAL) + HOUR);
      await this.#sync(1, false);
    }
    await this.#checkAll();
    const counts = { syncs: this.#syncs, deaths: this.#deaths, plays: this.#plays, met: this.#met };
    return { seed: this.#world.seed, violations: this.#violations, ...counts, hash: trace.hash() };
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
    for (const provider of PROVIDERS) this.#add('ada', provider, Math.floor(random() * 7), stepMs);
    this.#add('ada', 'saves', Math.floor(random() * 2), stepMs);
    if (this.#bob.comes < Number.POSITIVE_INFINITY) this.#add('bob', 'paged', Math.floor(random() * 3), stepMs);
  }

  #add(userId: string, provider: string, plays: number, stepMs: number): void {
    const { random } = this.#world;
    for (let index = 0; index < plays; index += 1) {
      const playedAt = this.#now() - Math.floor(random() * stepMs);
      const lateMs = random() < 0.2 ? Math.floor(random() * 18 * HOUR) : 0;
      this.#plays += 1;
      if (provider === 'saves') this.#met.saves += 1;
      const title = `${provider} ${this.#plays}`;
      const play = { id: `id-${this.#plays}`, playedAt, title, visibleFrom: playedAt + lateMs };
      this.#services.get(provider)?.add(userId, play);
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
    if (random() < 0.02) this.#vaultFailures = 1 + Math.floor(random() * 3);
    if (!this.#clockSteps || random() >= 0.05) return;
    time.step(random() < 0.5 ? -HOUR : HOUR);
    this.#met.steps += 1;
    this.#waits.step();
  }

  /** The newest cursor of a walk, or all that are kept, can no longer be read. */
  async #damageCursors(): Promise<void> {
    const { random, trace } = this.#world;
    const { storage } = this.#adapter;
    const damage = this.#mutant.damage ?? ((cursor: Cursor) => cursor.slice(0, -9) as Cursor);
    const track = TRACKS[Math.floor(random() * TRACKS.length)] ?? 'history';
    const [connectionId = '', userId] = [...this.#owners][Math.floor(random() * this.#owners.size)] ?? [];
    const cursors = await storage.readCursors(connectionId, track);
    const hit = random() < 0.5 ? cursors.slice(0, 1) : cursors;
    for (const cursor of hit) this.#damaged.set(cursor, damage(cursor));
    trace.add(`${hit.length} of ${cursors.length} cursors of ${userId} ${track} damaged`);
    this.#met.damaged += hit.length;
    const [connection] = await storage.listConnections({ userId: userId ?? '', id: connectionId });
    if (connection?.provider === 'window' && hit.length === cursors.length) this.#window.loseMark();
  }

  async #route(request: Request): Promise<Response> {
    const { host } = new URL(request.url);
    if (this.#mutant.isTalkative) this.#world.trace.add(`request ${request.headers.get('authorization')}`);
    if (host === 'oauth.test') return this.#oauth.handle(request);
    const provider = host.split('.')[0] ?? '';
    const isLibrary = request.url.includes('/saves');
    const service = this.#services.get(isLibrary ? 'saves' : provider);
    const weather = this.#weather.get(provider);
    if (!service || !weather) throw new TypeError('fetch failed');
    const account = this.#oauth.requireToken(request)?.account;
    const earlyMs = this.#waits.earlyMs(`${account} ${provider} ${isLibrary ? 'library' : 'history'}`);
    if (earlyMs > 1_000) this.#violate(`I6 ${provider} was called ${earlyMs} ms too early`);
    return answerIn(weather, () => service.handle(toPlays(request)));
  }

  #process() {
    const process = this.#world.start();
    return { process, registry: this.#registry(process) };
  }

  #registry(process: VirtualProcess) {
    const { storage, credentials } = this.#adapter;
    const mutated = { ...storage, ...this.#mutant.storage?.(process.mortal(storage)) };
    const vault = failing(credentials, () => this.#isVaultAway());
    return createRegistry({
      providers: PROVIDERS.map((id) => providerOf(id, this.#oauth, this.#mutant)),
      storage: process.mortal({
        ...mutated,
        commitPage: (page) => this.#commit(mutated, page),
        readCursors: async (id, track) =>
          (await mutated.readCursors(id, track)).map((cursor) => this.#damaged.get(cursor) ?? cursor),
      }),
      credentials: process.mortal({ ...allOf(vault), ...this.#mutant.credentials?.(vault) }),
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

  #isVaultAway(): boolean {
    if (this.#vaultFailures === 0) return false;
    this.#vaultFailures -= 1;
    this.#met.vaultFailures += 1;
    return true;
  }

  #hear(event: McaEvent): void {
    this.#world.trace.add(JSON.stringify(event));
    if (event.type === 'coverage_gap')
      this.#gaps.push({ provider: event.provider, from: event.from.getTime(), to: event.to.getTime() });
    if (event.type !== 'reauth_required') return;
    this.#needsUser.add(`${event.userId} ${event.provider}`);
    if (event.reason === 'not_connected') this.#violate(`I10 ${event.provider} forgot that it is connected`);
  }

  /** The event may have died with its process; what the store says stays. */
  async #lookAtConnections(): Promise<void> {
    for (const userId of ['ada', 'bob'])
      for (const { id, provider, status } of await this.#adapter.storage.listConnections({ userId })) {
        this.#owners.set(id, userId);
        if (status === 'needs_reauth') this.#needsUser.add(`${userId} ${provider}`);
      }
  }

  async #reconnect(who: string): Promise<void> {
    const [userId = '', provider = ''] = who.split(' ');
    if (userId === 'bob' && this.#isErased) this.#needsUser.delete(who);
    else await this.#connect(userId, provider);
  }

  /** The user clicks through the log-in page. */
  async #connect(userId: string, provider: string): Promise<void> {
    const { time, trace } = this.#world;
    const { registry } = this.#process();
    const request = { userId, provider, redirectUri: REDIRECT, sessionBinding: 'browser' };
    this.#oauth.behaviour.account = userId;
    try {
      await time.until(
        (async () => {
          const step = await beginConnect(registry, { ...request, ...(userId === 'bob' && { firstSync: 'new' }) });
          if (step.step !== 'redirect') throw new Error('Not a redirect');
          const page = await this.#oauth.fetch(step.url);
          const query = new URL(page.headers.get('location') ?? '').search;
          await continueConnect(registry, { ...request, query });
        })(),
      );
      this.#needsUser.delete(`${userId} ${provider}`);
      if (!this.#since.has(userId)) this.#since.set(userId, Math.max(this.#now(), time.clock.now()));
    } catch (error) {
      // The token endpoint may be down just now: the user tries again later.
      trace.add(`could not connect ${provider}: ${McaError.isInstance(error) ? error.code : String(error)}`);
      if (this.#since.has(userId) || userId === 'ada') this.#needsUser.add(`${userId} ${provider}`);
    }
    await this.#lookAtConnections();
  }

  /** Bob is erased while his syncs may be under way. A host tries until it worked. */
  async #erase(): Promise<void> {
    const { random, time, trace } = this.#world;
    const { registry } = this.#process();
    await new Promise<void>((resolve) => time.timers.after(Math.floor(random() * 500), resolve));
    try {
      const { items } = await eraseUser(registry, { userId: 'bob' });
      trace.add(`bob erased, ${items} items`);
      this.#isErased = true;
      this.#met.erased += 1;
    } catch (error) {
      trace.add(`could not erase bob: ${McaError.isInstance(error) ? error.reason : String(error)}`);
    }
  }

  async #sync(processes: number, mayDie: boolean): Promise<void> {
    const { random, time, trace } = this.#world;
    const isBobToGo = mayDie && this.#since.has('bob') && !this.#isErased && this.#now() >= this.#bob.goes;
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
          const owner = this.#owners.get(report.connectionId ?? '');
          if (report.notBefore)
            this.#waits.note(`${owner} ${report.provider} ${report.capability}`, report.notBefore.getTime());
          // Whoever is erased meanwhile is no longer connected, and that is right.
          if (report.error?.reason === 'not_connected' && !(isBobToGo && owner === 'bob'))
            this.#violate(`I10 ${report.provider} is taken for not connected`);
          if (report.provider === 'window' && (report.status === 'complete' || report.status === 'partial'))
            this.#window.noteTold();
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
    await time.until(Promise.all([...running, ...(isBobToGo ? [this.#erase()] : [])]));
  }

  async #checkAll(): Promise<void> {
    const ada = await this.#check('ada', Number.NEGATIVE_INFINITY);
    const since = this.#since.get('bob');
    const bob = since === undefined || this.#isErased ? [] : await this.#check('bob', since);
    if (bob.some(({ title }) => title.startsWith("Bob's past"))) this.#violate('I9 what was before Bob came is stored');
    if (this.#isErased) {
      const ids = [...this.#owners].flatMap(([id, userId]) => (userId === 'bob' ? [id] : []));
      for (const what of await remains(this.#adapter, 'bob', new Set(ids)))
        this.#violate(`I9 Bob is erased, not his ${what}`);
    }
    this.#violations.push(...tokenViolations(this.#oauth, [...this.#world.trace.lines, JSON.stringify([ada, bob])]));
  }

  async #check(userId: string, since: number) {
    const expected = [...this.#services].flatMap(([provider, service]) =>
      service.plays(userId).map((play) => ({ ...play, provider })),
    );
    const isKnown = (play: FakePlay & { readonly provider: string }): boolean =>
      play.playedAt < since ||
      (play.provider === 'window' && this.#window.isExcused(play)) ||
      this.#gaps.some(
        ({ provider, from, to }) => provider === play.provider && play.playedAt >= from && play.playedAt <= to,
      );
    const { items, violations } = await checkStored(this.#adapter.storage, userId, expected, isKnown);
    this.#violations.push(...violations);
    return items;
  }

  #violate(what: string): void {
    this.#violations.push(what);
  }
}
