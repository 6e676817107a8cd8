import { onSqlite } from '../support/fault-store.ts';
import { refreshManySuite } from './refresh-many-suite.ts';

const isFull = process.env.MCA_TEST_FULL === '1';

refreshManySuite(onSqlite(), {
  rounds: isFull ? 100 : 15,
  // Each takes its seconds: all 500 are for the soak.
  schedules: process.env.MCA_TEST_SOAK === '1' ? 500 : isFull ? 100 : 2,
});
