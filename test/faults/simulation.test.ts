import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recordFigure } from '../support/reliability.ts';
import { useSyncCrypto } from '../support/sync-crypto.ts';
import { type Mutant, simulate } from './simulation.ts';

const isFull = process.env.MCA_TEST_FULL === '1';
const SEEDS = isFull ? 1_000 : 15;
const DAYS = 30;
const FIRST = Number(process.env.MCA_SEED ?? 1);

let putBack = (): void => {};
beforeAll(() => {
  putBack = useSyncCrypto();
});
afterAll(() => putBack());

test(`R-087 ${SEEDS} lives of ${DAYS} days: storms, outages, crashes, late plays, stolen tokens, wrong clocks, full disks`, async () => {
  let [syncs, deaths, plays] = [0, 0, 0];
  for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
    const outcome = await simulate(seed, DAYS);
    expect(outcome.violations, `MCA_SEED=${seed}`).toEqual([]);
    syncs += outcome.syncs;
    deaths += outcome.deaths;
    plays += outcome.plays;
  }
  expect(deaths).toBeGreaterThan(SEEDS);
  recordFigure(
    'R-087',
    `${SEEDS} seeds × ${DAYS} days: ${syncs} syncs, ${deaths} crashes, ${plays} plays, 0 violations`,
  );
});

test('R-086 one seed is one life: two runs leave the same trace', async () => {
  const runs = isFull ? 100 : 5;
  for (let seed = 1_000; seed < 1_000 + runs; seed += 1) {
    const [first, second] = [await simulate(seed, 5), await simulate(seed, 5)];
    expect(second.hash, `seed ${seed}`).toBe(first.hash);
  }
  expect((await simulate(1, 5)).hash).not.toBe((await simulate(2, 5)).hash);
  recordFigure('R-086', `${runs} of ${runs} seeds: equal trace hashes in two runs`);
});

describe('R-072 the simulation catches', () => {
  const mutants: Readonly<Record<string, Mutant & { readonly says: RegExp; readonly days?: number }>> = {
    'a position that is stored before its items': {
      says: /I1/,
      days: 2,
      storage: (storage) => ({
        async commitPage({ cursor, ...page }) {
          await storage.commitPage({ ...page, items: [], parked: [], ...(cursor && { cursor }) });
          return storage.commitPage(page);
        },
      }),
    },
    'waits that are forgotten': {
      says: /I6/,
      storage: (storage) => ({
        putSchedule: (schedule) =>
          storage.putSchedule({ ...schedule, blocked: false, dueAt: Math.min(schedule.dueAt, START_OF_TIME) }),
        readSchedule: async (...args) => {
          const schedule = await storage.readSchedule(...args);
          return schedule && { ...schedule, blocked: false };
        },
      }),
    },
    'no overlap': { says: /I1/, overlapMs: 0 },
    'tokens in the log': { says: /I7/, isTalkative: true },
    'tokens that are stored but not read': {
      says: /I5|I8/,
      credentials: (store) => {
        const first = new Map<string, Awaited<ReturnType<typeof store.get>>>();
        return {
          async get(id) {
            const current = await store.get(id);
            if (current && !first.has(id)) first.set(id, current);
            const old = first.get(id);
            return current && old && { ...old, version: current.version };
          },
        };
      },
    },
  };
  const START_OF_TIME = 0;
  for (const [name, { says, days = DAYS, ...mutant }] of Object.entries(mutants)) {
    test(name, async () => {
      const caught: string[] = [];
      for (let seed = 1; seed <= 20 && caught.length === 0; seed += 1)
        caught.push(...(await simulate(seed, days, mutant)).violations);
      expect(caught.join('\n')).toMatch(says);
      recordFigure('R-072', `${name}: caught`);
    });
  }
});
