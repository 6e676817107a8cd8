import { readFileSync } from 'node:fs';
import { addConnection, checkHealth, createRegistry, keyRing, McaError, syncDue } from '@mca/core';
import type { Storage } from '@mca/core/adapter-kit';
import { memory } from '@mca/core/adapters/memory';
import { FakeService, fakeClock, fakeProvider } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { HOUR, liveSetup, playsBefore, START } from '../../test/support/live-setup.ts';

const KEYS = ['one', 'two'].map((name) => btoa(name.padEnd(32, '.')));

/** A registry over an adapter that may be broken, on a fake clock. */
function registryOver(adapter = memory(), key = KEYS[0]) {
  const time = fakeClock(START);
  const registry = createRegistry({
    providers: [fakeProvider({ baseUrl: 'https://service.test/v1' })],
    ...adapter,
    keys: keyRing({ primary: 'k1', keys: { k1: key } }),
    env: { clock: time.clock, timers: time.timers, fetch: new FakeService({ now: () => time.clock.now() }).fetch },
  });
  return { registry, time };
}

const broken = (verbs: Partial<Storage>): ReturnType<typeof memory> => {
  const { storage, credentials } = memory();
  return { storage: { ...storage, ...verbs }, credentials };
};

describe('checkHealth', () => {
  test('says that all is well, as plain data', async () => {
    const { registry, time, sync } = await liveSetup();
    const health = await time.until(checkHealth(registry));
    expect(health).toEqual({
      status: 'ok',
      reasons: [],
      version: JSON.parse(readFileSync('package.json', 'utf8')).version,
      storage: { ok: true },
      credentials: { ok: true },
      backlog: { due: 1, oldestOverdueMs: 0, running: 0 },
      circuits: [],
    });
    expect(JSON.parse(JSON.stringify(health))).toEqual(health);
    expect(time.pending).toBe(0);
    await sync();
    expect(await time.until(checkHealth(registry))).toMatchObject({ backlog: { due: 0 } });
  });

  test('counts what is overdue and what runs', async () => {
    const { registry, time, service } = await liveSetup({ service: { maxLimit: 1 } });
    service.add('ada', ...playsBefore(START, 3));
    await time.advance(2 * HOUR);
    expect((await time.until(checkHealth(registry))).backlog).toEqual({
      due: 1,
      oldestOverdueMs: 2 * HOUR,
      running: 0,
    });
    let during: ReturnType<typeof checkHealth> | undefined;
    const spied = createSpy(registry.storage, () => {
      during ??= checkHealth(registry);
    });
    Object.assign(registry.storage, spied);
    await time.until(syncDue(registry, { concurrency: 1 }));
    expect((await during)?.backlog).toMatchObject({ running: 1 });
  });

  test('a registry that only imports has no credentials to look at', async () => {
    const registry = createRegistry({ providers: [], ...memory() });
    const health = await checkHealth(registry);
    expect(health).toMatchObject({ status: 'ok', backlog: { due: 0, oldestOverdueMs: 0, running: 0 } });
    expect(health).not.toHaveProperty('credentials');
  });

  const failures: Readonly<Record<string, [unknown, object, string]>> = {
    'as adapters do': [
      new McaError({ code: 'storage', reason: 'busy', message: 'canary' }),
      { code: 'storage', reason: 'busy' },
      'storage:busy',
    ],
    'without a reason': [new McaError({ code: 'storage', message: 'canary' }), { code: 'storage' }, 'storage:storage'],
    'as drivers do': [
      new Error('connect ECONNREFUSED canary'),
      { code: 'storage', reason: 'failed' },
      'storage:failed',
    ],
  };
  test.for(Object.entries(failures))('a storage that fails %s is down', async ([, [error, named, reason]]) => {
    for (const fail of [() => Promise.reject(error), () => raise(error)]) {
      const { registry, time } = registryOver(broken({ readSchedules: fail, readBacklog: fail }));
      const health = await time.until(checkHealth(registry));
      expect(health).toMatchObject({ status: 'down', reasons: [reason], credentials: { ok: true } });
      expect(health.storage).toEqual({ ok: false, ...named });
      expect(health).not.toHaveProperty('backlog');
      expect(JSON.stringify(health)).not.toContain('canary');
    }
  });

  test('so is one that cannot be migrated, until it can', async () => {
    let isAway = true;
    const fail = new McaError({ code: 'storage', reason: 'away', message: 'Away.' });
    const { registry, time } = registryOver(broken({ migrate: async () => (isAway ? raise(fail) : undefined) }));
    expect(await time.until(checkHealth(registry))).toMatchObject({ status: 'down', reasons: ['storage:away'] });
    isAway = false;
    expect(await time.until(checkHealth(registry))).toMatchObject({ status: 'ok', reasons: [] });
  });

  test('what never answers is away after five seconds, all of it together, and nothing is left behind', async () => {
    const never = () => new Promise<never>(() => {});
    const { storage, credentials } = memory();
    const { registry, time } = registryOver({
      storage: { ...storage, readSchedules: never, readBacklog: never },
      credentials: { ...credentials, list: never },
    });
    const health = checkHealth(registry);
    await time.advance(4_999);
    expect(time.pending).toBe(3);
    expect(await time.until(health)).toMatchObject({
      status: 'down',
      reasons: ['storage:timeout', 'credentials:timeout'],
    });
    expect(time.clock.now() - START).toBe(5_000);
    expect(time.pending).toBe(0);
    await time.until(checkHealth(registry, { timeoutMs: 10 }));
    expect(time.clock.now() - START).toBe(5_010);
  });

  test('a backlog that takes too long to count degrades: nobody is restarted for having much to do', async () => {
    const { registry, time } = registryOver(broken({ readBacklog: () => new Promise(() => {}) }));
    const health = await time.until(checkHealth(registry));
    expect(health).toMatchObject({ status: 'degraded', reasons: ['backlog:timeout'], storage: { ok: true } });
    expect(health).not.toHaveProperty('backlog');
  });

  test('a signal ends it at once', async () => {
    const { registry, time } = registryOver(broken({ readBacklog: () => new Promise(() => {}) }));
    const controller = new AbortController();
    const health = checkHealth(registry, { signal: controller.signal });
    controller.abort();
    await expect(health).rejects.toMatchObject({ code: 'cancelled' });
    await expect(checkHealth(registry, { signal: controller.signal })).rejects.toMatchObject({ code: 'cancelled' });
    await time.advance(0);
    expect(time.pending).toBe(0);
  });

  test('a credential store that fails degrades: imports and reads go on', async () => {
    const { storage, credentials } = memory();
    const { registry, time } = registryOver({
      storage,
      credentials: { ...credentials, list: () => Promise.reject(new Error('canary')) },
    });
    expect(await time.until(checkHealth(registry))).toMatchObject({
      status: 'degraded',
      reasons: ['credentials:failed'],
      storage: { ok: true },
      credentials: { ok: false, code: 'storage', reason: 'failed' },
    });
  });

  test('a wrong key is found out by what it should open', async () => {
    const adapter = memory();
    const first = registryOver(adapter);
    // Nothing is stored yet: any key is as good as another.
    expect(await first.time.until(checkHealth(registryOver(adapter, KEYS[1]).registry))).toMatchObject({
      status: 'ok',
    });
    const { id } = await first.time.until(
      addConnection(first.registry, { userId: 'ada', provider: 'fake', credentials: { fields: { token: 'canary' } } }),
    );
    expect(await first.time.until(checkHealth(first.registry))).toMatchObject({ status: 'ok' });
    const second = registryOver(adapter, KEYS[1]);
    const health = await second.time.until(checkHealth(second.registry));
    expect(health).toMatchObject({ status: 'degraded', reasons: ['credentials:credential_tampered'] });
    expect(JSON.stringify(health)).not.toMatch(/canary|ada/);
    // Whose connection is gone cannot be opened by anybody.
    await adapter.storage.erase({ userId: 'ada' });
    await adapter.credentials.put(id, 'nobody’s', 1);
    expect(await second.time.until(checkHealth(second.registry))).toMatchObject({ status: 'ok' });
  });

  test('a key that is taken away is named', async () => {
    const adapter = memory();
    const { registry, time } = registryOver(adapter);
    await time.until(
      addConnection(registry, { userId: 'ada', provider: 'fake', credentials: { fields: { token: 'x' } } }),
    );
    const other = createRegistry({
      providers: registry.list(),
      ...adapter,
      keys: keyRing({ primary: 'k2', keys: { k2: KEYS[1] } }),
    });
    expect(await checkHealth(other)).toMatchObject({
      status: 'degraded',
      credentials: { ok: false, code: 'configuration', reason: 'key_unavailable' },
    });
  });

  test('a key provider that opens something else is found out', async () => {
    const keys = keyRing({ primary: 'k1', keys: { k1: KEYS[0] } });
    for (const unwrap of [async () => new Uint8Array(32), async () => new Uint8Array(0)]) {
      const registry = createRegistry({
        providers: [fakeProvider({ baseUrl: 'https://service.test/v1' })],
        ...memory(),
        keys: { ...keys, unwrap },
      });
      expect(await checkHealth(registry)).toMatchObject({
        status: 'degraded',
        credentials: { ok: false, code: 'configuration', reason: 'key_mismatch' },
      });
    }
  });

  test('services that are left alone are named, their hosts are not', async () => {
    const { registry, time, service, sync } = await liveSetup();
    for (let failures = 0; failures < 10; failures += 1) service.failNext('drop');
    await sync();
    await sync({});
    const health = await time.until(checkHealth(registry));
    expect(health).toMatchObject({
      status: 'degraded',
      reasons: ['circuit_open:fake'],
      circuits: [{ provider: 'fake', openHosts: 1 }],
    });
    expect(JSON.stringify(health)).not.toContain('service.test');
  });

  test('a registry that is closed is down', async () => {
    const { registry, time } = registryOver();
    await registry.close();
    expect(await time.until(checkHealth(registry))).toMatchObject({ status: 'down', reasons: ['closed'] });
  });
});

/** Tells of each page that is committed. */
function createSpy(storage: Storage, tell: () => void): Partial<Storage> {
  const { commitPage } = storage;
  return {
    commitPage(page) {
      tell();
      return commitPage(page);
    },
  };
}

function raise(error: unknown): never {
  throw error;
}
