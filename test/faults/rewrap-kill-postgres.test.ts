import { describe } from 'vitest';
import { onPostgres } from '../support/fault-store.ts';
import { postgresServer } from '../support/postgres.ts';
import { rewrapKillSuite } from './rewrap-kill-suite.ts';

const isFull = process.env.MCA_TEST_FULL === '1';
const server = await postgresServer();

describe.skipIf(!server)('on a Postgres server', () => {
  rewrapKillSuite(
    onPostgres(server),
    isFull ? { count: 10_000, kills: 50, withinMs: 200 } : { count: 300, kills: 3, withinMs: 60 },
  );
});
