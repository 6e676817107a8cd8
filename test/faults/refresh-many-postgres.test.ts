import { describe } from 'vitest';
import { onPostgres } from '../support/fault-store.ts';
import { postgresServer } from '../support/postgres.ts';
import { refreshManySuite } from './refresh-many-suite.ts';

const isFull = process.env.MCA_TEST_FULL === '1';
const server = await postgresServer();

describe.skipIf(!server)('on a Postgres server', () => {
  refreshManySuite(onPostgres(server), {
    rounds: isFull ? 100 : 10,
    // Each takes its seconds; the third of ten is a long one of half a minute.
    schedules: isFull ? 20 : 2,
  });
});
