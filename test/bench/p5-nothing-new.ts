import { join } from 'node:path';
import { interleave, table } from './harness.ts';
import { makeStored } from './nothing-new-setup.ts';

const SYNCS = Math.round(1_000 * Number(process.env.MCA_BENCH_SCALE ?? 1));
const SIZES: readonly number[] = [10_000, 100_000, 1_000_000];
/** Makes a file of 2 GB, which takes minutes: only when asked for. */
const LARGEST = 10_000_000;

/** P5: a sync with nothing new must not notice how much is stored. */
export async function nothingNewBench(folder: string, rounds: number): Promise<string> {
  const sizes = process.env.MCA_BENCH_LARGE === '1' ? [...SIZES, LARGEST] : SIZES;
  const contenders = [];
  for (const plays of sizes) {
    const path = join(folder, `stored-${plays}.db`);
    console.error(`  ${plays.toLocaleString('en-US')} plays`);
    await makeStored(path, plays);
    contenders.push({
      name: `${plays === SIZES[0] ? 'itself at ' : ''}${plays.toLocaleString('en-US')} plays`,
      script: './sync-nothing-new.ts',
      args: [path, String(plays), String(SYNCS)],
    });
  }
  const results = interleave(contenders, rounds);
  const title = `P5 ${SYNCS.toLocaleString('en-US')} syncs of one connection, nothing new`;
  return table(title, results, { count: SYNCS, of: 'syncs' });
}
