import { setImmediate as turn } from 'node:timers/promises';
import type { Job } from '@mca/core/adapter-kit';
import { PG_BOSS_SETTINGS, pgBossJobs } from '@mca/core/adapters/pg-boss';
import { jobEngineConformance, type QueueUnderTest } from '@mca/core/testing';
import { PgBoss, TestClock } from 'pg-boss';
import { describe, expect, test } from 'vitest';
import { freshSchema, postgresServer } from '../../test/support/postgres.ts';

const server = await postgresServer();

async function open(concurrency = 4): Promise<QueueUnderTest> {
  if (!server) throw new Error('No Postgres.');
  const { schema, drop, pool } = await freshSchema(server);
  const clock = new TestClock(Date.UTC(2026, 0, 5));
  const bosses: PgBoss[] = [];
  let isBroken = false;
  const start = async () => {
    const boss = new PgBoss({
      connectionString: server.url,
      schema,
      clock,
      schedule: false,
      max: 4,
      ...PG_BOSS_SETTINGS,
    });
    boss.on('error', () => {});
    await boss.start();
    bosses.push(boss);
    return boss;
  };
  return {
    async open() {
      const boss = await start();
      return {
        engine: pgBossJobs({ boss, concurrency, pollingIntervalSeconds: 0.5 }),
        crash: () => boss.stop({ graceful: false, close: true }),
      };
    },
    async deadLetters() {
      const { rows } = await pool.query<{ data: Job; output: unknown }>(
        `SELECT data, source_output AS output FROM "${schema}".job WHERE name = 'mca-jobs-dead' ORDER BY created_on`,
      );
      return rows.map(({ data, output }) => ({ job: data, error: JSON.stringify(output) }));
    },
    now: () => clock.now(),
    async advance(ms) {
      // A jump wakes whoever slept through it once; ticking through days would poll for each of their seconds.
      if (ms > 60_000) await clock.setTime(clock.now() + ms - 5_000);
      await clock.tick(ms > 60_000 ? 5_000 : ms);
      // What a handler does between two of its own steps is not the queue's to wait for.
      for (let turns = 0; turns < 5; turns += 1) await turn();
      await clock.tick(0);
    },
    async breakDown() {
      isBroken = true;
      await pool.query(`DROP SCHEMA "${schema}" CASCADE`);
    },
    async close() {
      for (const boss of bosses) await boss.stop({ graceful: false, close: true }).catch(() => {});
      if (isBroken) await pool.end();
      else await drop();
    },
  };
}

describe.skipIf(!server)('pg-boss: conformance', () => {
  for (const { id, title, run } of jobEngineConformance(() => open())) test(`${id} ${title}`, run);
});

test.skipIf(!server).each([
  [1, 1],
  [4, 4],
  [5, 4],
])('with a concurrency of %d at most %d jobs run at once', async (concurrency, most) => {
  const queue = await open(concurrency);
  const { engine } = await queue.open();
  let [running, seen] = [0, 0];
  const finish: (() => void)[] = [];
  await engine.start(async () => {
    running += 1;
    seen = Math.max(seen, running);
    await new Promise<void>((resolve) => finish.push(resolve));
    running -= 1;
    return { type: 'done' };
  });
  await engine.enqueue(
    Array.from({ length: 20 }, (_, index) => ({ name: 'reauth-notice', key: `k${index}`, connectionId: `${index}` })),
  );
  for (let second = 0; second < 10; second += 1) await queue.advance(1_000);
  expect(seen).toBe(most);
  const ending = setInterval(() => finish.splice(0).forEach((end) => void end()), 1);
  await engine.stop();
  clearInterval(ending);
  await queue.close();
});

test('without a pg-boss it says what is missing', () => {
  expect(() => pgBossJobs({ boss: {} as never })).toThrow(
    expect.objectContaining({ code: 'configuration', reason: 'no_queue' }),
  );
});
