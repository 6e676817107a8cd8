import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { generateHistory } from './generate-history.ts';
import { interleave, table } from './harness.ts';

/** P1 and P2: importing an extended history into SQLite, first time and again, against the bare limit. */
export function importBench(folder: string, rounds: number): string {
  return [200_000, 1_000_000].map((plays) => importOf(folder, plays, rounds)).join('\n');
}

function importOf(folder: string, plays: number, rounds: number): string {
  const files = generateHistory(join(folder, `history-${plays}`), plays);
  const database = (name: string) => join(folder, `${name}-${plays}.db`);
  const fresh = (name: string) => () => {
    for (const suffix of ['', '-wal', '-shm']) rmSync(database(name) + suffix, { force: true });
  };
  const run = (isFirst: boolean) =>
    interleave(
      (['bare', 'ours'] as const).map((name) => ({
        name: name === 'bare' ? 'bare limit: JSON.parse + prepared insert' : 'importFile',
        script: `./import-${name}.ts`,
        args: [database(name), ...files],
        prepare: isFirst ? fresh(name) : undefined,
      })),
      rounds,
    );
  const first = run(true);
  const again = run(false);
  for (const name of ['bare', 'ours']) fresh(name)();
  const size = plays.toLocaleString('en-US');
  const units = { count: plays, of: 'rows' };
  return [
    table(`P1 Import of ${size} plays into SQLite, first time`, first, units),
    table(`P2 The same ${size} plays again, all duplicates`, again, units),
  ].join('\n');
}
