import { MIGRATIONS } from '../../adapters/sqlite/migrations/index.ts';
import { onSqlite } from '../support/fault-store.ts';
import { manyProcessesSuite } from './many-processes-suite.ts';

const isFull = process.env.MCA_TEST_FULL === '1';

manyProcessesSuite(onSqlite(), {
  commitRounds: isFull ? 1_000 : 50,
  claimRounds: isFull ? 500 : 50,
  mostEmptyClaims: 0,
  migrationRounds: isFull ? 50 : 5,
  migrations: MIGRATIONS.length,
  versions: 'schema',
  whole: [
    `SELECT (SELECT integrity_check FROM pragma_integrity_check LIMIT 1) AS integrity,
       (SELECT journal_mode FROM pragma_journal_mode) AS journal`,
    { integrity: 'ok', journal: 'wal' },
  ],
  written: 'SELECT sequence AS written FROM %counters',
});
