import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { addConnection, createRegistry, keyRing } from '@mca/core';
import { postgres } from '@mca/core/adapters/postgres';
import { Pool } from 'pg';
import { type BoardState, liveBoard } from './board.ts';
import { jukebox } from './jukebox.ts';
import { type Jukebox, startJukebox } from './service.ts';

const WORKERS = ['w1', 'w2', 'w3'] as const;
const DOOMED = 'w2';
const SCHEMA = 'mca_example';
const JOBS_SCHEMA = 'mca_example_jobs';
/** A dead worker's leases run out after a minute. */
const LEASE_S = 60;

/** What the story is about. */
export interface StoryOptions {
  readonly databaseUrl: string;
  /** Shares the service's limit between the workers. @default each keeps to a share */
  readonly redisUrl?: string | undefined;
  /** 32 bytes in base64. */
  readonly key: string;
  readonly connections: number;
  readonly playsEach: number;
  /** What the service allows in any one second. */
  readonly requestsPerSecond: number;
  /** The request of the second worker in the middle of which it is killed; nobody is where it is left out. */
  readonly killAtRequest?: number | undefined;
  readonly say: (line: string) => void;
}

/** How it ended. */
export interface StoryEnd {
  readonly expected: number;
  readonly stored: number;
  readonly different: number;
  readonly most: number;
  readonly limit: number;
  readonly refused: number;
  /** Plays that the service told of and nobody has; empty when all is well. */
  readonly wrong: readonly string[];
}

/** Connects everybody, lets three workers bring everything home, and compares the store with what the service told. */
export async function runStory(options: StoryOptions): Promise<StoryEnd> {
  const { databaseUrl, connections, playsEach, requestsPerSecond: limit, say } = options;
  const accounts = Array.from({ length: connections }, (_, index) => `ana-${index}`);
  const service = await startJukebox({ accounts, playsEach, requestsPerSecond: limit });
  const pool = new Pool({ connectionString: databaseUrl, max: 10 });
  // A pool tells of idle connections that break; without a listener that ends the process.
  pool.on('error', ({ message }) => say(`postgres: ${message}`));
  await dropSchemas(pool);
  const workers = new Map<string, Worker>();
  try {
    await connectAll(options, service, pool, accounts);
    say(`Connected: ${connections} accounts of Jukebox, which allows ${limit} requests in any one second.`);
    // A little less than a third each: requests that start in one window may arrive in the next.
    const share = options.redisUrl ? limit : Math.floor((limit * 0.8) / WORKERS.length);
    say(
      options.redisUrl
        ? 'Three workers share the limit through Redis.\n'
        : `Without REDIS_URL each of the three workers keeps to ${share} a second.\n`,
    );
    for (const name of WORKERS) workers.set(name, new Worker(name, options, `${service.url}/${name}`, share));
    if (options.killAtRequest) service.onRequest(DOOMED, options.killAtRequest, () => workers.get(DOOMED)?.kill());
    await watch(options, service, pool, [...workers.values()]);
    return { ...(await compare(service, pool, accounts)), ...service.traffic(), limit };
  } finally {
    await Promise.all([...workers.values()].map((worker) => worker.stop()));
    await dropSchemas(pool);
    await pool.end();
    await service.close();
  }
}

/** What a story leaves, or an interrupted one left: in schemas of its own, because the database may be a real one. */
async function dropSchemas(pool: Pool): Promise<void> {
  for (const schema of [SCHEMA, JOBS_SCHEMA]) await pool.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
}

/** A worker process, as its parent sees it. */
class Worker {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  syncs = 0;
  stored = 0;
  killedAt: number | undefined;

  constructor(name: string, options: StoryOptions, serviceUrl: string, requestsPerSecond: number) {
    this.name = name;
    this.#process = fork(new URL('worker.ts', import.meta.url), {
      execArgv: ['--conditions=@mca/source', '--disable-warning=ExperimentalWarning'],
      env: {
        ...process.env,
        DATABASE_URL: options.databaseUrl,
        ...(options.redisUrl && { REDIS_URL: options.redisUrl }),
        JUKEBOX_URL: serviceUrl,
        MCA_KEY: options.key,
        SCHEMA,
        JOBS_SCHEMA,
        REQUESTS_PER_SECOND: String(requestsPerSecond),
      },
    });
    this.#ended = once(this.#process, 'exit');
    this.#process.on('message', ({ inserted }: { readonly inserted: number }) => {
      this.syncs += 1;
      this.stored += inserted;
    });
  }

  /** Not a word to anybody: `SIGKILL`. */
  kill(): void {
    this.#process.kill('SIGKILL');
    this.killedAt = performance.now();
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) this.#process.kill('SIGTERM');
    await this.#ended;
  }

  get note(): string | undefined {
    if (this.killedAt === undefined) return undefined;
    const leftS = Math.ceil(LEASE_S - (performance.now() - this.killedAt) / 1_000);
    return `killed in the middle of a page${leftS > 0 ? `; its leases run out in ${leftS} s` : '; others went on'}`;
  }
}

async function connectAll(
  { key }: StoryOptions,
  service: Jukebox,
  pool: Pool,
  accounts: readonly string[],
): Promise<void> {
  const registry = createRegistry({
    providers: [jukebox({ url: `${service.url}/parent`, requestsPerSecond: 100_000 })],
    ...postgres({ pool, schema: SCHEMA }),
    keys: keyRing({ primary: 'k1', keys: { k1: key } }),
  });
  const left = [...accounts];
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      for (let token = left.pop(); token; token = left.pop()) {
        await addConnection(registry, { userId: token, provider: 'jukebox', credentials: { fields: { token } } });
      }
    }),
  );
  await registry.close();
}

/** Shows the board until everything is stored. */
async function watch(options: StoryOptions, service: Jukebox, pool: Pool, workers: readonly Worker[]): Promise<void> {
  const board = liveBoard();
  const startedAt = performance.now();
  const toStore = options.connections * options.playsEach;
  const state = async (): Promise<BoardState> => ({
    seconds: (performance.now() - startedAt) / 1_000,
    workers: workers.map(({ name, syncs, stored, note }) => ({ name, syncs, stored, note })),
    stored: await countItems(pool),
    toStore,
    limit: options.requestsPerSecond,
    ...service.traffic(),
  });
  for (;;) {
    const now = await state();
    const isEnd = now.stored >= toStore && !(await isAnythingLeft(pool));
    board.show(now, isEnd);
    if (isEnd) return;
    if (now.seconds > 600) throw new Error(`Only ${now.stored} of ${toStore} plays were stored in ten minutes.`);
    await sleep(250);
  }
}

async function countItems(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ count: string }>(`SELECT count(*) FROM ${SCHEMA}.items`);
  return Number(rows[0]?.count);
}

async function isAnythingLeft(pool: Pool): Promise<boolean> {
  const { rows } = await pool.query(`SELECT 1 FROM ${SCHEMA}.schedules WHERE due_at <= ${SCHEMA}.mca_now() LIMIT 1`);
  return rows.length > 0;
}

async function compare(
  service: Jukebox,
  pool: Pool,
  accounts: readonly string[],
): Promise<Pick<StoryEnd, 'expected' | 'stored' | 'different' | 'wrong'>> {
  const { rows } = await pool.query<{ user_id: string; external_id: string }>(
    `SELECT u.user_id, i.external_id FROM ${SCHEMA}.items i JOIN ${SCHEMA}.users u USING (user_no)`,
  );
  const stored = new Set(rows.map(({ user_id, external_id }) => `${user_id} ${external_id}`));
  const told = accounts.flatMap((account) => service.playsOf(account).map((id) => [account, id] as const));
  // An external id is the time of the play in seconds, and its id.
  const playOf = (key: string): string => key.replace(/ \d+:/, ' ');
  const home = new Set([...stored].map(playOf));
  const missing = told.map(([account, id]) => `${account} ${id}`).filter((key) => !home.has(key));
  return { expected: told.length, stored: rows.length, different: home.size, wrong: missing };
}
