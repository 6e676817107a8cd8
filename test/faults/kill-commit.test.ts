import { describe, expect, test } from 'vitest';
import { recordFigure } from '../support/reliability.ts';
import { COMMIT_MUTANTS } from './commit-mutants.ts';
import { histogram, problemsOf, runKills } from './commit-run.ts';

const isFull = process.env.MCA_TEST_FULL === '1';
const KILLS = isFull ? 1_000 : 40;
/** A mutant is killed until it is caught, at most so often. */
const MUTANT_KILLS = 40;
const SEED = 20_240_501;

describe('kill −9 while committing pages', () => {
  test(`R-070 R-077 R-094 ${KILLS} kills lose nothing, repeat nothing, and let no stale writer in`, async () => {
    const report = await runKills('real', KILLS, SEED);
    const { between, text } = histogram(report.hits);
    console.log(`committed pages at ${report.kills} kills (seed ${SEED}):\n${text}`);
    expect(problemsOf(report)).toEqual({
      lost: 0,
      duplicated: 0,
      surplus: 0,
      cursorAhead: 0,
      wrongCounts: 0,
      corrupt: 0,
    });
    expect(report.kills).toBe(KILLS);
    // Kills before the first commit or after the last one would prove nothing.
    expect(between).toBeGreaterThanOrEqual(0.9);
    const share = `${Math.round(between * 100)} % between first and last commit`;
    recordFigure('R-070', `${report.kills} kills, ${share}: 0 lost, 0 duplicated, integrity_check ok`);
    recordFigure('R-077', `${report.kills - report.runs} stale commits: 0 rows written`);
  });

  test.for(COMMIT_MUTANTS)('R-072 the mutant %s is caught', async (mutant) => {
    const report = await runKills(mutant, MUTANT_KILLS, SEED + 1);
    const { text } = histogram(report.hits);
    const problems = Object.entries(problemsOf(report)).filter(([, count]) => count > 0);
    const found = problems.map(([name, count]) => `${name} ${count}`).join(', ');
    console.log(`${mutant}, ${report.kills} kills: ${found}\n${text}`);
    expect(problems).not.toEqual([]);
    recordFigure('R-072', `${mutant} caught after ${report.kills} kills: ${found}`);
  });
});
