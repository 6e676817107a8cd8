import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { interleave, median, table } from './harness.ts';

/** A start is short, so many fit. */
const STARTS_PER_ROUND = 6;

/** P7: what importing the built root entry adds to the start of Node. `undefined` without a build. */
export function startBench(_folder: string, rounds: number): string | undefined {
  if (!existsSync(new URL('../../dist/index.js', import.meta.url))) {
    console.error('p7 skipped: there is no dist/index.js; run `npm run build` first.');
    return undefined;
  }
  // Known to load one: shows that the look at modules sees them.
  if (!packagesLoadedBy('zod').includes('zod')) throw new Error('The bench does not see which packages are loaded.');
  const packages = packagesLoadedBy('../../dist/index.js');
  if (packages.length > 0) throw new Error(`Importing '@mca/core' loads ${packages.join(', ')}.`);
  const results = interleave(
    [
      { name: 'bare limit: node', script: './start-bare.mjs', args: [] },
      { name: "import '@mca/core'", script: './start-ours.mjs', args: [] },
    ],
    rounds * STARTS_PER_ROUND,
  );
  const [bare = [], ours = []] = results.map(({ samples }) => samples);
  const more = (of: 'ms' | 'peakMb') =>
    (median(ours.map((each) => each[of])) - median(bare.map((each) => each[of]))).toFixed(1);
  return `${table('P7 Start of a process', results)}\nImporting adds ${more('ms')} ms and ${more('peakMb')} MB (medians). No package is loaded.\n`;
}

/** In a process of its own: watching costs time that must not be measured. */
function packagesLoadedBy(module: string): readonly string[] {
  const script = fileURLToPath(new URL('./start-modules.mjs', import.meta.url));
  const child = spawnSync(process.execPath, [script, module], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(`start-modules.mjs failed:\n${child.stderr}`);
  return JSON.parse(child.stdout) as readonly string[];
}
