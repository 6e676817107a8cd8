import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createFakeOAuthServer, type FakeOAuthServer, type FakePlay, FakeService } from '@mca/core/testing';
import { CONSENT_MS } from './songbook.ts';

const DAY_MS = 86_400_000;
const YEARS = 5;
/** Plays that are still to come: what there is to sync after half a year. */
const DAYS_AHEAD = 240;

/** A running Songbook: where users agree, and where their plays are. */
export interface Services {
  readonly url: string;
  readonly service: FakeService;
  readonly oauth: FakeOAuthServer;
  /** How far the clock of this world is ahead of the machine's, in milliseconds. */
  readonly aheadMs: number;
  /** Lets time pass for the service. Hosts get `CLOCK_AHEAD_MS`: see `later.ts`. */
  later(ms: number): void;
  /** Plays the service tells of by now. */
  plays(): readonly FakePlay[];
  close(): Promise<void>;
}

/** Starts the fake service on the loopback interface, with years of plays of one account. */
export async function startServices({ port = 0 } = {}): Promise<Services> {
  let aheadMs = 0;
  const now = (): number => Date.now() + aheadMs;
  const oauth = createFakeOAuthServer({ clock: { now }, clientId: 'live-sync', grantLifetimeMs: CONSENT_MS });
  const service = new FakeService({ now, authorise: (request) => oauth.requireToken(request)?.account });
  service.add('ada', ...yearsOfPlays(now()));

  const server = createServer(async (incoming, outgoing) => {
    try {
      const chunks = await incoming.toArray();
      const { method = 'GET', url = '/', headers } = incoming;
      const request = new Request(`http://${headers.host}${url}`, {
        method,
        headers: Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]),
        body: chunks.length > 0 ? Buffer.concat(chunks) : null,
      });
      const answer = await (url.startsWith('/v1/') ? service : oauth).handle(request);
      // The time of this world, not of this machine.
      outgoing.sendDate = false;
      outgoing.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.bytes());
    } catch {
      // Asked to drop the connection, or whoever asked is dead.
      outgoing.destroy();
    }
  });
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    service,
    oauth,
    get aheadMs() {
      return aheadMs;
    },
    later(ms) {
      aheadMs += ms;
    },
    plays: () => service.plays('ada').filter(({ playedAt }) => playedAt <= now()),
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

/** Some six plays a day, more in winter. The same every time but for the day it ends on. */
function yearsOfPlays(now: number): readonly FakePlay[] {
  const today = Math.floor(now / DAY_MS) * DAY_MS;
  const plays: FakePlay[] = [];
  for (let day = -YEARS * 365; day <= DAYS_AHEAD; day += 1) {
    const date = today + day * DAY_MS;
    const season = 1 + 0.4 * Math.cos((new Date(date).getUTCMonth() / 6) * Math.PI);
    const count = Math.round(season * (4 + (Math.abs(day * 7_919) % 5)));
    for (let play = 0; play < count; play += 1) {
      const song = Math.abs(day * 31 + play * 17) % 400;
      plays.push({
        id: `play-${date / DAY_MS}-${play}`,
        playedAt: date + (9 * 60 + play * 47) * 60_000,
        title: `Song ${song}`,
        artist: `Artist ${song % 40}`,
      });
    }
  }
  return plays;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url, plays } = await startServices({ port: 8420 });
  console.log(`Songbook answers at ${url} with ${plays().length} plays. Stop it with Ctrl+C.`);
}
