import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { onPostgres, openFaultStore } from '../support/fault-store.ts';
import { postgresServer } from '../support/postgres.ts';
import { recordFigure } from '../support/reliability.ts';
import { answer, workers } from '../support/workers.ts';
import type { CommitVariant } from './commit-mutants.ts';
import { referencePage } from './reference-pages.ts';

const server = await postgresServer();
const WORKER = fileURLToPath(new URL('pause-worker.ts', import.meta.url));
const ROUNDS = process.env.MCA_TEST_FULL === '1' ? 50 : 5;

describe.skipIf(!server)('on a Postgres server', () => {
  const place = onPostgres(server);
  const processes = workers();
  afterEach(async () => {
    await processes.stop();
    await place.clear();
  });

  /** Stops a worker before its COMMIT until another one has gone on, again and again. */
  async function pauseWithin(variant: CommitVariant, rounds: number) {
    const where = place.fresh();
    const { storage, look, close } = await openFaultStore(where);
    await storage.migrate();
    const worker = processes.start(WORKER, [where, variant]);
    await answer(worker);
    const outcomes: (readonly [string, string])[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const resource = `import:${round}`;
      const paused = answer(worker);
      worker.send(resource);
      expect(await paused).toBe('before COMMIT');
      worker.kill('SIGSTOP');
      // Waits until the server has ended the transaction that keeps the lease as it is.
      const lease = await storage.acquireLease({ resource, owner: 'heir', ttlMs: 60_000 });
      if (!lease) throw new Error('The lease has run out.');
      await storage.commitPage({ lease, connectionId: 'c', items: referencePage(round), policy: 'longest' });
      const outcome = answer<readonly [string, string]>(worker);
      worker.kill('SIGCONT');
      worker.send('go on');
      outcomes.push(await outcome);
    }
    const [counts] = await look<{ readonly stale: number; readonly stored: number }>(
      `SELECT count(*) FILTER (WHERE starts_with(external_id, 'stale'))::int AS stale, count(*)::int AS stored FROM %items`,
    );
    await close();
    return { outcomes, ...counts };
  }

  test(`R-077 a worker stopped within a transaction, ${ROUNDS} times: the server ends it, another goes on, it writes nothing`, async () => {
    const { outcomes, stale, stored } = await pauseWithin('real', ROUNDS);
    for (const [first, second] of outcomes) {
      expect(['timeout', 'connection_lost']).toContain(first);
      expect(second).toBe('lease_lost');
    }
    expect([stale, stored]).toEqual([0, 30 + (ROUNDS - 1) * 26]);
    recordFigure(
      'R-077',
      `Postgres, ${ROUNDS} rounds of SIGSTOP within a transaction: ${stale} rows by the stale worker`,
    );
  });

  test('R-077 a store without a fence is caught there', async () => {
    const { outcomes, stale } = await pauseWithin('no-fence', 1);
    expect(outcomes[0]?.[1]).toBe('stored');
    expect(stale).toBe(30);
  });
});
