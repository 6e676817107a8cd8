import pg from 'pg';
import { startPostgres } from '../../examples/worker/database.ts';
import { interleave, table } from './harness.ts';

const ITEMS = Math.round(200_000 * Number(process.env.MCA_BENCH_SCALE ?? 1));
const BATCH = 5_000;

/** P4: items into Postgres, the first time and again, next to `COPY` and `INSERT … ON CONFLICT`. */
export async function postgresBench(_folder: string, rounds: number): Promise<string> {
  // As a server comes: every commit waits for the disk.
  const server = await startPostgres();
  const client = new pg.Client({ connectionString: server.url });
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
    const count = ITEMS.toLocaleString('en-US');
    const contenders = (round: 'first' | 'again') => [
      {
        name: `COPY + INSERT, version ${rows[0]?.server_version}`,
        script: './postgres-bare.ts',
        args: [server.url, String(ITEMS), round],
      },
      {
        name: `commitPage, pages of ${BATCH.toLocaleString('en-US')}`,
        script: './postgres-ours.ts',
        args: [server.url, String(ITEMS), round, String(BATCH)],
      },
    ];
    const units = { count: ITEMS, of: 'items' };
    return [
      table(`P4 ${count} items into Postgres, first time`, interleave(contenders('first'), rounds), units),
      table(`P4 the same ${count} items again, all known`, interleave(contenders('again'), rounds), units),
    ].join('\n');
  } finally {
    await client.end();
    await server.stop();
  }
}
