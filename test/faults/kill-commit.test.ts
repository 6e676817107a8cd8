import { afterAll } from 'vitest';
import { onSqlite } from '../support/fault-store.ts';
import { COMMIT_MUTANTS } from './commit-mutants.ts';
import { killCommitSuite } from './kill-commit-suite.ts';

const isFull = process.env.MCA_TEST_FULL === '1';
const place = onSqlite();
afterAll(() => place.clear());

killCommitSuite(place, { kills: isFull ? 1_000 : 40, lanes: 1, mutants: COMMIT_MUTANTS });
