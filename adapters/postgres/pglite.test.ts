import { PGlite } from '@electric-sql/pglite';
import { credentialConformance, storageConformance } from '@mca/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/testing/storage/samples.ts';
import { openOnPglite } from '../../test/support/postgres-setup.ts';
import { postgres } from './index.ts';

/** The short run tries every fifth case: on the server all of them are run. */
const EACH = process.env.MCA_TEST_FULL === '1' ? 1 : 5;

describe('postgres over PGlite: conformance', () => {
  // One for all cases, because starting one takes seconds, and one schema for those that do not look at migrating.
  const database = new PGlite();
  beforeAll(() => database.waitReady);
  afterAll(() => database.close());
  const casesOn = (open: ReturnType<typeof openOnPglite>) => [
    ...storageConformance(open, { durable: false }),
    ...credentialConformance(open, { durable: false }),
  ];
  const isAboutMigrating = ({ id }: { readonly id: string }) => id.startsWith('STORE-');
  const cases = [
    ...casesOn(openOnPglite(database, 'fresh')).filter(isAboutMigrating),
    ...casesOn(openOnPglite(database, 'emptied')).filter((each) => !isAboutMigrating(each)),
  ];
  for (const { id, title, skip, run } of cases.filter((_, index) => index % EACH === 0)) {
    test.skipIf(skip)(`${id} ${title}`, run);
  }
});

test('a PGlite database that was closed says so', async () => {
  const database = new PGlite();
  const { storage } = postgres({ pool: database });
  await connect(storage);
  await database.close();
  await expect(storage.listConnections({})).rejects.toMatchObject({ code: 'storage', reason: 'closed' });
  await expect(storage.erase({ userId: 'ada' })).rejects.toMatchObject({ code: 'storage', reason: 'closed' });
});
