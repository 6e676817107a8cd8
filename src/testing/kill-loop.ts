import { spawn } from 'node:child_process';

/** Options of {@link killLoop}. */
export interface KillLoopOptions {
  /** Program to run, such as `process.execPath`. */
  readonly command: string;
  /** Arguments, or how they follow from the round. */
  readonly args: readonly string[] | ((round: number) => readonly string[]);
  /** How often to start it. */
  readonly rounds: number;
  /**
   * Milliseconds from the first output of a round to its SIGKILL. Counting from the first output leaves out the time the
   * process takes to start, so that kills hit its work. Use {@link seededRandom} to be able to repeat a run.
   */
  readonly killAfterMs: (round: number) => number;
  /** Looks at what the round left behind. Answering `stop` ends the loop early. */
  readonly onRound: (round: KillRound) => KillVerdict | Promise<KillVerdict>;
  /** Environment of the program. @default the environment of this process */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** Whether {@link killLoop} goes on. */
export type KillVerdict = 'stop' | 'go on' | undefined;

/** How one round of {@link killLoop} ended. */
export interface KillRound {
  /** Counts from 0. */
  readonly round: number;
  /** False when the process ended before it could be killed. */
  readonly killed: boolean;
  /** Exit code; `null` when it was killed. */
  readonly exitCode: number | null;
  /** Milliseconds from the first output to the kill. */
  readonly killAfterMs: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Starts a program again and again, kills it with SIGKILL at a chosen moment, and lets the caller look at what is left.
 * For proving that work which is interrupted anywhere can be taken up without loss.
 *
 * @example
 * ```ts
 * const random = seededRandom(1);
 * await killLoop({
 *   command: process.execPath,
 *   args: ['worker.js', 'store.db'],
 *   rounds: 1_000,
 *   killAfterMs: () => random() * 30,
 *   onRound: ({ round }) => assertNothingLost(round),
 * });
 * ```
 */
export async function killLoop(options: KillLoopOptions): Promise<void> {
  for (let round = 0; round < options.rounds; round += 1) {
    const outcome = await runRound(options, round);
    if ((await options.onRound(outcome)) === 'stop') return;
  }
}

function runRound(options: KillLoopOptions, round: number): Promise<KillRound> {
  const killAfterMs = options.killAfterMs(round);
  const args = typeof options.args === 'function' ? options.args(round) : options.args;
  return new Promise((resolve, reject) => {
    const child = spawn(options.command, args, { env: options.env ?? process.env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    let timer: NodeJS.Timeout | undefined;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      timer ??= setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    // 'close' comes after the last output, 'exit' need not.
    child.on('close', (exitCode, signal) => {
      clearTimeout(timer);
      resolve({ round, killed: signal === 'SIGKILL', exitCode, killAfterMs, stdout, stderr });
    });
  });
}

/**
 * Random numbers from 0 (included) to 1 (excluded), the same ones for the same seed (mulberry32).
 *
 * @example
 * ```ts
 * const random = seededRandom(42);
 * const dice = 1 + Math.floor(random() * 6);
 * ```
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
