import { DatabaseSync } from 'node:sqlite';
import type { Storage } from '@mca/core/adapter-kit';
import { memory } from '@mca/core/adapters/memory';
import { sqlite } from '@mca/core/adapters/sqlite';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Model, Real } from '../support/ask.ts';
import { type FreshSchema, freshSchema, postgresServer } from '../support/postgres.ts';
import { postgresRuns, withoutSequences } from '../support/postgres-model.ts';
import { recordFigure } from '../support/reliability.ts';
import { commands, compareReads } from '../support/store-commands.ts';

const RUNS = process.env.MCA_TEST_FULL === '1' ? 1_000 : 50;
const MAX_STEPS = 50;

interface Totals {
  steps: number;
  handedOver: number;
  counted: number;
}

/** Lets a store and the reference answer the same random steps; rejects at the first difference. */
async function compare(
  open: (clock: { now(): number }) => { storage: Storage; close(): void },
  numRuns: number,
  endOnFailure = false,
  view: (storage: Storage) => Storage = (storage) => storage,
): Promise<Totals> {
  const totals: Totals = { steps: 0, handedOver: 0, counted: 0 };
  const property = fc.asyncProperty(
    fc.commands([...commands], { maxCommands: MAX_STEPS, size: 'max' }),
    async (steps) => {
      let nowMs = 1_000;
      const clock = { now: () => nowMs };
      const model: Model = {
        storage: view(memory({ clock }).storage),
        leases: new Map(),
        handedOver: 0,
        counted: 0,
        steps: 0,
        compareReads,
      };
      const { storage: opened, close } = open(clock);
      const storage = view(opened);
      const advance = (ms: number) => {
        nowMs += ms;
      };
      const real: Real = { storage, leases: new Map(), advance };
      try {
        await storage.migrate();
        await fc.asyncModelRun(() => ({ model, real }), steps);
        await compareReads(model.storage, storage);
      } finally {
        close();
      }
      totals.steps += model.steps;
      totals.handedOver += model.handedOver;
      totals.counted += model.counted;
    },
  );
  await fc.assert(property, { numRuns, seed: 88, endOnFailure });
  return totals;
}

function openSqlite(clock: { now(): number }) {
  const database = new DatabaseSync(':memory:');
  return { storage: sqlite({ database, clock }).storage, close: () => database.close() };
}

const MUTANTS: Readonly<Record<string, (storage: Storage) => Partial<Storage>>> = {
  'forgets tombstones': (storage) => ({ deleteItem: async (key) => void (await storage.deleteItem(key)) as never }),
  'lets the later one win': (storage) => ({
    commitPage: (page) => storage.commitPage({ ...page, policy: page.policy === 'longest' ? 'replace' : page.policy }),
  }),
  'undoes nothing': () => ({ undoImport: async () => ({ removed: 0 }) }),
  'never lets parked records go': (storage) => ({
    commitPage: (page) => storage.commitPage({ ...page, unparked: undefined }),
  }),
  'clears nothing of a connection': (storage) => ({
    updateConnection(id, patch) {
      const named = Object.entries(patch).filter(([, value]) => value !== null);
      return storage.updateConnection(id, Object.fromEntries(named));
    },
  }),
  'claims for ever': (storage) => ({
    claimDueConnections: (request) => storage.claimDueConnections({ ...request, ttlMs: 1e9 }),
  }),
  'concludes without giving the lease back': (storage) => ({
    async concludeSync(conclusion) {
      await storage.concludeSync(conclusion);
      await storage.acquireLease({ ...conclusion.lease, ttlMs: 1e9 });
    },
  }),
  'lets a connect flow be taken twice': (storage) => ({
    async takeConnectState(hash) {
      const state = await storage.takeConnectState(hash);
      if (state) await storage.putConnectState(state);
      return state;
    },
  }),
  'ignores the clock': (storage) => ({ acquireLease: (request) => storage.acquireLease({ ...request, ttlMs: 1e9 }) }),
};

describe('SQLite against the reference', () => {
  test(`R-088 R-094 ${RUNS} runs of random steps give equal answers, reads and counts`, async () => {
    const { steps, handedOver, counted } = await compare(openSqlite, RUNS);
    expect(counted).toBe(handedOver);
    // Runs that never store anything would agree about nothing.
    expect(handedOver).toBeGreaterThan(10 * RUNS);
    recordFigure('R-088', `${RUNS} runs, ${steps} steps on SQLite: 0 differences`);
    recordFigure('R-094', `${handedOver} items handed over, ${counted} counted`);
  });

  test.for(Object.keys(MUTANTS))('R-088 a store that %s is caught', async (name) => {
    const open = (clock: { now(): number }) => {
      const { storage, close } = openSqlite(clock);
      return { storage: { ...storage, ...MUTANTS[name]?.(storage) }, close };
    };
    // Which steps are the fewest that show it is of interest for the real store only.
    await expect(compare(open, 100, true)).rejects.toThrow(/Property failed/);
  });
});

const server = await postgresServer();
const POSTGRES_RUNS = process.env.MCA_TEST_FULL === '1' ? 1_000 : 12;

describe.skipIf(!server)('Postgres against the reference', () => {
  let fresh: FreshSchema | undefined;
  beforeAll(async () => {
    fresh = server && (await freshSchema(server));
  });
  afterAll(() => fresh?.drop());

  const open = (clock: { now(): number }) => postgresRuns(fresh as FreshSchema)(clock);

  test(`R-088 R-094 ${POSTGRES_RUNS} runs of random steps give equal answers, reads and counts`, async () => {
    const { steps, handedOver, counted } = await compare(open, POSTGRES_RUNS, false, withoutSequences);
    expect(counted).toBe(handedOver);
    expect(handedOver).toBeGreaterThan(10 * POSTGRES_RUNS);
    recordFigure('R-088', `${POSTGRES_RUNS} runs, ${steps} steps on Postgres: 0 differences`);
    recordFigure('R-094', `Postgres: ${handedOver} items handed over, ${counted} counted`);
  });

  test('R-088 a Postgres store that lets the later one win is caught', async () => {
    const mutant = (clock: { now(): number }) => {
      const { storage, close } = open(clock);
      return { storage: { ...storage, ...MUTANTS['lets the later one win']?.(storage) }, close };
    };
    await expect(compare(mutant, 100, true, withoutSequences)).rejects.toThrow(/Property failed/);
  });
});
