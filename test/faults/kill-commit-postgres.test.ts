import { afterAll, describe } from 'vitest';
import { onPostgres } from '../support/fault-store.ts';
import { postgresServer } from '../support/postgres.ts';
import { COMMIT_MUTANTS } from './commit-mutants.ts';
import { killCommitSuite } from './kill-commit-suite.ts';

const isFull = process.env.MCA_TEST_FULL === '1';
const server = await postgresServer();

describe.skipIf(!server)('on a Postgres server', () => {
  const place = onPostgres(server);
  afterAll(() => place.clear());

  // Starting takes a processor, waiting for the server does not.
  killCommitSuite(place, { kills: isFull ? 1_000 : 15, lanes: 3, mutants: COMMIT_MUTANTS });
});
