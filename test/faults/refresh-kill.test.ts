import { onSqlite } from '../support/fault-store.ts';
import { refreshKillSuite } from './refresh-kill-suite.ts';

refreshKillSuite(onSqlite(), process.env.MCA_TEST_FULL === '1' ? 200 : 10);
