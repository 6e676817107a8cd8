import { DatabaseSync } from 'node:sqlite';
import { sqliteSuite } from '../../test/support/sqlite-suite.ts';

sqliteSuite(
  'node:sqlite',
  (path, { timeoutMs, bigints } = {}) =>
    new DatabaseSync(path, { ...(timeoutMs && { timeout: timeoutMs }), readBigInts: bigints ?? false }),
);
