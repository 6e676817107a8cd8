import { describe } from 'vitest';
import { onPostgres } from '../support/fault-store.ts';
import { postgresServer } from '../support/postgres.ts';
import { syncProcessesSuite } from './sync-processes-suite.ts';

const isFull = process.env.MCA_TEST_FULL === '1';
const server = await postgresServer();

describe.skipIf(!server)('on a Postgres server', () => {
  syncProcessesSuite(
    onPostgres(server),
    isFull ? { stopped: 50, killed: 10, ended: 200 } : { stopped: 2, killed: 1, ended: 5 },
  );
});
