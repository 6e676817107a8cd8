import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { MIGRATIONS } from '../../adapters/postgres/migrations/index.ts';
import { onPostgres, openFaultStore } from '../support/fault-store.ts';
import { postgresServer } from '../support/postgres.ts';
import { recordFigure } from '../support/reliability.ts';
import { answer, workers } from '../support/workers.ts';
import { manyProcessesSuite } from './many-processes-suite.ts';

const isFull = process.env.MCA_TEST_FULL === '1';
const server = await postgresServer();
const PROCESSES = 8;
const WORKER = fileURLToPath(new URL('migrate-worker.ts', import.meta.url));
const ROUNDS = isFull ? 50 : 5;

describe.skipIf(!server)('on a Postgres server', () => {
  const place = onPostgres(server);

  manyProcessesSuite(place, {
    commitRounds: isFull ? 1_000 : 30,
    // What is claimed stays due: each round looks past all before it.
    claimRounds: isFull ? 150 : 20,
    mostEmptyClaims: 0,
    migrationRounds: isFull ? 50 : 1,
    migrations: MIGRATIONS.length,
    versions: 'schema_versions',
    // Other tests use the same server, and wait for a moment now and then: nobody waits for long.
    whole: [
      `SELECT CAST(count(*) AS text) AS waiting FROM pg_locks WHERE NOT granted AND waitstart < now() - interval '5 seconds'`,
      { waiting: '0' },
    ],
  });

  describe('processes that run already', () => {
    const processes = workers();
    afterEach(async () => {
      await processes.stop();
      await place.clear();
    });

    /** What went wrong in each round, in which all of them start on a new schema at the same instant. */
    async function migrateTogether(variant: 'real' | 'unlocked', rounds: number): Promise<readonly string[]> {
      await Promise.all(Array.from({ length: PROCESSES }, () => answer(processes.start(WORKER, [variant]))));
      const failures: string[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const where = place.fresh();
        failures.push(...(await processes.ask<string>(where)).filter(Boolean));
        if (variant === 'unlocked') continue;
        const { look, close } = await openFaultStore(where, { max: 1 });
        expect(await look('SELECT version::int FROM %schema_versions')).toEqual([{ version: MIGRATIONS.length }]);
        await close();
      }
      return failures;
    }

    test(`R-090 ${PROCESSES} of them start on ${ROUNDS} new schemas of Postgres at the same instant: nobody is refused`, async () => {
      expect(await migrateTogether('real', ROUNDS)).toEqual([]);
      recordFigure('R-090', `${PROCESSES} processes, ${ROUNDS} new schemas of Postgres at the same instant: 0 refused`);
    });

    test('R-090 migrating without taking turns is caught', async () => {
      expect((await migrateTogether('unlocked', 2)).length).toBeGreaterThan(0);
    });
  });
});
