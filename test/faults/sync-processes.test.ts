import { onSqlite } from '../support/fault-store.ts';
import { syncProcessesSuite } from './sync-processes-suite.ts';

const isFull = process.env.MCA_TEST_FULL === '1';

syncProcessesSuite(onSqlite(), isFull ? { stopped: 50, killed: 10, ended: 200 } : { stopped: 4, killed: 2, ended: 6 });
