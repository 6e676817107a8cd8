import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { FakeService } from '@mca/core/testing';

const HOUR_MS = 3_600_000;
const ANSWER_MS = 15;

/** Jukebox: many accounts with their plays, and a limit it means. */
export interface Jukebox {
  readonly url: string;
  /** Ids of all plays of an account. */
  playsOf(account: string): readonly string[];
  /** Requests of each worker, by what its address began with. */
  readonly requestsOf: ReadonlyMap<string, number>;
  /** Requests in the last second, the most there ever were in one, and how many were refused with 429. */
  traffic(): { readonly lastSecond: number; readonly most: number; readonly refused: number };
  /** Calls `run` when a worker's so-and-so-many-th request is in, before it is answered. */
  onRequest(worker: string, number: number, run: () => void): void;
  close(): Promise<void>;
}

/** Starts it on the loopback interface. Its limit holds for any window of a second, wherever the window begins. */
export async function startJukebox(options: {
  readonly accounts: readonly string[];
  readonly playsEach: number;
  readonly requestsPerSecond: number;
}): Promise<Jukebox> {
  const { accounts, playsEach, requestsPerSecond } = options;
  const service = new FakeService({
    now: Date.now,
    maxLimit: 50,
    authorise: ({ headers }) => headers.get('authorization')?.replace('Bearer ', ''),
  });
  const newest = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
  for (const [index, account] of accounts.entries())
    service.add(account, ...playsOf(account, index, playsEach, newest));

  const requestsOf = new Map<string, number>();
  const waiting = new Map<string, () => void>();
  const arrivals: number[] = [];
  let [most, refused] = [0, 0];

  function isTooMany(): boolean {
    const now = performance.now();
    while ((arrivals[0] ?? now) <= now - 1_000) arrivals.shift();
    arrivals.push(now);
    most = Math.max(most, arrivals.length);
    return arrivals.length > requestsPerSecond;
  }

  const server = createServer(async ({ url = '/', headers }, outgoing) => {
    // `/w1/v1/plays`: who asks, and what for. Real services know it by the address or the client id.
    const [, worker = '', path = ''] = /^\/(\w+)(\/v1\/.*)$/.exec(url) ?? [];
    if (path.startsWith('/v1/plays')) {
      const count = (requestsOf.get(worker) ?? 0) + 1;
      requestsOf.set(worker, count);
      waiting.get(`${worker} ${count}`)?.();
      if (isTooMany()) {
        refused += 1;
        outgoing.writeHead(429, { 'retry-after': '1' }).end();
        return;
      }
    }
    await sleep(ANSWER_MS);
    const request = new Request(`http://${headers.host}${path}`, {
      headers: { authorization: headers.authorization ?? '' },
    });
    const answer = await service.handle(request);
    outgoing.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.bytes());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    playsOf: (account) => service.plays(account).map(({ id }) => id),
    requestsOf,
    traffic() {
      const now = performance.now();
      return { lastSecond: arrivals.filter((at) => at > now - 1_000).length, most, refused };
    },
    onRequest: (worker, number, run) => void waiting.set(`${worker} ${number}`, run),
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function playsOf(account: string, index: number, count: number, newest: number) {
  return Array.from({ length: count }, (_, play) => ({
    id: `${account}-${play}`,
    playedAt: newest - (count - play) * HOUR_MS - index * 1_000,
    title: `Song ${(index * 7 + play) % 400}`,
    artist: `Artist ${(index + play) % 40}`,
  }));
}
