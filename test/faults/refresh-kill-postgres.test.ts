import { describe } from 'vitest';
import { onPostgres } from '../support/fault-store.ts';
import { postgresServer } from '../support/postgres.ts';
import { refreshKillSuite } from './refresh-kill-suite.ts';

const server = await postgresServer();

describe.skipIf(!server)('on a Postgres server', () => {
  refreshKillSuite(onPostgres(server), process.env.MCA_TEST_FULL === '1' ? 200 : 5);
});
