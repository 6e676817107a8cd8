import {
  createRegistry,
  disconnect,
  eraseUser,
  importFile,
  listConnections,
  McaError,
  syncConnection,
} from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { netflix } from '@mca/core/providers/netflix';
import { beforeAll, describe, expect, test } from 'vitest';
import { plays, rated, refusal } from '../../providers/trakt/__fixtures__/server.ts';
import { liveSetup, playsBefore, START } from '../../test/support/live-setup.ts';
import { rigOf } from '../../test/support/trakt-rig.ts';

// Loaded when first needed: a fake clock would take that for a service that keeps one waiting.
beforeAll(() => Promise.all([import('ky'), import('p-retry')]));

async function connected() {
  const rig = rigOf({ plays: plays(30), ratings: rated(7) });
  const { id: connectionId } = await rig.connect();
  const sync = (more: Omit<Parameters<typeof syncConnection>[1], 'userId' | 'connectionId'> = {}) =>
    rig.time.until(syncConnection(rig.registry, { userId: 'ana', connectionId, ...more }));
  return { ...rig, connectionId, sync };
}

describe('a whole connection', () => {
  test('history first, then the rest, a report for each', async () => {
    const { sync, stored } = await connected();
    const told: string[] = [];
    expect(await sync({ onProgress: ({ capability }) => told.push(capability) })).toMatchObject([
      { capability: 'history', status: 'complete', counts: { inserted: 30 } },
      { capability: 'ratings', status: 'complete', counts: { inserted: 7 } },
    ]);
    expect([...new Set(told)]).toEqual(['history', 'ratings']);
    expect(await stored()).toHaveLength(37);
    expect(await sync()).toMatchObject([{ counts: { inserted: 0 } }, { counts: { inserted: 0 } }]);
  });

  test('what fails in one does not keep the other', async () => {
    const { sync, server } = await connected();
    server.failures.push(refusal(426));
    expect(await sync()).toMatchObject([
      { capability: 'history', status: 'failed', error: { reason: 'vip_only' } },
      { capability: 'ratings', status: 'complete', counts: { inserted: 7 } },
    ]);
  });

  test('access that was taken back is found once', async () => {
    const { sync, oauth, server } = await connected();
    oauth.expireAll();
    oauth.failures.push(Response.json({ error: 'invalid_grant' }, { status: 400 }));
    const before = server.calls.length;
    expect(await sync()).toMatchObject([
      { status: 'failed', error: { code: 'auth_expired' } },
      { status: 'skipped', reason: 'needs_reauth' },
    ]);
    expect(server.calls.slice(before).filter(({ status }) => status !== 401)).toEqual([]);
  });

  test('a user who is erased meanwhile ends it, and what came before is told', async () => {
    const { sync, registry, stored } = await connected();
    let erased: Promise<unknown> | undefined;
    const reports = await sync({
      onProgress() {
        erased ??= eraseUser(registry, { userId: 'ana' });
      },
    });
    await erased;
    expect(reports).toHaveLength(2);
    for (const { status } of reports) expect(['complete', 'failed', 'partial', 'skipped']).toContain(status);
    expect(reports.at(-1)?.status).not.toBe('complete');
    expect(await stored()).toEqual([]);
  });

  test('settings hold for each', async () => {
    const { sync, server } = await connected();
    await sync();
    server.plays.push({ id: 1, at: START - 4_000 * 86_400_000, of: 1 });
    server.ratings.push({ of: 99, at: START, rating: 2 });
    expect(await sync({ again: 'everything' })).toMatchObject([
      { counts: { inserted: 1 } },
      { counts: { inserted: 1 } },
    ]);
    const stop = AbortSignal.abort();
    expect((await sync({ signal: stop })).map(({ status }) => status)).toEqual(['cancelled', 'cancelled']);
  });

  test('one capability, one report', async () => {
    const { registry, connection, service, time } = await liveSetup();
    service.add('ada', ...playsBefore(START, 5));
    const request = { userId: 'ada', connectionId: connection.id };
    expect(await time.until(syncConnection(registry, request))).toMatchObject([{ capability: 'history' }]);
  });
});

describe('what cannot be synced', () => {
  test.each([
    ['a connection of somebody else', { userId: 'ben' }, { code: 'not_found' }],
    ['one that is not there', { connectionId: 'nowhere' }, { code: 'not_found' }],
    ['no pages', { maxPages: 0 }, { code: 'invalid_data', reason: 'invalid_max_pages' }],
    ['an empty user id', { userId: '' }, { code: 'invalid_data' }],
  ])('%s', async (_, wrong, error) => {
    const { registry, connectionId } = await connected();
    const asked = syncConnection(registry, { userId: 'ana', connectionId, ...wrong });
    await expect(asked).rejects.toBeInstanceOf(McaError);
    await expect(asked).rejects.toMatchObject(error);
  });

  test('files: there is nobody to ask', async () => {
    const registry = createRegistry({ providers: [netflix()], ...memory() });
    const file = new File(['Title,Date\n"A Film","2025-01-31"\n'], 'NetflixViewingHistory.csv');
    await importFile(registry, { userId: 'ana', provider: 'netflix', file, options: { dateOrder: 'YMD' } });
    const [connection] = await listConnections(registry, { userId: 'ana' });
    const asked = syncConnection(registry, { userId: 'ana', connectionId: connection?.id ?? '' });
    await expect(asked).rejects.toMatchObject({ code: 'unsupported', reason: 'nothing_to_sync', provider: 'netflix' });
  });

  test('one that was disconnected says so', async () => {
    const { registry, connectionId, sync, time } = await connected();
    await time.until(disconnect(registry, { userId: 'ana', connectionId }));
    expect(await sync()).toMatchObject([{ reason: 'not_connected' }, { reason: 'not_connected' }]);
  });

  test('a provider that is not registered any more', async () => {
    const { registry, sync } = await connected();
    registry.remove('trakt');
    await expect(sync()).rejects.toMatchObject({ code: 'not_found', reason: 'unknown_provider' });
  });
});
