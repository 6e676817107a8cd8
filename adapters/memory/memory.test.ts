import { memory } from '@mca/core/adapters/memory';
import { credentialConformance, type StorageUnderTest, storageConformance } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';

async function open(): Promise<StorageUnderTest> {
  let now = Date.UTC(2024, 0, 1);
  return {
    ...memory({ clock: { now: () => now } }),
    advance: (milliseconds) => {
      now += milliseconds;
    },
    close: async () => {},
  };
}

describe('memory: storage conformance', () => {
  for (const { id, title, skip, run } of storageConformance(open, { durable: false })) {
    test.skipIf(skip)(`${id} ${title}${skip ? ` (${skip})` : ''}`, run);
  }
});

describe('memory: credential conformance', () => {
  for (const { id, title, skip, run } of credentialConformance(open, { durable: false })) {
    test.skipIf(skip)(`${id} ${title}${skip ? ` (${skip})` : ''}`, run);
  }
});

test('what was handed in or out cannot be changed from outside', async () => {
  const { storage } = memory();
  const settings = { region: 'de' };
  const { id } = await storage.ensureConnection({ id: 'c', userId: 'u', provider: 'p', kind: 'file', account: '' });
  const updated = await storage.updateConnection(id, { settings });
  settings.region = 'fr';
  Object.assign(updated?.settings ?? {}, { region: 'it' });
  expect((await storage.listConnections({ id }))[0]?.settings).toEqual({ region: 'de' });
});
