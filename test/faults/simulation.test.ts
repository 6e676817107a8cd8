import type { Cursor } from '@mca/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { changedCursor, envelopeOf } from '../support/cursors.ts';
import { recordFigure } from '../support/reliability.ts';
import { simulate } from './simulation.ts';
import { useSimulatedCrypto } from './simulation-crypto.ts';
import { DAY, type Mutant } from './simulation-parts.ts';

const isFull = process.env.MCA_TEST_FULL === '1';
const SEEDS = isFull ? 1_000 : 10;
const DAYS = 30;
const FIRST = Number(process.env.MCA_SEED ?? 1);

let putBack = (): void => {};
beforeAll(() => {
  putBack = useSimulatedCrypto();
});
afterAll(() => putBack());

test(`R-087 ${SEEDS} lives of ${DAYS} days: storms, outages, crashes, late plays, stolen tokens, wrong clocks, full disks, damaged cursors, users who leave`, async () => {
  let [syncs, deaths, plays] = [0, 0, 0];
  const met = { erased: 0, damaged: 0, vaultFailures: 0, steps: 0, saves: 0 };
  for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
    const outcome = await simulate(seed, DAYS);
    expect(outcome.violations, `MCA_SEED=${seed}`).toEqual([]);
    syncs += outcome.syncs;
    deaths += outcome.deaths;
    plays += outcome.plays;
    for (const what of Object.keys(met) as (keyof typeof met)[]) met[what] += outcome.met[what];
  }
  expect(deaths).toBeGreaterThan(SEEDS);
  expect(met.erased).toBeGreaterThanOrEqual(Math.floor(SEEDS / 4));
  for (const [what, times] of Object.entries(met)) expect(times, what).toBeGreaterThan(0);
  recordFigure(
    'R-087',
    `${SEEDS} seeds × ${DAYS} days: ${syncs} syncs, ${deaths} crashes, ${plays} plays, ${met.erased} users erased, ${met.damaged} cursors damaged, ${met.vaultFailures} failures of the vault, ${met.steps} clock steps, 0 violations`,
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
        concludeSync: (conclusion) =>
          storage.concludeSync({
            ...conclusion,
            schedules: conclusion.schedules.map((schedule) => ({
              ...schedule,
              blocked: false,
              dueAt: Math.min(schedule.dueAt, START_OF_TIME),
            })),
          }),
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
    'a second capability whose turn never comes': {
      says: /I1 saves/,
      storage: (storage) => ({
        claimDueConnections: async (request) =>
          (await storage.claimDueConnections(request)).filter(({ schedule }) => schedule.capability !== 'library'),
      }),
    },
    'a choice of what is new that is not kept': {
      says: /I9 what was before/,
      storage: (storage) => ({
        updateConnection: (id, patch) =>
          storage.updateConnection(id, { ...patch, ...(patch.settings && { settings: {} }) }),
      }),
    },
    'an erased user whose tokens stay': { says: /I9 .*credentials/, credentials: () => ({ delete: async () => {} }) },
    'an erased user whose history stays': {
      says: /I9 .*items/,
      storage: () => ({ erase: async () => ({ items: 0 }) }),
    },
    'damaged cursors that are believed': { says: /I1/, damage: aheadOfTime },
    'a vault that is away, taken for an empty one': {
      says: /I10/,
      credentials: (store) => ({ get: (id) => store.get(id).catch(() => undefined) }),
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

/** A cursor whose mark stands two days ahead. */
function aheadOfTime(cursor: Cursor): Cursor {
  const { highWater = 0 } = envelopeOf(cursor) as { readonly highWater?: number };
  return changedCursor(cursor, { highWater: highWater + 2 * DAY });
}
