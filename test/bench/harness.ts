import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

/** What a measured child process says on its last line. */
export interface Sample {
  readonly ms: number;
  /** CPU time of the measured part, in milliseconds. */
  readonly cpuMs: number;
  /** VmHWM: the most memory the process ever had, in megabytes. */
  readonly peakMb: number;
  /** What was done, to compare contenders: rows, sums. */
  readonly checksum: string;
}

/** A way to do the work, as a script of this folder with arguments. */
export interface Contender {
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
  /** Runs before each sample, unmeasured. */
  readonly prepare?: (() => void) | undefined;
}

/** All samples of one contender. */
export interface Measured {
  readonly name: string;
  readonly samples: readonly Sample[];
}

/** Runs the contenders in turn, so that a machine that slows down slows down all of them. */
export function interleave(contenders: readonly Contender[], rounds: number): readonly Measured[] {
  const results = contenders.map(({ name }) => ({ name, samples: [] as Sample[] }));
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, contender] of contenders.entries()) results[index]?.samples.push(sample(contender));
    process.stderr.write(`\r  round ${round + 1}/${rounds}`);
  }
  process.stderr.write('\r\x1b[K');
  const checksums = new Set(results.flatMap(({ samples }) => samples.map(({ checksum }) => checksum)));
  if (checksums.size !== 1) throw new Error(`Contenders did different work: ${[...checksums].join(' / ')}`);
  return results;
}

function sample({ script, args, prepare }: Contender): Sample {
  prepare?.();
  const path = fileURLToPath(new URL(script, import.meta.url));
  const { NODE_COMPILE_CACHE: cache = '', ...env } = process.env;
  const child = spawnSync(
    process.execPath,
    ['--conditions=@mca/source', '--disable-warning=ExperimentalWarning', path, ...args],
    // The cache keeps Node's type stripping, which no user has, out of the memory of TypeScript contenders.
    { encoding: 'utf8', env: path.endsWith('.ts') && cache ? { ...env, NODE_COMPILE_CACHE: cache } : env },
  );
  if (child.status !== 0) throw new Error(`${script} ${args.join(' ')} failed:\n${child.stderr}`);
  return JSON.parse(child.stdout.trim().split('\n').at(-1) ?? '') as Sample;
}

/** For contenders: measures one piece of work and prints the sample. */
export async function measure(
  work: () => Promise<unknown> | unknown,
  checksum: () => Promise<string> | string,
): Promise<void> {
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  await work();
  const ms = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpuBefore);
  console.log(
    JSON.stringify({
      ms,
      cpuMs: (user + system) / 1000,
      peakMb: peakMemoryMb(),
      checksum: await checksum(),
    } satisfies Sample),
  );
}

/** VmHWM of this process, in megabytes; resident set size where there is no /proc. */
function peakMemoryMb(): number {
  try {
    const [, kilobytes = '0'] = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    return Number(kilobytes) / 1024;
  } catch {
    return process.memoryUsage.rss() / 1_048_576;
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** A Markdown table of medians; the first contender is the limit that the others are compared with. */
export function table(
  title: string,
  results: readonly Measured[],
  units?: { readonly count: number; readonly of: string },
): string {
  const limit = results[0]?.samples ?? [];
  const ratio = (samples: readonly Sample[], of: 'ms' | 'cpuMs') =>
    (median(samples.map((each) => each[of])) / median(limit.map((each) => each[of]))).toFixed(2);
  const rows = results.map(({ name, samples }) => {
    const times = samples.map(({ ms }) => ms);
    const peaks = samples.map(({ peakMb }) => peakMb);
    const cells = [
      name,
      Math.round(median(times)),
      `${Math.round(Math.min(...times))}–${Math.round(Math.max(...times))}`,
      ratio(samples, 'ms'),
      Math.round(median(samples.map(({ cpuMs }) => cpuMs))),
      ratio(samples, 'cpuMs'),
      ...(units
        ? [Math.round((units.count * 1000) / median(samples.map(({ cpuMs }) => cpuMs))).toLocaleString('en-US')]
        : []),
      `${Math.round(median(peaks))} (${Math.round(Math.max(...peaks))})`,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const heads = [
    '',
    'median ms',
    'min–max',
    'ratio',
    'CPU ms',
    'CPU ratio',
    ...(units ? [`${units.of}/CPU s`] : []),
    'peak MB',
  ];
  return [
    `### ${title}`,
    '',
    `| ${heads.join(' | ')} |`,
    `| --- |${' ---: |'.repeat(heads.length - 1)}`,
    ...rows,
    '',
  ].join('\n');
}

/** What the figures were measured on. */
export function machine(): string {
  const [cpu] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
  return `${cpus().length} × ${cpu?.model.trim() ?? 'unknown CPU'}, ${memory}, Node ${process.versions.node}, ${process.platform}`;
}
