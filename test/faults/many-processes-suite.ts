import { fileURLToPath } from 'node:url';
import type { PageResult } from '@mca/core/adapter-kit';
import { afterEach, describe, expect, test } from 'vitest';
import { openFaultStore, type StorePlace } from '../support/fault-store.ts';
import { recordFigure } from '../support/reliability.ts';
import { answer, workers } from '../support/workers.ts';
import { PAGE_ITEMS } from './reference-pages.ts';

/** How much of {@link manyProcessesSuite} runs, and what a store that is whole looks like. */
export interface ManyProcessesPlan {
  readonly commitRounds: number;
  readonly claimRounds: number;
  /** How many claims may come back with nothing although something is due: those that others were faster than each time. */
  readonly mostEmptyClaims: number;
  readonly migrationRounds: number;
  readonly migrations: number;
  /** The table of migrations. */
  readonly versions: string;
  /** A statement with one row, and that row in a store that is whole. */
  readonly whole: readonly [string, unknown];
  /** A statement for how many rows were ever written, where the store knows. */
  readonly written?: string | undefined;
}

const PROCESSES = 8;
const PAGE_WORKER = fileURLToPath(new URL('page-worker.ts', import.meta.url));
const CLAIM_WORKER = fileURLToPath(new URL('claim-worker.ts', import.meta.url));

/** Many processes that want the same of one store at the same time. */
export function manyProcessesSuite(place: StorePlace, plan: ManyProcessesPlan): void {
  const { name } = place;
  const { commitRounds, claimRounds, migrationRounds } = plan;
  const processes = workers();
  afterEach(async () => {
    await processes.stop();
    await place.clear();
  });

  /** Starts the processes at once and answers when all have migrated the store. */
  async function startAll(where: string, worker: string): Promise<void> {
    const ready = Array.from({ length: PROCESSES }, (_, index) =>
      answer(processes.start(worker, [where, `process-${index}`])),
    );
    await Promise.all(ready);
  }

  async function look(where: string, statement: string): Promise<unknown> {
    const store = await openFaultStore(where);
    try {
      return (await store.look(statement))[0];
    } finally {
      await store.close();
    }
  }

  describe(`${PROCESSES} processes on one store of ${name}`, () => {
    test(`R-071 the same page committed by all of them on ${name}, ${commitRounds} times, is one row per item`, async () => {
      const where = place.fresh();
      await startAll(where, PAGE_WORKER);
      let [inserted, updated] = [0, 0];
      for (let page = 0; page < commitRounds; page += 1) {
        for (const result of await processes.ask<PageResult>(page)) {
          // every commit balances, whoever won.
          expect(result.inserted + result.updated + result.unchanged).toBe(PAGE_ITEMS);
          inserted += result.inserted;
          updated += result.updated;
        }
      }
      // Four items of each page but the first repeat ones of the page before, two of them with more time spent.
      const expected = PAGE_ITEMS + (commitRounds - 1) * (PAGE_ITEMS - 4);
      const rows = await look(
        where,
        `SELECT CAST(count(*) AS text) AS number, CAST(count(DISTINCT external_id) AS text) AS ids,
           CAST(count(DISTINCT sequence) AS text) AS numbers FROM %items`,
      );
      expect(rows).toEqual({ number: `${expected}`, ids: `${expected}`, numbers: `${expected}` });
      expect([inserted, updated]).toEqual([expected, (commitRounds - 1) * 2]);
      if (plan.written) expect(await look(where, plan.written)).toEqual({ written: inserted + updated });
      const [statement, whole] = plan.whole;
      expect(await look(where, statement)).toEqual(whole);
      recordFigure(
        'R-071',
        `${name}, ${PROCESSES} processes, ${commitRounds} rounds: ${expected} items, ${expected} rows`,
      );
    });

    test(`SYNC-5 STATE-1 what all of them want at once on ${name} goes to one of them, ${claimRounds} times`, async () => {
      const where = place.fresh();
      // One schedule for each process in each round, one connect flow for all of them.
      const ids = Array.from({ length: claimRounds * PROCESSES }, (_, index) => `c${index}`);
      const hashes = Array.from({ length: claimRounds }, (_, index) => `${index}`.padStart(64, '0'));
      const { storage, close } = await openFaultStore(where, { synchronous: 'normal' });
      for (const [dueAt, id] of ids.entries()) {
        await storage.ensureConnection({ id, userId: 'ada', provider: 'spotify', kind: 'api', account: id });
        await storage.putSchedule({ connectionId: id, capability: 'history', dueAt, blocked: false, failures: 0 });
      }
      const expiresAt = Date.now() + 3_600_000;
      for (const hash of hashes) await storage.putConnectState({ hash, userId: 'ada', sealed: 's', expiresAt });
      await close();

      await startAll(where, CLAIM_WORKER);
      const claimed: string[] = [];
      let empty = 0;
      for (const hash of hashes) {
        const got = await processes.ask<{ readonly claimed: readonly string[]; readonly taken?: string }>(hash);
        expect(got.flatMap(({ taken }) => taken ?? [])).toEqual([hash]);
        claimed.push(...got.flatMap((each) => each.claimed));
        empty += got.filter((each) => each.claimed.length === 0).length;
      }
      expect(empty).toBeLessThanOrEqual(plan.mostEmptyClaims);
      // What was left is there for whoever asks next.
      for (let round = 0; round < empty && claimed.length < ids.length; round += 1) {
        const got = await processes.ask<{ readonly claimed: readonly string[] }>('no flow');
        claimed.push(...got.flatMap((each) => each.claimed));
      }
      expect(claimed.sort()).toEqual(ids.sort());
    });

    test(`R-090 all of them start on a new store of ${name}, ${migrationRounds} times: it is migrated once`, async () => {
      for (let round = 0; round < migrationRounds; round += 1) {
        const where = place.fresh();
        await startAll(where, PAGE_WORKER);
        const migrated = await look(
          where,
          `SELECT CAST(count(*) AS text) AS versions, CAST(max(version) AS text) AS newest,
             (SELECT CAST(count(*) AS text) FROM %connections) AS connections FROM %${plan.versions}`,
        );
        expect(migrated).toEqual({ versions: `${plan.migrations}`, newest: `${plan.migrations}`, connections: '1' });
        const [statement, whole] = plan.whole;
        expect(await look(where, statement)).toEqual(whole);
        await processes.stop();
      }
      recordFigure(
        'R-090',
        `${PROCESSES} processes, ${migrationRounds} new stores of ${name}: ${migrationRounds} migrations, 0 errors`,
      );
    });
  });
}
