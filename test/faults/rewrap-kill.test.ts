import { onSqlite } from '../support/fault-store.ts';
import { rewrapKillSuite } from './rewrap-kill-suite.ts';

const isFull = process.env.MCA_TEST_FULL === '1';

rewrapKillSuite(
  onSqlite(),
  isFull ? { count: 10_000, kills: 50, withinMs: 120 } : { count: 600, kills: 5, withinMs: 60 },
);
