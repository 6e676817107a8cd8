import { fork } from 'node:child_process';
import { once } from 'node:events';
import { addConnection, createRegistry, keyRing } from '@mca/core';
import { postgres } from '@mca/core/adapters/postgres';
import { fakeProvider } from '@mca/core/testing';
import pg from 'pg';
import { startPostgres } from '../../examples/worker/database.ts';
import { median } from './harness.ts';
import { KEY, serviceOfOnePage } from './workers-setup.ts';

const CONNECTIONS = Math.round(2_000 * Number(process.env.MCA_BENCH_SCALE ?? 1));
const WORKERS: readonly number[] = [1, 2, 4];
const SCHEMA = 'workers';

/** Syncs per second of one, two and four worker processes on one Postgres. */
export async function workersBench(_folder: string, rounds: number): Promise<string> {
  const server = await startPostgres();
  const pool = new pg.Pool({ connectionString: server.url });
  try {
    await connectAll(pool);
    const rates = new Map<string, number[]>(
      WORKERS.flatMap((count) => ['50 new plays each', 'nothing new'].map((what) => [`${count} ${what}`, []])),
    );
    for (let round = 0; round < rounds; round += 1) {
      for (const count of WORKERS) {
        await pool.query(`TRUNCATE ${SCHEMA}.items, ${SCHEMA}.cursors, ${SCHEMA}.sync_log`);
        for (const what of ['50 new plays each', 'nothing new']) {
          await pool.query(`UPDATE ${SCHEMA}.schedules SET due_at = 0, failures = 0, blocked = false`);
          rates.get(`${count} ${what}`)?.push(await syncsPerSecond(server.url, count));
          const { rows } = await pool.query<{ count: string }>(`SELECT count(*) FROM ${SCHEMA}.items`);
          if (Number(rows[0]?.count) !== CONNECTIONS * 50) throw new Error(`${rows[0]?.count} items are stored.`);
        }
      }
      process.stderr.write(`\r  round ${round + 1}/${rounds}`);
    }
    process.stderr.write('\r\x1b[K');
    const line = (count: number): string => {
      const cells = ['50 new plays each', 'nothing new'].flatMap((what) => {
        const of = (workers: number) => rates.get(`${workers} ${what}`) ?? [];
        const range = `${Math.round(Math.min(...of(count)))}–${Math.round(Math.max(...of(count)))}`;
        return [Math.round(median(of(count))), range, (median(of(count)) / median(of(1))).toFixed(2)];
      });
      return `| ${count} | ${cells.join(' | ')} |`;
    };
    return [
      `### Syncs per second of ${CONNECTIONS.toLocaleString('en-US')} connections on Postgres`,
      '',
      '| workers | 50 new plays each | min–max | ratio | nothing new | min–max | ratio |',
      '| ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
      ...WORKERS.map(line),
      '',
    ].join('\n');
  } finally {
    await pool.end();
    await server.stop();
  }
}

async function connectAll(pool: pg.Pool): Promise<void> {
  const registry = createRegistry({
    providers: [fakeProvider({ baseUrl: 'https://service.test/v1', window: true })],
    ...postgres({ pool, schema: SCHEMA }),
    keys: keyRing({ primary: 'k1', keys: { k1: KEY } }),
    env: { fetch: serviceOfOnePage() },
  });
  for (let index = 0; index < CONNECTIONS; index += 1) {
    const credentials = { fields: { token: `user-${index}` } };
    await addConnection(registry, { userId: `user-${index}`, provider: 'fake', credentials });
  }
  await registry.close();
}

/** From the first sync that begins to the last one that ends. */
async function syncsPerSecond(url: string, count: number): Promise<number> {
  const workers = Array.from({ length: count }, () =>
    fork(new URL('./workers-worker.ts', import.meta.url), [url, SCHEMA], {
      execArgv: ['--conditions=@mca/source', '--disable-warning=ExperimentalWarning'],
    }),
  );
  const exited = Promise.all(workers.map((worker) => once(worker, 'exit')));
  // All of them are up before the first begins.
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const startedAt = performance.now();
  const ended = workers.map((worker) => once(worker, 'message') as Promise<[{ synced: number }]>);
  for (const worker of workers) worker.send('go');
  const reports = await Promise.all(ended);
  const ms = performance.now() - startedAt;
  await exited;
  const synced = reports.reduce((sum, [report]) => sum + report.synced, 0);
  if (synced !== CONNECTIONS) throw new Error(`${synced} syncs for ${CONNECTIONS} connections.`);
  return (synced * 1_000) / ms;
}
