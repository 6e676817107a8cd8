import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A proxy in front of a server that cuts a connection at a statement of our choice. */
export interface CuttingProxy {
  readonly port: number;
  /** How many connections it has cut. */
  readonly cuts: number;
  /**
   * Cuts the connection on which the so-and-so-many-th message with this text comes, counting from 1: before the server
   * has seen it, or after the server has answered, whose answer nobody gets.
   */
  cutAt(text: string, number: number, moment: 'before' | 'after'): void;
  close(): Promise<void>;
}

/** Unlike the faults of `faultProxy`, which break whole connections, this knows what is being said. */
export async function cuttingProxy(target: { readonly host: string; readonly port: number }): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  let plan: { text: string; left: number; moment: 'before' | 'after' } | undefined;
  let cuts = 0;

  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  };
  const server = createServer((client) => {
    const upstream = connect(target.port, target.host);
    for (const socket of [client, upstream]) keep(socket.setNoDelay());
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    let isCutting = false;
    client.on('data', (said) => {
      if (plan && said.includes(plan.text)) {
        plan.left -= 1;
        if (plan.left === 0) {
          const { moment } = plan;
          plan = undefined;
          cuts += 1;
          if (moment === 'before') return void client.resetAndDestroy();
          isCutting = true;
        }
      }
      upstream.write(said);
    });
    upstream.on('data', (answer) => {
      if (isCutting) client.resetAndDestroy();
      else client.write(answer);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get cuts() {
      return cuts;
    },
    cutAt(text, number, moment) {
      plan = { text, left: number, moment };
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
