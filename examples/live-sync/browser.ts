import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Where the service sends the user back to, and somebody to visit its page. */
export interface Browser {
  readonly redirectUri: string;
  /** Opens the page where the user agrees; answers the query they come back with. */
  visit(url: string): Promise<URLSearchParams>;
}

/** What programs on the user's own machine do: a redirect address on the loopback interface (RFC 8252). */
export async function openBrowser(): Promise<Browser> {
  const back = Promise.withResolvers<URLSearchParams>();
  const server = createServer((request, response) => {
    back.resolve(new URL(request.url ?? '/', 'http://127.0.0.1').searchParams);
    // The answer closes its connection: nothing must keep the program alive afterwards.
    response.setHeader('connection', 'close').end('Connected. You can close this page.');
    server.close();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    redirectUri: `http://127.0.0.1:${port}/callback`,
    async visit(url) {
      // With a real service, show the link to a person. The page of the fake one agrees at once and sends back.
      await (await fetch(url)).text();
      return back.promise;
    },
  };
}
