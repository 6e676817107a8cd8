// Thousands of syncs in one process, on a clock of their own: what they leave behind is the last line of the output.
// Arguments: mode, database, number of syncs. Needs --expose-gc.
import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { addConnection, createRegistry, keyRing, syncDue, syncHistory } from '@mca/core';
import { sqlite } from '@mca/core/adapters/sqlite';
import { type FakeFailure, FakeService, fakeClock, fakeProvider, seededRandom } from '@mca/core/testing';
import { useSyncCrypto } from '../support/sync-crypto.ts';

/** What was left at one moment, after everything that can be collected was. */
export interface SoakSample {
  readonly syncs: number;
  readonly heapBytes: number;
  /** Buffers outside of the heap. */
  readonly externalBytes: number;
  /** Kinds of what keeps a process alive, sorted. */
  readonly handles: readonly string[];
  readonly timers: number;
  readonly databaseBytes: number;
}

/** What one soak came to. */
export interface SoakReport {
  readonly early: SoakSample;
  readonly middle: SoakSample;
  readonly end: SoakSample;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly requests: number;
  /** The largest the write-ahead log ever was. */
  readonly walBytes: number;
  /** Most rows there ever were, by table. */
  readonly mostRows: Readonly<Record<string, number>>;
}

const [mode = 'real', file = '', count = '0'] = process.argv.slice(2);
const SYNCS = Number(count);
const START = Date.UTC(2026, 0, 5);
const MINUTE = 60_000;
const USERS = ['ada', 'ben', 'cem', 'dea'];
const TABLES = ['mca_sync_log', 'mca_cursors', 'mca_leases', 'mca_schedules', 'mca_parked', 'mca_items'];
const collect = globalThis.gc;
if (!collect) throw new Error('Run with --expose-gc.');

// The real one answers from threads, which the quick clock does not wait for.
useSyncCrypto();
const time = fakeClock(START, { quick: true });
const service = new FakeService({
  now: () => time.clock.now(),
  authorise: (request) => request.headers.get('authorization')?.replace('Bearer ', ''),
});
const random = seededRandom(95);
let rounds = 0;
for (const user of USERS) {
  service.add(
    user,
    ...Array.from({ length: 30 }, (_, index) => ({
      id: `play-${index}`,
      playedAt: START - (index + 1) * 600_000,
      title: `Song ${index}`,
      // One record in all is never understood.
      poison: index === 7 && user === 'ada',
    })),
    // One row is written anew now and then, so that the log and the feed move while nothing is added.
    { id: 'changing', playedAt: START - MINUTE, title: '' },
  );
  const changing = service.plays(user).find(({ id }) => id === 'changing');
  if (changing) Object.defineProperty(changing, 'title', { get: () => `Take ${Math.floor(rounds / 5)}` });
}
const database = new DatabaseSync(file);
const registry = createRegistry({
  providers: [
    fakeProvider({
      baseUrl: 'https://service.test/v1',
      intervalMs: MINUTE,
      // Every page holds everything, however long this goes on: nothing new, and as much work at the end as before.
      overlapMs: 10_000 * 86_400_000,
      limits: [
        { scope: 'app', requests: 1_000, perMs: 1_000 },
        { scope: 'connection', requests: 100, perMs: 1_000, concurrency: 2 },
      ],
    }),
  ],
  // `full` adds a wait for the disk to each commit, and nothing that could be left behind.
  ...sqlite({ database, clock: time.clock, synchronous: 'normal' }),
  keys: keyRing({ primary: 'k1', keys: { k1: Buffer.alloc(32, 7).toString('base64') } }),
  env: {
    clock: time.clock,
    timers: time.timers,
    fetch: service.fetch,
    random: { bytes: (length) => Uint8Array.from({ length }, () => Math.floor(random() * 256)) },
  },
});
for (const user of USERS) {
  const credentials = { fields: { token: user } };
  await time.until(addConnection(registry, { userId: user, provider: 'fake', credentials }));
}

const status =
  (code: number, headers: Readonly<Record<string, string>> = {}): FakeFailure =>
  () =>
    Response.json({ error: 'x' }, { status: code, headers });

/** What the service does on bad days, in turn, and to how many calls. The first falls into the pause that the last asks for. */
const WEATHER: readonly { readonly calls: number; readonly failure: FakeFailure }[] = [
  { calls: 1, failure: status(503) },
  { calls: 2, failure: 'drop' },
  { calls: 1, failure: status(429, { 'retry-after': '2' }) },
  { calls: 12, failure: status(503) },
  { calls: 3, failure: () => new Response('{"plays": [', { headers: { 'content-type': 'application/json' } }) },
  { calls: 1, failure: status(429, { 'retry-after': '600' }) },
];

const byStatus: Record<string, number> = {};
const mostRows: Record<string, number> = Object.fromEntries(TABLES.map((table) => [table, 0]));
/** What a leaking implementation would keep. */
const kept: unknown[] = [];
let syncs = 0;
let requests = 0;
let walBytes = 0;
let early: SoakSample | undefined;
let middle: SoakSample | undefined;

while (syncs < SYNCS) {
  rounds += 1;
  await time.advance(MINUTE);
  const weather = rounds % 7 === 0 ? WEATHER[(rounds / 7) % WEATHER.length] : undefined;
  let left = weather?.calls ?? 0;
  service.intercept = () => {
    left -= 1;
    return left >= 0 ? weather?.failure : undefined;
  };
  await time.until(syncDue(registry, { onReport: ({ status: ended }) => note(ended) }));
  if (rounds % 10 === 0) note((await time.until(syncHistory(registry, { userId: 'ada', provider: 'fake' }))).status);
  requests += service.ledger.length;
  service.ledger.length = 0;
  if (mode === 'leak-memory') kept.push(new Array(10_000).fill(rounds));
  if (mode === 'leak-handles' && rounds % 10 === 0) setInterval(() => {}, 60_000);
  if (mode === 'leak-rows') database.exec("INSERT INTO mca_leases VALUES (hex(randomblob(8)), 'x', 0, 0)");
  if (rounds % 10 === 0) look();
  if (!early && syncs >= SYNCS / 10) early = await sample();
  if (!middle && syncs >= SYNCS / 2) middle = await sample();
}
look();
const end = await sample();
const report: SoakReport = {
  early: early ?? end,
  middle: middle ?? end,
  end,
  byStatus,
  requests,
  walBytes,
  mostRows,
};
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));

function note(ended: string): void {
  syncs += 1;
  byStatus[ended] = (byStatus[ended] ?? 0) + 1;
}

function look(): void {
  walBytes = Math.max(walBytes, statSync(`${file}-wal`).size);
  for (const table of TABLES) {
    const { rows } = database.prepare(`SELECT count(*) AS rows FROM ${table}`).get() as { readonly rows: number };
    mostRows[table] = Math.max(mostRows[table] ?? 0, rows);
  }
}

async function sample(): Promise<SoakSample> {
  // What finalisers let go of is collected by the next round.
  for (let round = 0; round < 4; round += 1) {
    await new Promise((wake) => setTimeout(wake, 5));
    collect?.();
  }
  const { heapUsed, external } = process.memoryUsage();
  return {
    syncs,
    heapBytes: heapUsed,
    externalBytes: external,
    handles: process.getActiveResourcesInfo().toSorted(),
    timers: time.pending,
    databaseBytes: statSync(file).size,
  };
}
