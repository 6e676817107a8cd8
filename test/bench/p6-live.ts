import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { interleave, median, table } from './harness.ts';
import type { LimiterMemory } from './limiter-memory.ts';

/** Smaller counts prove that the bench works, and are no figures. */
const SCALE = Number(process.env.MCA_BENCH_SCALE ?? 1);
const REQUESTS = Math.round(5_000 * SCALE);
const CONNECTIONS = Math.round(1_000 * SCALE);
const LIMITERS = Math.round(10_000 * SCALE);
const PLAYS_PER_PAGE = 50;
const IN_FLIGHT = 32;

/** P6: what the client adds to a request, what a sync adds to a page, and what limiters weigh. */
export function liveBench(folder: string, rounds: number): string {
  const server = startServer(folder);
  try {
    return [
      requestsOf(server.origin, rounds, 1),
      requestsOf(server.origin, rounds, IN_FLIGHT),
      ...connectionsOf(folder, server.origin, rounds),
      limitersOf(rounds),
    ].join('\n');
  } finally {
    server.stop();
  }
}

/** In a process of its own: what the service costs must not count as what its clients cost. */
function startServer(folder: string): { readonly origin: string; stop(): void } {
  const portFile = join(folder, 'port');
  rmSync(portFile, { force: true });
  const script = fileURLToPath(new URL('./server-of-json.ts', import.meta.url));
  const child = spawn(process.execPath, ['--no-warnings', script, portFile, String(PLAYS_PER_PAGE)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let waitedMs = 0; !existsSync(portFile) || readFileSync(portFile, 'utf8') === ''; waitedMs += 20) {
    if (waitedMs > 20_000) throw new Error('The server did not start.');
    Atomics.wait(pause, 0, 0, 20);
  }
  return { origin: `http://127.0.0.1:${readFileSync(portFile, 'utf8')}`, stop: () => child.kill() };
}

function requestsOf(origin: string, rounds: number, flying: number): string {
  const args = [origin, String(REQUESTS), String(flying)];
  const results = interleave(
    [
      { name: 'bare limit: fetch + JSON', script: './bare-requests.ts', args },
      { name: 'client of a provider', script: './our-requests.ts', args },
    ],
    rounds,
  );
  const how = flying === 1 ? 'one after the other' : `${flying} at once`;
  const title = `P6 ${REQUESTS.toLocaleString('en-US')} requests for ${PLAYS_PER_PAGE} plays, ${how}`;
  const [bare = [], ours = []] = results.map(({ samples }) => samples);
  const addedUs = (of: 'ms' | 'cpuMs'): number =>
    ((median(ours.map((each) => each[of])) - median(bare.map((each) => each[of]))) * 1_000) / REQUESTS;
  const added = `Each request takes ${Math.round(addedUs('ms'))} µs more, ${Math.round(addedUs('cpuMs'))} µs of CPU time (medians).`;
  return `${table(title, results, { count: REQUESTS, of: 'requests' })}\n${added}\n`;
}

function connectionsOf(folder: string, origin: string, rounds: number): readonly string[] {
  const database = (name: string): string => join(folder, `connections-${name}.db`);
  const fresh = (name: string) => (): void => {
    for (const suffix of ['', '-wal', '-shm']) rmSync(database(name) + suffix, { force: true });
  };
  const run = (isFirst: boolean): string => {
    const results = interleave(
      (['bare', 'ours'] as const).map((name) => ({
        name: name === 'bare' ? 'bare limit: fetch + prepared insert' : 'syncDue',
        script: `./connections-${name}.ts`,
        args: [database(name), origin, String(CONNECTIONS), String(IN_FLIGHT)],
        prepare: isFirst ? fresh(name) : undefined,
      })),
      rounds,
    );
    const what = isFirst ? `${PLAYS_PER_PAGE} new plays each` : 'nothing new';
    const title = `P6 ${CONNECTIONS.toLocaleString('en-US')} connections, a page each, ${what}`;
    return table(title, results, { count: CONNECTIONS, of: 'connections' });
  };
  const tables = [run(true), run(false)];
  for (const name of ['bare', 'ours']) fresh(name)();
  return [...tables, 'No limiter was made in any of these runs: the contenders fail when one is.\n'];
}

function limitersOf(rounds: number): string {
  const kinds = [
    ['rate', 'rate only'],
    ['rate-and-concurrency', 'rate and concurrency (Bottleneck)'],
  ] as const;
  const rows = kinds.map(([kind, name]) => {
    const samples = Array.from({ length: rounds }, () => memoryOf(kind));
    const cells = (['busyBytes', 'idleBytes', 'droppedBytes'] as const).map((of) =>
      Math.round(median(samples.map((each) => each[of]))).toLocaleString('en-US'),
    );
    return `| ${[name, ...cells, Math.max(...samples.map(({ left }) => left))].join(' | ')} |`;
  });
  return [
    `### P6 Limiters of ${LIMITERS.toLocaleString('en-US')} connections, bytes of heap each`,
    '',
    '| limit of a connection | one request running | idle | dropped | limiters left |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...rows,
    '',
  ].join('\n');
}

function memoryOf(kind: string): LimiterMemory {
  const script = fileURLToPath(new URL('./limiter-memory.ts', import.meta.url));
  const args = ['--conditions=@mca/source', '--no-warnings', script, String(LIMITERS), kind];
  const child = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(`limiter-memory.ts failed:\n${child.stderr}`);
  return JSON.parse(child.stdout.trim().split('\n').at(-1) ?? '') as LimiterMemory;
}
