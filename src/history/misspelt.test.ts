import {
  addConnection,
  beginConnect,
  createRegistry,
  importFile,
  queryItems,
  startScheduler,
  syncConnection,
  syncDue,
  updateConnection,
} from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { netflix } from '@mca/core/providers/netflix';
import { describe, expect, test } from 'vitest';
import { liveSetup } from '../../test/support/live-setup.ts';
import { fileOf } from '../testing/import-files.ts';

/** As somebody without a compiler, or with a word from a request, would pass it. */
const misspelt = (word: string) => word as never;

describe('a word that is none of those an option has is refused at the door, with those it has', () => {
  test('by importFile', async () => {
    const registry = createRegistry({ providers: [netflix()], ...memory() });
    const file = fileOf('NetflixViewingHistory.csv', 'Title,Date\n"Sand Hill","2/1/26"\n');
    await expect(importFile(registry, { userId: 'ana', file, updatePolicy: misspelt('newest') })).rejects.toMatchObject(
      {
        code: 'invalid_data',
        reason: 'unknown_value',
        message: '"updatePolicy" cannot be "newest".',
        hint: 'It is one of keep, longest, replace.',
      },
    );
    expect((await queryItems(registry, { userId: 'ana' })).items).toEqual([]);
    await expect(queryItems(registry, { userId: 'ana', resolve: misspelt('best') })).rejects.toMatchObject({
      hint: 'It is one of finest, all.',
    });
  });

  test.each([
    ['firstSync', 'all', 'everything, new'],
    ['again', 'all', 'everything'],
    ['updatePolicy', 'newest', 'keep, longest, replace'],
    ['removedUpstream', 'remove', 'report, delete'],
  ])('by a sync: %s', async (name, word, allowed) => {
    const { registry, connection, service, time, sync } = await liveSetup();
    const settings = { [name]: misspelt(word) };
    const refusal = { code: 'invalid_data', reason: 'unknown_value', hint: `It is one of ${allowed}.` };
    await expect(sync(settings)).rejects.toMatchObject(refusal);
    const whole = syncConnection(registry, { userId: 'ada', connectionId: connection.id, ...settings });
    await expect(time.until(whole)).rejects.toMatchObject(refusal);
    if (name === 'removedUpstream') {
      await expect(syncDue(registry, settings)).rejects.toMatchObject(refusal);
      expect(() => startScheduler(registry, settings)).toThrow(expect.objectContaining(refusal));
    }
    expect(service.ledger).toEqual([]);
  });

  test('by connecting, and by what changes a connection', async () => {
    const { registry, connection } = await liveSetup();
    const own = { userId: 'ada', provider: 'fake' };
    const firstSync = misspelt('all');
    const refusal = { reason: 'unknown_value', hint: 'It is one of everything, new.' };
    await expect(beginConnect(registry, { ...own, firstSync })).rejects.toMatchObject(refusal);
    const credentials = { fields: { token: 'x' } };
    await expect(addConnection(registry, { ...own, credentials, firstSync })).rejects.toMatchObject(refusal);
    const change = { userId: 'ada', connectionId: connection.id, firstSync };
    await expect(updateConnection(registry, change)).rejects.toMatchObject(refusal);
    await expect(
      beginConnect(registry, { ...own, capabilities: ['history', misspelt('plays')] }),
    ).rejects.toMatchObject({ reason: 'unknown_value', message: '"capabilities" cannot be "plays".' });
  });
});
