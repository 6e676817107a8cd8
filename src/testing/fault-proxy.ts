import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * What can happen to a connection:
 *
 * - `none` nothing: bytes pass through
 * - `reset` it is reset (RST) as soon as the client sends something
 * - `half-open` it is accepted and nothing ever comes
 * - `trickle` the answer comes byte by byte
 * - `truncate` it ends (FIN) in the middle of the answer
 * - `wrong-length` the answer claims to be longer than it is
 * - `garbage` bytes come that are no HTTP
 * - `delay` the answer comes late
 */
export type ConnectionFault =
  | 'none'
  | 'reset'
  | 'half-open'
  | 'trickle'
  | 'truncate'
  | 'wrong-length'
  | 'garbage'
  | 'delay';

/** Options of {@link faultProxy}. */
export interface FaultProxyOptions {
  /** Port on 127.0.0.1 that connections are passed on to. */
  readonly targetPort: number;
  /** @default 'none' */
  readonly fault?: ConnectionFault | undefined;
  /** Between two bytes of `trickle`, in milliseconds. @default 1000 */
  readonly trickleMs?: number | undefined;
  /** How late `delay` is, in milliseconds. @default 1000 */
  readonly delayMs?: number | undefined;
}

/** A running {@link faultProxy}. */
export interface FaultProxy {
  /** `http://127.0.0.1:…` */
  readonly url: string;
  /** Connections of clients that are open. */
  readonly openConnections: number;
  /** For connections made from now on. */
  fault: ConnectionFault;
  /** Ends all connections and stops listening. */
  close(): Promise<void>;
}

/**
 * Stands between a client and a real HTTP server on this machine and breaks connections, in this process and on a port
 * of its own.
 *
 * @example
 * ```ts
 * const proxy = await faultProxy({ targetPort: 8080, fault: 'truncate' });
 * await fetch(`${proxy.url}/me`); // fails in the middle of the body
 * await proxy.close();
 * ```
 */
export async function faultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const { targetPort, trickleMs = 1_000, delayMs = 1_000 } = options;
  const clients = new Set<Socket>();
  const all = new Set<Socket>();
  let fault = options.fault ?? 'none';

  const server = createServer((client) => {
    keep(client, clients);
    keep(client, all);
    const kind = fault;
    if (kind === 'half-open') {
      client.resume();
      return;
    }
    if (kind === 'reset') {
      client.once('data', () => client.resetAndDestroy());
      return;
    }
    if (kind === 'garbage') {
      client.once('data', () => client.end(Buffer.from('\u0000\u0001 what is this \uffff\r\n\r\n{]')));
      return;
    }
    const target = connect(targetPort, '127.0.0.1');
    keep(target, all);
    client.pipe(target);
    target.on('close', () => client.end());
    client.on('close', () => target.destroy());
    passOn(kind, target, client, { trickleMs, delayMs });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get openConnections() {
      return clients.size;
    },
    get fault() {
      return fault;
    },
    set fault(next) {
      fault = next;
    },
    async close() {
      const ends = [new Promise((done) => server.close(done))];
      for (const socket of all) ends.push(new Promise((done) => socket.destroy().once('close', done)));
      await Promise.all(ends);
    },
  };
}

function keep(socket: Socket, sockets: Set<Socket>): void {
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
  // Broken connections are what this is for.
  socket.on('error', () => socket.destroy());
}

function passOn(
  kind: ConnectionFault,
  target: Socket,
  client: Socket,
  { trickleMs, delayMs }: { readonly trickleMs: number; readonly delayMs: number },
): void {
  switch (kind) {
    case 'trickle': {
      const bytes: number[] = [];
      target.on('data', (chunk) => bytes.push(...chunk));
      const timer = setInterval(() => {
        const byte = bytes.shift();
        if (byte !== undefined) client.write(Uint8Array.of(byte));
      }, trickleMs);
      client.on('close', () => clearInterval(timer));
      return;
    }
    case 'truncate':
      // Headers and half of the body.
      target.once('data', (chunk) => {
        const head = chunk.indexOf('\r\n\r\n') + 4;
        client.end(chunk.subarray(0, head + Math.floor((chunk.length - head) / 2)));
        target.destroy();
      });
      return;
    case 'wrong-length':
      target.once('data', (chunk) => {
        const text = chunk.toString('latin1');
        const longer = text.replace(
          /^(content-length: )(\d+)/im,
          (_all, name, length) => `${name}${Number(length) + 100}`,
        );
        client.end(Buffer.from(longer, 'latin1'));
        target.destroy();
      });
      return;
    case 'delay': {
      const timers = new Set<NodeJS.Timeout>();
      target.on('data', (chunk) => timers.add(setTimeout(() => client.write(chunk), delayMs)));
      client.on('close', () => {
        for (const timer of timers) clearTimeout(timer);
      });
      return;
    }
    default:
      target.pipe(client);
  }
}
