import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type RunningPostgres, startPostgres } from '../../examples/worker/database.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Socket of the broker that starts the server of a run; nothing where a server is given. */
    postgresBroker: string;
  }
}

/** For tests that survive anything but a power cut. */
const FAST = ['fsync=off', 'full_page_writes=off', 'max_connections=200'].flatMap((setting) => ['-c', setting]);

/**
 * Starts one Postgres for a whole run when the first test asks for it, and stops it at the end. Most runs of single files
 * never do.
 */
export function setup(project: TestProject): (() => Promise<void>) | undefined {
  if (process.env.MCA_TEST_POSTGRES_URL) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'mca-postgres-broker-'));
  const path = join(folder, 'socket');
  let starting: Promise<RunningPostgres> | undefined;
  const broker = createServer((socket) => {
    starting ??= startPostgres(FAST);
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
