import { describe, expect, test } from 'vitest';
import { type KillRound, killLoop, seededRandom } from './kill-loop.ts';

async function run(script: string, rounds: number, onRound?: (round: KillRound) => 'stop' | undefined) {
  const seen: KillRound[] = [];
  await killLoop({
    command: process.execPath,
    args: (round) => ['-e', script, String(round)],
    rounds,
    killAfterMs: () => 5,
    onRound: (round) => {
      seen.push(round);
      return onRound?.(round);
    },
  });
  return seen;
}

describe('killLoop', () => {
  test('kills after the first output and hands over what was said', async () => {
    const seen = await run('console.log("ready", process.argv[1]); setInterval(() => {}, 1000)', 2);
    expect(seen.map(({ killed, exitCode, stdout }) => [killed, exitCode, stdout])).toEqual([
      [true, null, 'ready 0\n'],
      [true, null, 'ready 1\n'],
    ]);
  });

  test('tells a process that ended by itself from one that was killed', async () => {
    const [round] = await run('console.error("broken"); process.exit(3)', 1);
    expect(round).toMatchObject({ killed: false, exitCode: 3, stderr: 'broken\n' });
  });

  test('stops when told to', async () => {
    expect(await run('console.log(1)', 5, ({ round }) => (round === 1 ? 'stop' : undefined))).toHaveLength(2);
  });

  test('a program that does not exist is an error', async () => {
    const options = { args: [], rounds: 1, killAfterMs: () => 0, onRound: () => undefined };
    await expect(killLoop({ command: '/does/not/exist', ...options })).rejects.toThrow(/ENOENT/);
  });
});

test('seededRandom repeats itself for a seed, stays in range and spreads', () => {
  const draw = (seed: number) => Array.from({ length: 1_000 }, seededRandom(seed));
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
  const numbers = draw(3);
  expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...numbers)).toBeLessThan(1);
  const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  expect(mean).toBeGreaterThan(0.45);
  expect(mean).toBeLessThan(0.55);
});
