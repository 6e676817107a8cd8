import type { Change, Storage } from '@mca/core/adapter-kit';
import { postgres } from '@mca/core/adapters/postgres';
import type { FreshSchema } from './postgres.ts';
import { emptying, setClock } from './postgres-setup.ts';

/**
 * One schema for many runs: migrating takes longer than a run. Each run finds it empty, with all numbers at their start
 * and the clock of the run in the database.
 */
export function postgresRuns({ pool, schema }: FreshSchema) {
  /** A store for one run. */
  return function open(clock: { now(): number }): { storage: Storage; close(): void } {
    const { storage } = postgres({ pool, schema });
    let clockMs = Number.NaN;
    const keepTime = async () => {
      if (clockMs === clock.now()) return;
      clockMs = clock.now();
      await setClock(pool, schema, `${clockMs}`);
    };
    const verbs = Object.entries(storage as unknown as Record<string, unknown>).map(([verb, work]) => {
      if (typeof work !== 'function') return [verb, work];
      const timed = async (...given: unknown[]) => {
        await keepTime();
        return (work as (...given: unknown[]) => unknown)(...given);
      };
      return [verb, timed];
    });
    return {
      storage: {
        ...(Object.fromEntries(verbs) as Storage),
        async migrate() {
          await storage.migrate();
          await pool.query(emptying(schema));
        },
      },
      close: () => {},
    };
  };
}

/**
 * A store without the numbers of the feed: within a page Postgres gives them in the order of keys, and with gaps. What the
 * feed tells, and that its numbers grow, is left to compare.
 */
export function withoutSequences(storage: Storage): Storage {
  return {
    ...storage,
    commitPage: async (page) => ({ ...(await storage.commitPage(page)), sequence: 0 }),
    queryItems: async (query) => (await storage.queryItems(query)).map((item) => ({ ...item, sequence: 0 })),
    async changes({ userId }) {
      const all = await storage.changes({ after: 0, limit: 1_000_000, userId });
      let last = 0;
      for (const { sequence } of all) {
        if (sequence <= last) throw new Error(`The feed goes from ${last} to ${sequence}.`);
        last = sequence;
      }
      return all.map(withoutSequence).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    },
  };
}

function withoutSequence(change: Change): Change {
  return change.type === 'stored'
    ? { ...change, sequence: 0, item: { ...change.item, sequence: 0 } }
    : { ...change, sequence: 0 };
}
