import { type Env, McaError, type RateLimit, type RateLimiter } from '@mca/core/adapter-kit';
import { RedisAway, type RedisLink } from './link.ts';
import { OwnShare } from './own-share.ts';
import { FREE_PLACE, type Place, type SharedPlaces } from './places.ts';
import { GIVE_BACK, PAUSE, REPORT, SETTLE, TAKE } from './scripts.ts';

const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** So long a limiter waits at most for what others may have started before Redis went. */
const LONGEST_HOLD_MS = 60_000;
/** In place of how often Redis came back: it was not there when last looked at. */
const ALONE = -1;

/** What a {@link SharedLimiter} is made of. */
export interface SharedLimiterOptions {
  readonly limit: RateLimit;
  readonly env: Env;
  readonly link: RedisLink;
  readonly places: SharedPlaces;
  readonly keys: {
    readonly starts: string;
    readonly pause: string;
    readonly places: string;
    readonly probe: readonly string[];
  };
  /** Name of this limiter among all of all machines. */
  readonly name: string;
  readonly marginMs: number;
  readonly machines: number;
}

interface Waiter {
  begin(place: Place): void;
  fail(error: unknown): void;
}

/**
 * One line, of which the first asks for a place (concurrency) and for a start (rate), and then begins. What it gets is
 * not its own before that: when it leaves, the next in line has the use of it.
 */
export class SharedLimiter implements RateLimiter {
  readonly #given: SharedLimiterOptions;
  readonly #share: OwnShare;
  readonly #waiting = new Set<Waiter>();
  #running = 0;
  #isMoving = false;
  #pausedUntil: number = Number.NEGATIVE_INFINITY;
  /** When a start may be had, by what Redis said last. Monotonic. */
  #opensAt: number = Number.NEGATIVE_INFINITY;
  /** Until then also the own share counts: others may not have told Redis yet what they started without it. */
  #settledAt: number = Number.NEGATIVE_INFINITY;
  #knownReturns: number;
  /** Redis has answered for starts since the own share was held back last. */
  #isShared = true;
  /** Number of the last start that Redis has granted. */
  #agreed = 0;
  #agreedAt: number = Number.NEGATIVE_INFINITY;
  #isLate = false;
  /** Places that could not be asked for, in a row. */
  #failures = 0;
  #wake = (): void => {};

  constructor(given: SharedLimiterOptions) {
    this.#given = given;
    this.#share = new OwnShare(given.limit, given.machines);
    this.#knownReturns = given.link.returns;
    if (given.link.isAway) this.#goAlone();
  }

  get load(): number {
    return this.#waiting.size + this.#running;
  }

  get freeAt(): number {
    const { link, limit, env } = this.#given;
    const now = link.now();
    const rounds = Math.floor(this.#waiting.size / limit.requests);
    return env.clock.now() + Math.max(0, this.#pausedUntil - now, this.#opensAt - now) + rounds * (limit.perMs + 1);
  }

  pause(ms: number): void {
    const { link } = this.#given;
    this.#pausedUntil = Math.max(this.#pausedUntil, link.now() + ms);
    void this.#tell(() => this.#sharePause(ms));
  }

  run<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(cancelledBy(signal));
        return;
      }
      const waiter: Waiter = {
        begin: (place) => {
          // From here the signal is the work's own business.
          signal.removeEventListener('abort', onAbort);
          this.#begin(work, place).then(resolve, reject);
        },
        fail: (error) => {
          signal.removeEventListener('abort', onAbort);
          reject(error);
        },
      };
      const onAbort = (): void => {
        this.#waiting.delete(waiter);
        if (this.#waiting.size === 0) this.#wake();
        reject(cancelledBy(signal));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(waiter);
      // What nobody thought of must neither end the process nor leave anybody waiting.
      this.#move().catch((error: unknown) => {
        const waiting = [...this.#waiting];
        this.#waiting.clear();
        for (const each of waiting) each.fail(error);
      });
    });
  }

  async #begin<Result>(work: () => Promise<Result>, place: Place): Promise<Result> {
    const startedAt = this.#given.link.now();
    this.#share.note(startedAt);
    const member = this.#member(this.#share.count);
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      place.free();
      this.#wake();
      const { link, keys, marginMs } = this.#given;
      // Its request has arrived by now: the window need not be kept for stragglers.
      if (link.now() - startedAt < marginMs) void this.#tell(() => link.run(SETTLE, [keys.starts], [member]));
    }
  }

  /** Serves the line until it is empty. */
  async #move(): Promise<void> {
    if (this.#isMoving) return;
    this.#isMoving = true;
    let place: Place | undefined;
    try {
      while (this.#waiting.size > 0) {
        if (place?.isLost) {
          place.free();
          place = undefined;
        }
        place ??= await this.#takePlace();
        if (!place) continue;
        const waitMs = await this.#takeStart();
        if (waitMs === undefined) {
          const [next] = this.#waiting;
          if (!next || place.isLost) {
            await this.#tell(() => this.#giveBack());
            continue;
          }
          this.#waiting.delete(next);
          next.begin(place);
          place = undefined;
        } else if (waitMs > 0) await this.#nap(waitMs);
      }
    } finally {
      place?.free();
      this.#isMoving = false;
    }
  }

  /** Waits for a place; `undefined` when it has to be asked again whether one is wanted. */
  async #takePlace(): Promise<Place | undefined> {
    const { link, limit, machines, places, keys } = this.#given;
    const { concurrency } = limit;
    if (concurrency === undefined) return FREE_PLACE;
    const isAlone = link.isAway || places.isClosed;
    const most = isAlone ? Math.max(1, Math.floor(concurrency / machines)) : concurrency;
    if (this.#running >= most) {
      link.probe(keys.probe);
      await this.#nap(link.isAway ? link.probeEveryMs : LONGEST_TIMER_MS);
      return undefined;
    }
    if (isAlone) return FREE_PLACE;
    let place: Place | undefined;
    let failure: unknown;
    const asked = places.take(`${keys.places}:${concurrency}`, concurrency, link.now()).then(
      (taken) => {
        place = taken;
      },
      (error: unknown) => {
        failure = error;
      },
    );
    while (!place && !failure && this.#waiting.size > 0 && !link.isAway) {
      await this.#nap(link.probeEveryMs, asked);
      // It may be a while until it is our turn; that Redis is gone must not take longer to notice.
      if (!place) await link.check().catch(() => {});
    }
    this.#failures = failure && !places.isClosed ? this.#failures + 1 : 0;
    // Redis answers, and its connections do not last: they are refused, or it does not know what Bottleneck needs.
    if (this.#failures > 1) link.goAway(failure);
    if (link.isAway) places.drop();
    if (place && !link.isAway) return place;
    // What comes now is nobody's.
    void asked.then(() => place?.free());
    return undefined;
  }

  /** Takes a start, which has to be used at once: `undefined` for yes, else how long to wait before asking again. */
  async #takeStart(): Promise<number | undefined> {
    const { link, keys, limit, marginMs } = this.#given;
    const now = link.now();
    try {
      if (this.#knownReturns !== ALONE && (link.isAway || link.returns !== this.#knownReturns)) this.#goAlone();
      link.probe(keys.probe);
      if (link.returns !== this.#knownReturns && !link.isAway) await this.#rejoin();
      const pausedMs = this.#pausedUntil - now;
      // Who is back first tells the others of the pause.
      if (pausedMs > 0) return link.isAway ? Math.min(pausedMs, link.probeEveryMs) : pausedMs;
      if (link.isAway || now < this.#settledAt) {
        const waitMs = this.#share.waitMs(now);
        this.#opensAt = now + waitMs;
        if (waitMs > 0) return link.isAway ? Math.min(waitMs, link.probeEveryMs) : waitMs;
        if (link.isAway) return undefined;
      }
      const mustKnow = now - this.#agreedAt < limit.perMs ? this.#member(this.#agreed) : '';
      const next = this.#share.count + 1;
      const args = [limit.requests, limit.perMs, marginMs, this.#member(next), mustKnow];
      const { granted, waitMs } = await link.run(TAKE, [keys.starts, keys.pause], args);
      const answeredAt = link.now();
      this.#isShared = true;
      this.#opensAt = answeredAt + waitMs;
      if (granted === 2) {
        // It was not asked whether it knows anything: told again and again it would go on so for ever.
        if (mustKnow === '') link.goAway(new Error('an answer to what was not asked'));
        this.#goAlone();
        await this.#rejoin();
        return 0;
      }
      if (granted !== 1) {
        // A grant that came too late was taken back with the same question.
        if (this.#agreed === next) this.#agreedAt = Number.NEGATIVE_INFINITY;
        return Math.max(1, waitMs);
      }
      this.#agreed = next;
      this.#agreedAt = answeredAt;
      // Between the grant and now this process may have been asleep, or told to pause. Asked again, but not for ever.
      const isLate = answeredAt - now > marginMs && !this.#isLate;
      this.#isLate = isLate;
      return isLate || this.#pausedUntil > answeredAt ? 0 : undefined;
    } catch (error) {
      if (!(error instanceof RedisAway)) throw error;
      this.#goAlone();
      return 0;
    }
  }

  /** From now on the own share is all there is; others may just have used up the whole limit. */
  #goAlone(): void {
    const { link, limit, marginMs } = this.#given;
    this.#knownReturns = ALONE;
    // Of a Redis that refuses every start nobody has had any since: held back again for each, none would ever be made.
    if (!this.#isShared) return;
    this.#isShared = false;
    this.#share.hold(link.now(), Math.min(LONGEST_HOLD_MS, limit.perMs + marginMs));
  }

  /** Tells Redis what was started without it, or what it has forgotten. */
  async #rejoin(): Promise<void> {
    const { link, keys, limit, marginMs } = this.#given;
    const { returns } = link;
    const now = link.now();
    const started = this.#share.since(now - limit.perMs);
    const args = started.flatMap(({ number, at }) => [this.#member(number), Math.round(now - at)]);
    await link.run(REPORT, [keys.starts], [limit.perMs, marginMs, ...args]);
    if (this.#pausedUntil > now) await this.#sharePause(this.#pausedUntil - now);
    link.confirm();
    this.#knownReturns = returns;
    this.#agreedAt = Number.NEGATIVE_INFINITY;
    // Long enough for the others to find out that Redis is back, and for what they did not tell to be over.
    this.#settledAt = now + Math.min(LONGEST_HOLD_MS, limit.perMs) + 2 * link.probeEveryMs;
  }

  async #sharePause(ms: number): Promise<void> {
    const { link, keys } = this.#given;
    if (ms >= 1) await link.run(PAUSE, [keys.pause], [Math.ceil(ms)]);
  }

  async #giveBack(): Promise<void> {
    const { link, keys } = this.#given;
    this.#agreedAt = Number.NEGATIVE_INFINITY;
    await link.run(GIVE_BACK, [keys.starts], [this.#member(this.#share.count + 1)]);
  }

  /** Says something to Redis that can be left out when it is away. */
  async #tell(message: () => Promise<unknown>): Promise<void> {
    try {
      await message();
    } catch (error) {
      if (!(error instanceof RedisAway)) throw error;
    }
  }

  #member(number: number): string {
    return `${this.#given.name}:${number}`;
  }

  /** Waits so long, or until woken, or until that is done. Leaves no timer behind. */
  #nap(ms: number, orUntil?: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        takeBack();
        stayAsleep();
        // What it waited for may come when it waits for something else already.
        if (this.#wake === wake) this.#wake = () => {};
        resolve();
      };
      const takeBack = this.#given.env.timers.after(Math.min(Math.ceil(ms), LONGEST_TIMER_MS), wake);
      // Others may start what this process has used up meanwhile, until they are told of it.
      const stayAsleep = this.#given.link.onReturn(wake);
      this.#wake = wake;
      orUntil?.then(wake);
    });
  }
}

function cancelledBy(signal: AbortSignal): McaError {
  const reason: unknown = signal.reason;
  if (McaError.isInstance(reason)) return reason;
  return new McaError({ code: 'cancelled', message: 'The call was cancelled.' });
}
