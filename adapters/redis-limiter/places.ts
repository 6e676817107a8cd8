import type Bottleneck from 'bottleneck';
import type { OwnConnection, RedisClient } from './client.ts';
import { RELEASE } from './scripts.ts';

/** The right to run one piece of work. */
export interface Place {
  /** It took too long and may be somebody else's by now. */
  readonly isLost: boolean;
  free(): void;
}

/** Where any number may run, or nobody else is asked. */
export const FREE_PLACE: Place = { isLost: false, free() {} };

/** A limiter nobody wanted for so long is forgotten. */
const IDLE_MS = 60_000;
const LONGEST_HEARTBEAT_MS = 5_000;

interface Kept {
  readonly id: string;
  readonly limiter: Bottleneck;
  /** Waiting and holding. */
  load: number;
  held: number;
  usedAt: number;
}

interface Options {
  readonly client: RedisClient;
  readonly placeMs: number;
}

/**
 * Concurrency that machines share, by Bottleneck's clustering.
 *
 * Bottleneck gets connections of its own: it defines commands on its client and leaves listeners there. They do not keep
 * the process alive, and are not mended: whatever happens to them, all of it is dropped, and made again when wanted.
 */
export class SharedPlaces {
  readonly #options: Options;
  #cluster: Promise<Cluster> | undefined;
  #isClosed = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** The host is done with it: no connection is made any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Waits for a place as long as it takes. Rejects when the connection goes.
   *
   * @param now - monotonic milliseconds
   */
  async take(id: string, concurrency: number, now: number): Promise<Place> {
    if (this.#isClosed) throw new Error('The limiter is closed');
    this.#cluster ??= this.#open();
    return await (await this.#cluster).take(id, concurrency, now);
  }

  /** Lets all connections go, for good. */
  close(): void {
    this.#isClosed = true;
    this.drop();
  }

  /** Lets all connections go, until the next one is wanted. */
  drop(): void {
    const cluster = this.#cluster;
    this.#cluster = undefined;
    cluster?.then(
      (open) => open.drop(),
      () => {},
    );
  }

  #open(): Promise<Cluster> {
    const opening: Promise<Cluster> = import('bottleneck').then(({ default: Bottleneck }) => {
      // Let go before it was there: connections would only be made to be ended.
      if (this.#cluster !== opening) throw new Error('The connection is closed');
      return new Cluster(Bottleneck, this.#options, () => {
        if (this.#cluster === opening) this.#cluster = undefined;
      });
    });
    return opening;
  }
}

/** Two connections, and the limiters that live on them. */
class Cluster {
  readonly #Bottleneck: typeof Bottleneck;
  readonly #options: Options;
  readonly #onEnd: () => void;
  readonly #connections: OwnConnection[] = [];
  readonly #connection: Bottleneck.IORedisConnection;
  readonly #kept = new Map<string, Kept>();
  readonly #waiting = new Set<(error: Error) => void>();
  #isDropped = false;
  #sweptAt: number = Number.NEGATIVE_INFINITY;

  constructor(bottleneck: typeof Bottleneck, options: Options, onEnd: () => void) {
    this.#Bottleneck = bottleneck;
    this.#options = options;
    this.#onEnd = onEnd;
    const settings = { lazyConnect: false, keyPrefix: '', retryStrategy: () => null };
    const client = this.#own(options.client.duplicate(settings) as OwnConnection);
    const duplicate = client.duplicate.bind(client);
    client.duplicate = () => this.#own(duplicate());
    this.#connection = new bottleneck.IORedisConnection({ client });
    // What it waits for may never come. `drop` tells whoever is concerned.
    readyOf(this.#connection);
  }

  take(id: string, concurrency: number, now: number): Promise<Place> {
    const kept = this.#keep(id, concurrency, now);
    kept.load += 1;
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        this.#waiting.delete(fail);
        kept.load -= 1;
        reject(error);
      };
      if (this.#isDropped) {
        fail(new Error('The connection is closed'));
        return;
      }
      this.#waiting.add(fail);
      let isLost = false;
      let isFreed = false;
      const job = (): Promise<void> =>
        new Promise((free) => {
          const place: Place = {
            get isLost() {
              return isLost;
            },
            free: () => {
              if (isFreed) return;
              isFreed = true;
              kept.load -= 1;
              kept.held -= 1;
              free();
              if (this.#isDropped) this.#release(kept);
            },
          };
          // Who does not wait any more has been told so.
          if (this.#waiting.delete(fail)) {
            kept.held += 1;
            resolve(place);
          } else free();
        });
      kept.limiter.schedule({ expiration: this.#options.placeMs }, job).catch((error: unknown) => {
        // Either it was not even put in line, or the place is taken from whoever holds it.
        isLost = true;
        if (this.#waiting.has(fail)) fail(error instanceof Error ? error : new Error(String(error)));
      });
    });
  }

  drop(): void {
    if (this.#isDropped) return;
    this.#isDropped = true;
    this.#onEnd();
    for (const { limiter } of this.#kept.values()) limiter.removeAllListeners();
    // Ends the heartbeats and both connections, without asking Redis.
    this.#connection.disconnect(false).catch(() => {});
    for (const connection of this.#connections) connection.disconnect();
    for (const fail of [...this.#waiting]) fail(new Error('The connection is closed'));
    for (const kept of this.#kept.values()) this.#release(kept);
  }

  /** What Bottleneck cannot give back any more, the host's client does; else it would be held until its time is over. */
  #release({ id, limiter, held }: Kept): void {
    const channel = (limiter as unknown as { channel_client(): string }).channel_client();
    const [key, client] = [`b_${id}`, channel.slice(channel.lastIndexOf('_') + 1)];
    const args = [`${key}_job_clients`, `${key}_job_expirations`, client, String(held)];
    // While Redis is away this waits in the client, or is lost: then the time of the places has to be over.
    const asked = (async () => this.#options.client.eval(RELEASE.code, 0, ...args))();
    asked.catch(() => {});
  }

  #own(connection: OwnConnection): OwnConnection {
    this.#connections.push(connection);
    // A host that has closed its own connection is not kept from ending.
    const unref = (): void => connection.stream?.unref?.();
    connection.on('connect', unref);
    connection.on('error', () => {});
    connection.on('end', () => this.drop());
    const unsubscribe = connection.unsubscribe.bind(connection);
    // Bottleneck leaves the outcome to nobody.
    connection.unsubscribe = (...channels) => unsubscribe(...channels).catch(() => undefined);
    return connection;
  }

  #keep(id: string, concurrency: number, now: number): Kept {
    this.#sweep(now);
    let kept = this.#kept.get(id);
    if (!kept) {
      const { placeMs } = this.#options;
      const limiter = new this.#Bottleneck({
        id,
        connection: this.#connection,
        maxConcurrent: concurrency,
        // Without it keys stay for ever.
        timeout: placeMs + IDLE_MS,
        // It is also what notices a place whose process died.
        heartbeatInterval: Math.min(LONGEST_HEARTBEAT_MS, Math.max(100, placeMs / 4)),
      });
      limiter.on('error', () => this.drop());
      readyOf(limiter);
      kept = { id, limiter, load: 0, held: 0, usedAt: now };
      this.#kept.set(id, kept);
    }
    kept.usedAt = now;
    return kept;
  }

  /** Each limiter has a heartbeat and two channels. */
  #sweep(now: number): void {
    if (now - this.#sweptAt < IDLE_MS) return;
    this.#sweptAt = now;
    for (const [id, { limiter, load, usedAt }] of this.#kept) {
      if (load > 0 || now - usedAt < IDLE_MS) continue;
      this.#kept.delete(id);
      limiter.disconnect(false)?.catch?.(() => {});
    }
  }
}

/** Bottleneck's `ready` is a method of limiters and a promise of connections, whatever its types say. */
function readyOf(made: { readonly ready: unknown }): void {
  const ready = typeof made.ready === 'function' ? (made as { ready(): Promise<unknown> }).ready() : made.ready;
  (ready as Promise<unknown>).catch(() => {});
}
