import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Puts a `Request → Response` function on the loopback address, for tests with several processes. */
export async function serve(
  handle: (request: Request) => Promise<Response>,
): Promise<{ readonly origin: string; close(): Promise<void> }> {
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Uint8Array);
    const { method = 'GET', url = '/', headers } = incoming;
    const body = chunks.length > 0 ? Buffer.concat(chunks) : null;
    const request = new Request(new URL(url, 'http://127.0.0.1'), {
      method,
      headers: Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]),
      body,
    });
    try {
      const answer = await handle(request);
      outgoing.writeHead(answer.status, Object.fromEntries(answer.headers));
      outgoing.end(Buffer.from(await answer.arrayBuffer()));
    } catch {
      // The fake drops the connection instead of answering.
      incoming.socket.destroy();
    }
  });
  await new Promise<void>((listening) => {
    server.listen(0, '127.0.0.1', listening);
  });
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((closed) => {
        server.closeAllConnections();
        server.close(() => closed());
      }),
  };
}
