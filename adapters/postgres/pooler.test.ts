import { credentialConformance, storageConformance } from '@mca/core/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { connect, sampleItems, take } from '../../src/testing/storage/samples.ts';
import { postgresServer } from '../../test/support/postgres.ts';
import { findPgbouncer, startPooler } from '../../test/support/postgres-pooler.ts';
import { HOSTILE_TYPES, openOn, openSchema, recording } from '../../test/support/postgres-setup.ts';
import { postgres } from './index.ts';

/** The short run tries every fifth case: without a pooler all of them are run. */
const EACH = process.env.MCA_TEST_FULL === '1' ? 1 : 5;
const server = await postgresServer();
const pgbouncer = findPgbouncer();
if (!pgbouncer && process.env.CI) throw new Error('There is no pgbouncer on this machine; CI has to have one.');
if (!pgbouncer) console.error('NOT TESTED: Postgres through a pooler. There is no pgbouncer on this machine.');
const pooler = server && pgbouncer ? await startPooler(pgbouncer, server, 2) : undefined;
afterAll(() => pooler?.stop());

describe.skipIf(!pooler)('postgres through pgbouncer in transaction mode: conformance', () => {
  // Through a driver that parses no number as we would, too: the same cases show both.
  const open = openOn(pooler as NonNullable<typeof pooler>, { types: HOSTILE_TYPES });
  const cases = [...storageConformance(open), ...credentialConformance(open)];
  for (const { id, title, skip, run } of cases.filter((_, index) => index % EACH === 0)) {
    test.skipIf(skip)(`${id} ${title}`, run);
  }
});

describe.skipIf(!server)('postgres keeps nothing in a connection', () => {
  test('no statement is named, sets or takes anything that outlives its transaction', async () => {
    const { pool, schema, drop } = await openSchema(server as NonNullable<typeof server>);
    const { pool: recorded, statements } = recording(pool);
    const { storage } = postgres({ pool: recorded, schema: `${schema}_2` });
    const { id } = await connect(storage);
    const lease = await take(storage, `sync:${id}:history`);
    await storage.commitPage({ lease, connectionId: id, policy: 'longest', items: sampleItems(600) });
    await storage.changes({ after: 0, limit: 10 });
    await storage.erase({ userId: 'ada' });
    expect(statements.length).toBeGreaterThan(50);
    for (const [text] of statements) {
      expect(text).not.toMatch(
        /\b(?:SET (?!TRANSACTION|LOCAL)[a-z_]+ (?:=|TO)|LISTEN|PREPARE|TEMP|pg_advisory_lock)\b/,
      );
    }
    await pool.query(`DROP SCHEMA "${schema}_2" CASCADE`);
    await drop();
  });
});
