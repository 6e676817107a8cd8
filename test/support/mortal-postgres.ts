import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { answer, workers } from './workers.ts';

/** A server of a test's own that dies and comes back with the same data. */
export interface MortalPostgres {
  readonly url: string;
  /** kill −9 of the server, in the middle of whatever it does. */
  kill(): Promise<void>;
  /** Starts it again on what it has on its disk; it recovers from its log first. */
  start(): Promise<void>;
  /** Ends it and removes its data. */
  remove(): Promise<void>;
}

const STARTER = fileURLToPath(new URL('mortal-postgres-starter.ts', import.meta.url));
const MOST_WAIT_MS = 60_000;

/** Starts one with the settings of a real server: what was answered is on the disk. */
export async function mortalPostgres(): Promise<MortalPostgres> {
  const starters = workers();
  const url = await answer<string>(starters.start(STARTER, []));
  const folder = await askOne(url, `SHOW data_directory`);
  // The command it was started with, as the server itself notes it.
  const [command = '', ...args] = readFileSync(join(folder, 'postmaster.opts'), 'utf8').trim().split(' "');
  const { uid, gid } = statSync(folder);

  /** Answers whether it came up: it does not while processes of the one before are still there. */
  async function tryStart(): Promise<boolean> {
    const child = spawn(
      command,
      args.map((each) => each.replace(/"$/, '')),
      { stdio: 'ignore', ...(process.getuid?.() === 0 && { uid, gid }) },
    );
    const ended = once(child, 'exit').then(() => 'ended' as const);
    const startedAt = performance.now();
    while (performance.now() - startedAt < MOST_WAIT_MS) {
      const isUp = askOne(url, 'SELECT 1').then(
        () => true,
        () => false,
      );
      const outcome = await Promise.race([ended, isUp]);
      if (outcome === 'ended') return false;
      if (outcome) return true;
      await new Promise((later) => setTimeout(later, 20));
    }
    child.kill('SIGKILL');
    return false;
  }

  const pidOf = (): number => Number(readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n')[0]);
  async function end(signal: 'SIGKILL' | 'SIGINT'): Promise<void> {
    const pid = pidOf();
    // Its children would end their work first, if they have any.
    const killed = signal === 'SIGKILL' ? [pid, ...childrenOf(pid)] : [pid];
    for (const each of killed) process.kill(each, signal);
    // The one that started the first would wait for it.
    await starters.stop();
    while (killed.some(isAlive)) await new Promise((later) => setTimeout(later, 5));
  }

  return {
    url,
    kill: () => end('SIGKILL'),
    async start() {
      const startedAt = performance.now();
      while (!(await tryStart())) {
        if (performance.now() - startedAt > MOST_WAIT_MS) throw new Error('Postgres did not come back.');
      }
    },
    async remove() {
      await end('SIGINT').catch((error: NodeJS.ErrnoException) => {
        // Dead already, and without its file.
        if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error;
      });
      rmSync(dirname(folder), { recursive: true, force: true });
    },
  };
}

async function askOne(url: string, statement: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, string>>(statement);
    return Object.values(rows[0] ?? {})[0] ?? '';
  } finally {
    await client.end();
  }
}

function childrenOf(pid: number): readonly number[] {
  const lines = execFileSync('ps', ['-axo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number));
  return pairs.flatMap(([child = 0, parent]) => (parent === pid ? child : []));
}

/** Whether a process still runs. One that is over but that nobody has asked for yet does not. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return process.platform !== 'linux';
  }
}
