import { describe, expect, test } from 'vitest';
import type { StorePlace } from '../support/fault-store.ts';
import { recordFigure } from '../support/reliability.ts';
import type { CommitVariant } from './commit-mutants.ts';
import { histogram, problemsOf, runKills } from './commit-run.ts';

/** How much of {@link killCommitSuite} runs. */
export interface KillCounts {
  readonly kills: number;
  readonly lanes: number;
  readonly mutants: readonly CommitVariant[];
}

/** A mutant is killed until it is caught, at most so often. */
const MUTANT_KILLS = 40;
const SEED = 20_240_501;

/** Kills processes that commit pages, and looks at what they left. */
export function killCommitSuite(place: StorePlace, { kills, lanes, mutants }: KillCounts): void {
  const { name } = place;

  describe(`kill −9 while committing pages on ${name}`, () => {
    test(`R-070 R-077 R-094 ${kills} kills on ${name} lose nothing, repeat nothing, and let no stale writer in`, async () => {
      const report = await runKills({ place, variant: 'real', kills, seed: SEED, lanes });
      const { between, text } = histogram(report.hits);
      console.log(`committed pages on ${name} at ${report.kills} kills (seed ${SEED}):\n${text}`);
      expect(problemsOf(report)).toEqual({
        lost: 0,
        duplicated: 0,
        surplus: 0,
        cursorAhead: 0,
        wrongCounts: 0,
        corrupt: 0,
      });
      expect(report.kills).toBe(kills);
      // Kills before the first commit or after the last one would prove nothing.
      expect(between).toBeGreaterThanOrEqual(0.9);
      const share = `${Math.round(between * 100)} % between first and last commit`;
      const integrity = name === 'SQLite' ? ', integrity_check ok' : '';
      recordFigure('R-070', `${name}, ${report.kills} kills, ${share}: 0 lost, 0 duplicated${integrity}`);
      recordFigure('R-077', `${name}, ${report.kills - report.runs} stale commits: 0 rows written`);
    });

    test.for(mutants)(`R-072 the mutant %s on ${name} is caught`, async (variant) => {
      const report = await runKills({ place, variant, kills: MUTANT_KILLS, seed: SEED + 1, lanes });
      const { text } = histogram(report.hits);
      const problems = Object.entries(problemsOf(report)).filter(([, count]) => count > 0);
      const found = problems.map(([problem, count]) => `${problem} ${count}`).join(', ');
      console.log(`${variant} on ${name}, ${report.kills} kills: ${found}\n${text}`);
      expect(problems).not.toEqual([]);
      recordFigure('R-072', `${variant} on ${name} caught after ${report.kills} kills: ${found}`);
    });
  });
}
