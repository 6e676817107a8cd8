// One worker. Start as many as you like, on as many machines: what one takes, no other does.
import { createRegistry, keyRing, startScheduler } from '@mca/core';
import { PG_BOSS_SETTINGS, pgBossJobs } from '@mca/core/adapters/pg-boss';
import { postgres } from '@mca/core/adapters/postgres';
import { Pool } from 'pg';
import { PgBoss } from 'pg-boss';
import { jukebox } from './jukebox.ts';
import { sharedLimits } from './limits.ts';

const { DATABASE_URL = '', SCHEMA, JOBS_SCHEMA, JUKEBOX_URL = '', MCA_KEY = '', REQUESTS_PER_SECOND } = process.env;

const pool = new Pool({ connectionString: DATABASE_URL, max: 10 });
// Pools tell of idle connections that break; without a listener that would end the process.
pool.on('error', ({ message }) => console.error('postgres:', message));
const boss = new PgBoss({ connectionString: DATABASE_URL, schema: JOBS_SCHEMA ?? 'pgboss', ...PG_BOSS_SETTINGS });
boss.on('error', ({ message }) => console.error('pg-boss:', message));
await boss.start();
const limits = await sharedLimits(process.env.REDIS_URL);
const registry = createRegistry({
  providers: [jukebox({ url: JUKEBOX_URL, requestsPerSecond: Number(REQUESTS_PER_SECOND) })],
  ...postgres({ pool, schema: SCHEMA }),
  keys: keyRing({ primary: 'k1', keys: { k1: MCA_KEY } }),
  ...limits.options,
});

const scheduler = startScheduler(registry, {
  engine: pgBossJobs({ boss, concurrency: 8, pollingIntervalSeconds: 0.5 }),
  everyMs: 2_000,
  onReport: ({ status, counts }) => process.send?.({ status, inserted: counts.inserted }),
});

process.once('SIGTERM', async () => {
  await scheduler.stop();
  await registry.close();
  await boss.stop();
  await pool.end();
  limits.close();
  process.disconnect?.();
});
