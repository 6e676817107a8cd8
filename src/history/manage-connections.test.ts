import { eraseUser, exportUser, listConnections, listSyncLog, syncDue, updateConnection } from '@mca/core';
import { describe, expect, test } from 'vitest';
import { HOUR, liveSetup, playsBefore, START, storedTitles } from '../../test/support/live-setup.ts';

describe('updateConnection', () => {
  test('a connection that is switched off is not synced, and goes on where it stood', async () => {
    const { service, registry, time, connection, sync } = await liveSetup({ provider: { intervalMs: HOUR } });
    const own = { userId: 'ada', connectionId: connection.id };
    service.add('ada', ...playsBefore(START, 5));
    expect(await updateConnection(registry, { ...own, enabled: false })).toMatchObject({ status: 'disabled' });
    expect((await time.until(syncDue(registry))).synced).toBe(0);
    expect(await sync()).toMatchObject({ status: 'skipped', reason: 'disabled' });
    expect(service.ledger).toEqual([]);
    expect(await updateConnection(registry, { ...own, enabled: true })).toMatchObject({ status: 'active' });
    expect((await time.until(syncDue(registry))).byStatus).toEqual({ complete: 1 });
  });

  test('one that only its user can bring back is not switched on', async () => {
    const { registry, connection } = await liveSetup();
    await registry.storage.updateConnection(connection.id, { status: 'needs_reauth' });
    const own = { userId: 'ada', connectionId: connection.id };
    await expect(updateConnection(registry, { ...own, enabled: true })).rejects.toMatchObject({
      reason: 'cannot_enable',
    });
    expect(await updateConnection(registry, { ...own, enabled: false })).toMatchObject({ status: 'needs_reauth' });
  });

  test('the scheduler begins as it was told', async () => {
    const { service, registry, time, connection } = await liveSetup();
    service.add('ada', ...playsBefore(START, 5));
    await updateConnection(registry, { userId: 'ada', connectionId: connection.id, firstSync: 'new' });
    await time.until(syncDue(registry));
    expect(await storedTitles(registry)).toEqual([]);
  });

  test('of somebody else there is none', async () => {
    const { registry, connection } = await liveSetup();
    const others = { userId: 'bob', connectionId: connection.id };
    for (const call of [updateConnection(registry, others), listSyncLog(registry, others)])
      await expect(call).rejects.toMatchObject({ code: 'not_found', reason: 'connection_unknown' });
  });
});

test('connections are listed by provider and by status', async () => {
  const { registry, connection } = await liveSetup();
  const other = { id: 'other', userId: 'ada', provider: 'elsewhere', kind: 'api', account: '' } as const;
  await registry.storage.ensureConnection(other);
  await registry.storage.updateConnection(connection.id, { status: 'needs_reauth' });
  const idsOf = async (filter: object) =>
    (await listConnections(registry, { userId: 'ada', ...filter })).map(({ id }) => id);
  expect(await idsOf({})).toEqual([connection.id, 'other']);
  expect(await idsOf({ provider: 'elsewhere' })).toEqual(['other']);
  expect(await idsOf({ status: 'needs_reauth' })).toEqual([connection.id]);
  expect(await idsOf({ status: ['active', 'needs_reauth'] })).toEqual([connection.id, 'other']);
  expect(await idsOf({ provider: 'fake', status: 'active' })).toEqual([]);
  expect(await idsOf({ userId: 'bob' })).toEqual([]);
});

test('the sync log tells what became of the syncs, newest first', async () => {
  const { service, registry, sync, connection } = await liveSetup();
  service.add('ada', ...playsBefore(START, 5));
  await sync();
  service.intercept = () => Response.json({}, { status: 403 });
  await sync();
  const log = await listSyncLog(registry, { userId: 'ada', connectionId: connection.id });
  expect(log.map(({ status }) => status)).toEqual(['failed', 'complete']);
  expect(log[0]?.error).toMatchObject({ code: 'permission_denied' });
  expect(log[1]).toMatchObject({ capability: 'history', counts: { inserted: 5 } });
});

test('everything of a user comes out, secrets excepted, and is gone after erasing', async () => {
  const { service, registry, sync } = await liveSetup();
  service.add('ada', ...playsBefore(START, 5), { id: 'bad', playedAt: START - 1, title: 'bad', poison: true });
  await sync();
  const lines = await Array.fromAsync(exportUser(registry, { userId: 'ada' }));
  const kinds = lines.map((line) => (JSON.parse(line) as { kind: string }).kind);
  expect(kinds.sort()).toEqual(['connection', ...Array(5).fill('item'), 'parked', 'sync']);
  expect(lines.join('')).not.toContain('canary-token');
  await eraseUser(registry, { userId: 'ada' });
  expect(await Array.fromAsync(exportUser(registry, { userId: 'ada' }))).toEqual([]);
  expect(await listConnections(registry, { userId: 'ada' })).toEqual([]);
});
