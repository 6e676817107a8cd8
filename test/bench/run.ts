// npm run bench -- [p1] [p3] [p4-postgres] [p5-nothing-new] [p5-postgres] [p6-live] [workers] [p7] [--keep]: measures, prints, and writes docs/performance.md.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeFigures } from './figures.ts';
import { importBench } from './p1-import.ts';
import { parseBench } from './p3-parse.ts';
import { postgresBench } from './p4-postgres.ts';
import { nothingNewBench } from './p5-nothing-new.ts';
import { nothingNewOnPostgresBench } from './p5-postgres.ts';
import { liveBench } from './p6-live.ts';
import { startBench } from './p7-start.ts';
import { workersBench } from './workers.ts';

type Bench = (folder: string, rounds: number) => Promise<string> | string | undefined;

const benches: Readonly<Record<string, Bench>> = {
  p1: importBench,
  p3: parseBench,
  'p4-postgres': postgresBench,
  'p5-nothing-new': nothingNewBench,
  'p5-postgres': nothingNewOnPostgresBench,
  'p6-live': liveBench,
  workers: workersBench,
  p7: startBench,
};

const { values, positionals } = parseArgs({ allowPositionals: true, options: { keep: { type: 'boolean' } } });
const unknown = positionals.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}.`);
  process.exit(1);
}
const rounds = Number(process.env.MCA_BENCH_ROUNDS ?? 5);
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error('MCA_BENCH_ROUNDS must be a whole number from 1.');
  process.exit(1);
}

// What is kept is found again: making a million plays takes longer than importing them.
const folder = values.keep ? join(tmpdir(), 'mca-bench') : mkdtempSync(join(tmpdir(), 'mca-bench-'));
mkdirSync(folder, { recursive: true });
process.env.NODE_COMPILE_CACHE = join(folder, 'compile-cache');
const measured = new Map<string, string>();
try {
  for (const name of positionals.length > 0 ? positionals : Object.keys(benches)) {
    console.error(`${name}: ${rounds} rounds`);
    const text = await benches[name]?.(folder, rounds);
    if (text === undefined) continue;
    console.log(text);
    measured.set(name, text);
  }
  // Figures of fewer requests than the text promises are for trying a bench out.
  if ((process.env.MCA_BENCH_SCALE ?? '1') === '1') writeFigures(measured, rounds);
} finally {
  if (!values.keep) rmSync(folder, { recursive: true, force: true });
}
