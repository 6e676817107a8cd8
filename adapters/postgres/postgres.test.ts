import { credentialConformance, storageConformance } from '@mca/core/testing';
import { describe, test } from 'vitest';
import { postgresServer } from '../../test/support/postgres.ts';
import { openOn } from '../../test/support/postgres-setup.ts';

const server = await postgresServer();

describe.skipIf(!server)('postgres: conformance', () => {
  const open = openOn(server as NonNullable<typeof server>);
  for (const { id, title, skip, run } of [...storageConformance(open), ...credentialConformance(open)]) {
    test.skipIf(skip)(`${id} ${title}`, run);
  }
});
