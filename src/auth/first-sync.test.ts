import { addConnection, syncDue } from '@mca/core';
import { describe, expect, test } from 'vitest';
import { authRig } from '../../test/support/auth-rig.ts';
import { ANA, approved, connect, redirected } from '../../test/support/connect-flows.ts';
import { liveSetup, playsBefore, START, storedTitles } from '../../test/support/live-setup.ts';
import { FIRST_SYNC_SETTING, firstSyncOf } from '../registry/first-sync.ts';
import { beginConnect, continueConnect } from './connect.ts';

const history = { sources: {}, order: 'newest-first', backfill: false } as never;

describe('what the first sync fetches', () => {
  test('is stored with the connection before it has a turn', async () => {
    const rig = authRig({ capabilities: { history } });
    const query = await approved(rig, await redirected(rig, { firstSync: 'new' }));
    const seen: string[] = [];
    const { storage } = rig.registry;
    const registry = {
      ...rig.registry,
      storage: {
        ...storage,
        async putSchedule(schedule: Parameters<typeof storage.putSchedule>[0]) {
          const [connection] = await storage.listConnections({ id: schedule.connectionId });
          if (connection) seen.push(firstSyncOf(connection));
          return storage.putSchedule(schedule);
        },
      },
    };
    await continueConnect(registry, { ...ANA, query });
    expect(seen).toEqual(['new']);
  });

  test('is kept for services without logins, and is everything where nothing was said', async () => {
    const rig = authRig({ auth: () => [{ type: 'none' }], capabilities: { sessionCheck: undefined as never } });
    const step = await beginConnect(rig.registry, { ...ANA, firstSync: 'new' });
    expect(step).toMatchObject({ connection: { settings: { [FIRST_SYNC_SETTING]: 'new' } } });
    const { connection } = await connect(authRig());
    expect(connection.settings).toEqual({});
    expect(firstSyncOf(connection)).toBe('everything');
  });

  test('may be said anew until the first sync, and not after', async () => {
    const rig = authRig();
    const { connection } = await connect(rig, { firstSync: 'new' });
    await rig.registry.storage.updateConnection(connection.id, {
      settings: { ...connection.settings, 'host.colour': 'red' },
    });
    const again = await connect(rig, { firstSync: 'everything' });
    expect(again.connection.settings).toEqual({ [FIRST_SYNC_SETTING]: 'everything', 'host.colour': 'red' });
    await rig.registry.storage.updateConnection(connection.id, { lastSyncAt: new Date(START) });
    const later = await connect(rig, { firstSync: 'new' });
    expect(firstSyncOf(later.connection)).toBe('everything');
  });

  test('is what the scheduler does', async () => {
    const { service, registry, time } = await liveSetup();
    service.add('ada', ...playsBefore(START, 5));
    const given = { userId: 'bob', provider: 'fake', credentials: { fields: { token: 'x' } } } as const;
    await time.until(addConnection(registry, { ...given, firstSync: 'new' }));
    expect((await time.until(syncDue(registry))).byStatus).toEqual({ complete: 2 });
    expect(await storedTitles(registry)).toHaveLength(5);
    expect(await registry.storage.queryItems({ userId: 'bob', order: 'oldest', limit: 10 })).toEqual([]);
  });
});
