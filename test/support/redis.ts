import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** A Redis of our own, without anything kept on disk. */
export interface RedisServer {
  /** Such as `redis://127.0.0.1:40123`. */
  readonly url: string;
  /** Ends it, and what it held is gone. */
  kill(): Promise<void>;
  /** Starts it again, empty, on the same port. */
  start(): Promise<void>;
  /** Stops it in its tracks: connections stay, nothing is answered. */
  hang(): void;
  /** Goes on after {@link hang}. */
  resume(): void;
  stop(): Promise<void>;
}

/**
 * Starts `redis-server`, when it is on the PATH.
 *
 * @param flags - for the server, such as `['--requirepass', 'secret']`
 * @throws Error in CI, where it has to be there
 */
export async function redisServer(flags: readonly string[] = []): Promise<RedisServer | undefined> {
  if (!hasRedis()) return undefined;
  const port = await freePort();
  let child = await launch(port, flags);
  return {
    url: `redis://127.0.0.1:${port}`,
    async kill() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
    async start() {
      child = await launch(port, flags);
    },
    hang: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    async stop() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

/**
 * Whether there is a `redis-server`, or with `orAny` another Redis to test with. Says loudly when there is none.
 *
 * @throws Error in CI
 */
export function hasRedis(orAny: 'or any' | undefined = undefined): boolean {
  if (orAny && process.env.MCA_TEST_REDIS_URL) return true;
  if (spawnSync('redis-server', ['--version']).status === 0) return true;
  if (process.env.CI) throw new Error('redis-server is not on the PATH: .ci/run installs it');
  console.warn('SKIPPED: redis-server is not on the PATH, so nothing of the shared limiter is tested.');
  return false;
}

/** The Redis of `MCA_TEST_REDIS_URL`, or one of our own; for what does not kill it. */
export async function someRedis(): Promise<Pick<RedisServer, 'url' | 'stop'> | undefined> {
  const url = process.env.MCA_TEST_REDIS_URL;
  return url ? { url, stop: async () => {} } : await redisServer();
}

async function launch(port: number, flags: readonly string[]): Promise<ChildProcess> {
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...flags];
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  await new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes('Ready to accept connections')) resolve();
    });
    child.once('exit', () => reject(new Error(`redis-server ended: ${said}`)));
    child.once('error', reject);
  });
  return child;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || !address) throw new Error('No port is free');
  return address.port;
}
