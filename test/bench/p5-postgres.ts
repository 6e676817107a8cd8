import { addConnection, createRegistry, syncHistory } from '@mca/core';
import { postgres } from '@mca/core/adapters/postgres';
import pg from 'pg';
import { startPostgres } from '../../examples/worker/database.ts';
import { interleave, table } from './harness.ts';
import { NOW, nothingNewSetup, PLAYS_IN_OVERLAP } from './nothing-new-setup.ts';

const SYNCS = Math.round(500 * Number(process.env.MCA_BENCH_SCALE ?? 1));
const SIZES: readonly number[] = [10_000, 100_000, 1_000_000];
/** Takes minutes to make, and 5 GB: only when asked for. */
const LARGEST = 10_000_000;

/** P5 on Postgres: a sync with nothing new must not notice how much is stored. */
export async function nothingNewOnPostgresBench(_folder: string, rounds: number): Promise<string> {
  const sizes = process.env.MCA_BENCH_LARGE === '1' ? [...SIZES, LARGEST] : SIZES;
  const server = await startPostgres();
  const pool = new pg.Pool({ connectionString: server.url });
  try {
    const contenders = [];
    for (const plays of sizes) {
      console.error(`  ${plays.toLocaleString('en-US')} plays`);
      await makeStored(pool, `stored_${plays}`, plays);
      contenders.push({
        name: `${plays === SIZES[0] ? 'itself at ' : ''}${plays.toLocaleString('en-US')} plays`,
        script: './sync-nothing-new-postgres.ts',
        args: [server.url, `stored_${plays}`, String(plays), String(SYNCS)],
      });
    }
    const title = `P5 ${SYNCS.toLocaleString('en-US')} syncs of one connection on Postgres, nothing new`;
    return table(title, interleave(contenders, rounds), { count: SYNCS, of: 'syncs' });
  } finally {
    await pool.end();
    await server.stop();
  }
}

async function makeStored(pool: pg.Pool, schema: string, plays: number): Promise<void> {
  const registry = createRegistry(
    nothingNewSetup(
      () => postgres({ pool, schema }),
      () => NOW,
    ),
  );
  await addConnection(registry, { userId: 'ada', provider: 'fake', credentials: { fields: { token: 'token' } } });
  const { counts } = await syncHistory(registry, { userId: 'ada', provider: 'fake' });
  if (counts.inserted !== PLAYS_IN_OVERLAP) throw new Error(`The first sync stored ${counts.inserted} plays.`);
  await registry.close();
  // Long ago, a minute apart, in the order they happened.
  const old = plays - PLAYS_IN_OVERLAP;
  await pool.query(
    `INSERT INTO ${schema}.items (sequence, user_no, connection_no, platform, external_id, title, creator, type, action,
       consumed_at, content_id, source, precision)
     SELECT nextval('${schema}.feed_sequence'), 1, 1, 'fake', at / 1000 || ':track-' || track, 'Song ' || track,
       'Artist ' || n % 900, 'music', 'consumed', at, 'track-' || track, 'plays', 'second'
     FROM (SELECT n, ${NOW - 30 * 86_400_000} - (${old} - n) * 60000::bigint AS at, n * 7919 % 50000 AS track
           FROM generate_series(0::bigint, ${old - 1}) n) x`,
  );
  await pool.query(`VACUUM ANALYZE ${schema}.items`);
}
