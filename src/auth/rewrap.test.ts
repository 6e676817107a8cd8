import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { authRig } from '../../test/support/auth-rig.ts';
import { keyIdOf } from './envelope.ts';
import { keyRing } from './key-ring.ts';
import { type RewrapReport, rewrapCredentials } from './rewrap.ts';

const key = (): string => randomBytes(32).toString('base64');

describe('moving to a new key', () => {
  test('R-024 everything opens with the new key alone; what cannot be opened is counted and left', async () => {
    const [k1, k2, lost] = [key(), key(), key()];
    const old = authRig({ keys: keyRing({ primary: 'k1', keys: { k1 } }) });
    const connections = [await old.connected(), await old.connected(), await old.connected()];
    const stranger = authRig({ beside: old, keys: keyRing({ primary: 'lost', keys: { lost } }) });
    const unknown = await stranger.connected();
    await old.adapter.credentials.put(
      'orphan',
      (await old.adapter.credentials.get(connections[0]?.id ?? ''))?.sealed ?? '',
      undefined,
    );
    const both = authRig({ beside: old, keys: keyRing({ primary: 'k2', keys: { k1, k2 } }) });
    const progress: RewrapReport[] = [];
    const report = await rewrapCredentials(both.registry, { onProgress: (each) => progress.push(each) });
    expect(report).toEqual({
      read: 5,
      rewrapped: 3,
      current: 0,
      gone: 1,
      failed: 1,
      errors: [{ connectionId: unknown.id, reason: 'key_unavailable' }],
    });
    expect(progress).toEqual([report]);
    expect(await rewrapCredentials(both.registry)).toMatchObject({ read: 5, rewrapped: 0, current: 3, failed: 1 });
    const alone = authRig({ beside: old, keys: keyRing({ primary: 'k2', keys: { k2 } }) });
    for (const connection of connections) {
      await alone.stored(connection);
      expect(keyIdOf((await old.adapter.credentials.get(connection.id))?.sealed ?? '')).toBe('k2');
    }
  });

  test('R-024 it gives way to whoever stored meanwhile, and stops when the key service is away', async () => {
    const [k1, k2] = [key(), key()];
    const old = authRig({ keys: keyRing({ primary: 'k1', keys: { k1 } }) });
    const connection = await old.connected();
    const ring = keyRing({ primary: 'k2', keys: { k1, k2 } });
    let isAway = false;
    let meanwhile: (() => Promise<unknown>) | undefined;
    const service = {
      ...ring,
      unwrap: async (...given: Parameters<typeof ring.unwrap>) => {
        if (isAway) throw new Error('away');
        const work = meanwhile;
        meanwhile = undefined;
        await work?.();
        return ring.unwrap(...given);
      },
    };
    const both = authRig({ beside: old, keys: service });
    const sealed = (await old.adapter.credentials.get(connection.id))?.sealed ?? '';
    meanwhile = async () => {
      const { version } = (await old.adapter.credentials.get(connection.id)) ?? {};
      await old.adapter.credentials.put(connection.id, sealed, version);
    };
    expect(await rewrapCredentials(both.registry)).toMatchObject({ read: 1, rewrapped: 1, failed: 0 });
    const other = await old.connected();
    isAway = true;
    await expect(rewrapCredentials(both.registry)).rejects.toMatchObject({ reason: 'key_service_failed' });
    isAway = false;
    expect(await rewrapCredentials(both.registry)).toMatchObject({ read: 2, rewrapped: 1, current: 1 });
    await both.stored(other);
  });
});
