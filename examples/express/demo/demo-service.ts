import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { createFakeOAuthServer, type FakeOAuthServer, FakeService } from '@mca/core/testing';
import { demoPages } from './demo-pages.ts';
import { yearsOfPlays } from './plays.ts';
import { CLIENT_ID, CONSENT_MS } from './songbook.ts';

/** A running Songbook: a service nobody has to sign up for, with pages for people. */
export interface DemoService {
  readonly url: string;
  readonly service: FakeService;
  readonly oauth: FakeOAuthServer;
  close(): Promise<void>;
}

/** How the demo service is set up. */
export interface DemoOptions {
  /** Origin of the app it sends people back to. */
  readonly appUrl: string;
  /** What a page of plays takes, so that there is something to watch. */
  readonly pageMs?: number | undefined;
}

/** Starts Songbook on the loopback interface: log-in and API of `@mca/core/testing`, and pages where people agree. */
export async function startDemoService({ appUrl, pageMs = 120 }: DemoOptions): Promise<DemoService> {
  const now = (): number => Date.now();
  const oauth = createFakeOAuthServer({
    clientId: CLIENT_ID,
    redirectUris: [`${appUrl}/connect/songbook/callback`],
    grantLifetimeMs: CONSENT_MS,
    deviceIntervalSeconds: 1,
  });
  const service = new FakeService({ now, authorise: (request) => oauth.requireToken(request)?.account });
  service.add('ada', ...yearsOfPlays(now()));
  const pages = demoPages({ oauth, service, appUrl });

  const server = createServer(async (incoming, outgoing) => {
    try {
      const { method = 'GET', url = '/', headers } = incoming;
      const request = new Request(new URL(url, `http://127.0.0.1:${incoming.socket.localPort}`), {
        method,
        headers: Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]),
        body: method === 'POST' ? Buffer.concat(await incoming.toArray()) : null,
      });
      if (url.startsWith('/v1/plays')) await pause(pageMs);
      const answer = url.startsWith('/v1/') ? await service.handle(request) : await pages(request);
      outgoing.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.bytes());
    } catch {
      // Whoever asked has hung up.
      outgoing.destroy();
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    service,
    oauth,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
