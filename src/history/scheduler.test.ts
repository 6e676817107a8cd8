import { createRegistry, type Job, type JobEngine, type RunJob, startScheduler } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { fakeProvider } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { DAY, HOUR, liveSetup, playsBefore, START, storedTitles } from '../../test/support/live-setup.ts';

const MINUTE = 60_000;

/** A queue that keeps what it is given and runs it when told to. */
function engineOf(more: Partial<JobEngine> = {}) {
  const enqueued: Job[][] = [];
  const told: string[] = [];
  let run: RunJob | undefined;
  const engine: JobEngine = {
    apiVersion: 1,
    async start(given) {
      told.push('start');
      run = given;
    },
    async enqueue(jobs) {
      enqueued.push([...jobs]);
    },
    async stop() {
      told.push('stop');
    },
    ...more,
  };
  const runAll = (signal = new AbortController().signal) =>
    Promise.all(enqueued.flat().map((job) => run?.(job, signal)));
  return { engine, enqueued, told, runAll };
}

describe('startScheduler without a queue', () => {
  test('syncs what is due in each round, and tells whose consent will end', async () => {
    const { registry, connection, service, time, events } = await liveSetup();
    service.add('ada', ...playsBefore(START, 3));
    await registry.storage.updateConnection(connection.id, { authorizationExpiresAt: new Date(START + 5 * DAY) });
    const scheduler = startScheduler(registry, { everyMs: MINUTE });
    await time.advance(1);
    expect(await storedTitles(registry)).toHaveLength(3);
    expect(events.filter(({ type }) => type === 'reauth_due')).toHaveLength(1);
    service.add('ada', ...playsBefore(START + 2 * HOUR, 1, 'new'));
    await time.advance(HOUR / 2);
    expect(await storedTitles(registry)).toHaveLength(3);
    await time.advance(2 * HOUR);
    expect(await storedTitles(registry)).toHaveLength(4);
    await time.until(scheduler.stop());
    const asked = service.ledger.length;
    await time.advance(DAY);
    expect(service.ledger).toHaveLength(asked);
  });

  test('a store that is down is logged and asked again', async () => {
    const { registry, service, time } = await liveSetup();
    service.add('ada', ...playsBefore(START, 3));
    const { storage } = registry;
    let isDown = true;
    const lines: unknown[] = [];
    const failing = createRegistry({
      providers: [fakeProvider({ baseUrl: 'https://service.test/v1' })],
      storage: {
        ...storage,
        claimDueConnections: (request) =>
          isDown ? Promise.reject(new Error('down')) : storage.claimDueConnections(request),
      },
      credentials: memory().credentials,
      insecurePlaintextForTests: true,
      env: { ...registry.env, logger: { ...registry.env.logger, error: (...line) => lines.push(line) } },
    });
    const scheduler = startScheduler(failing, { everyMs: MINUTE });
    await time.advance(1.5 * MINUTE);
    expect(lines).toEqual(Array.from({ length: 2 }, () => ['could not look for due syncs', { message: 'down' }]));
    isDown = false;
    await time.advance(MINUTE);
    expect(lines).toHaveLength(2);
    await time.until(scheduler.stop());
  });

  test('an interval that is none is refused', async () => {
    const { registry } = await liveSetup();
    for (const everyMs of [0, -1, Number.NaN, 2 ** 31]) {
      expect(() => startScheduler(registry, { everyMs })).toThrow(
        expect.objectContaining({ code: 'invalid_data', reason: 'invalid_interval' }),
      );
    }
  });
});

describe('startScheduler with a queue', () => {
  test('hands over what is due, and the queue does it', async () => {
    const { registry, connection, service, time } = await liveSetup();
    service.add('ada', ...playsBefore(START, 3));
    const { engine, enqueued, told, runAll } = engineOf();
    const scheduler = startScheduler(registry, { everyMs: MINUTE, engine });
    await time.advance(1);
    const key = `sync:${connection.id}:history`;
    expect(enqueued).toEqual([[{ name: 'sync', key, connectionId: connection.id, capability: 'history' }]]);
    expect(service.ledger).toEqual([]);
    expect(await time.until(runAll())).toEqual([{ type: 'done' }]);
    expect(await storedTitles(registry)).toHaveLength(3);
    await time.advance(HOUR / 2);
    expect(enqueued).toHaveLength(1);
    await time.until(scheduler.stop());
    expect(told).toEqual(['start', 'stop']);
  });

  test('of many machines one hands over at a time', async () => {
    const { registry, time } = await liveSetup();
    const engines = [engineOf(), engineOf(), engineOf()];
    const schedulers = engines.map(({ engine }) => startScheduler(registry, { everyMs: MINUTE, engine }));
    await time.advance(10 * MINUTE - 1);
    expect(engines.flatMap(({ enqueued }) => enqueued)).toHaveLength(10);
    await time.until(Promise.all(schedulers.map((scheduler) => scheduler.stop())));
  });

  test('a machine that looks seldom, or died, does not keep others from handing over', async () => {
    const { registry, time } = await liveSetup();
    const [seldom, often] = [engineOf(), engineOf()];
    const schedulers = [
      startScheduler(registry, { everyMs: HOUR, engine: seldom.engine }),
      startScheduler(registry, { everyMs: 10_000, engine: often.engine }),
    ];
    await time.advance(10 * MINUTE);
    expect(often.enqueued.length).toBeGreaterThan(50);
    await time.until(Promise.all(schedulers.map((scheduler) => scheduler.stop())));
  });

  test('machines with other providers hand over what is theirs', async () => {
    const { registry, time } = await liveSetup();
    const other = createRegistry({
      providers: [fakeProvider({ id: 'video', baseUrl: 'https://video.test/v1' })],
      storage: registry.storage,
      credentials: memory().credentials,
      insecurePlaintextForTests: true,
      env: registry.env,
    });
    const made = { id: 'v', userId: 'ada', provider: 'video', kind: 'api', account: '' } as const;
    await other.ready();
    await other.storage.ensureConnection(made);
    await other.storage.putSchedule({
      connectionId: 'v',
      capability: 'history',
      dueAt: 0,
      blocked: false,
      failures: 0,
    });
    const [music, video] = [engineOf(), engineOf()];
    const schedulers = [
      startScheduler(registry, { everyMs: MINUTE, engine: music.engine }),
      startScheduler(other, { everyMs: MINUTE, engine: video.engine }),
    ];
    await time.advance(5 * MINUTE);
    expect(new Set(video.enqueued.flat().map(({ connectionId }) => connectionId))).toEqual(new Set(['v']));
    expect(music.enqueued.flat().map(({ connectionId }) => connectionId)).not.toContain('v');
    await time.until(Promise.all(schedulers.map((scheduler) => scheduler.stop())));
  });

  test.each([
    ['does not start', { start: () => new Promise<void>(() => {}) }],
    ['does not stop', { stop: () => new Promise<void>(() => {}) }],
    ['fails to stop', { stop: () => Promise.reject(new Error('gone')) }],
  ] as const)('a queue that %s does not keep the host from stopping', async (_, broken) => {
    const { registry, time } = await liveSetup();
    const scheduler = startScheduler(registry, { everyMs: MINUTE, engine: engineOf(broken).engine });
    await time.advance(MINUTE);
    const stoppedAt = time.clock.now();
    await time.until(scheduler.stop());
    expect(time.clock.now() - stoppedAt).toBeLessThanOrEqual(20_000);
  });

  test('stopping ends what the queue runs between two pages', async () => {
    const { registry, service, time } = await liveSetup({ service: { maxLimit: 1 } });
    service.add('ada', ...playsBefore(START, 50));
    const { engine, runAll } = engineOf();
    const scheduler = startScheduler(registry, { everyMs: MINUTE, engine });
    await time.advance(1);
    service.intercept = () => {
      if (service.ledger.length === 5) void scheduler.stop();
      return undefined;
    };
    expect(await time.until(runAll())).toMatchObject([{ type: 'snooze' }]);
    expect((await storedTitles(registry)).length).toBeLessThan(10);
  });

  test('a job that fails for reasons of ours is logged, and left to the queue', async () => {
    const { registry, connection, time } = await liveSetup();
    const lines: unknown[] = [];
    const error = (...line: unknown[]) => void lines.push(line);
    const { engine, runAll } = engineOf();
    const { storage } = registry;
    const failing = createRegistry({
      providers: [fakeProvider({ baseUrl: 'https://service.test/v1' })],
      storage: { ...storage, readSchedules: () => Promise.reject(new Error('down')) },
      credentials: memory().credentials,
      insecurePlaintextForTests: true,
      env: { ...registry.env, logger: { ...registry.env.logger, error } },
    });
    const scheduler = startScheduler(failing, { everyMs: MINUTE, engine });
    await time.advance(1);
    await expect(time.until(runAll())).rejects.toThrow('down');
    expect(lines).toEqual([['a job failed', { job: `sync:${connection.id}:history`, message: 'down' }]]);
    await time.until(scheduler.stop());
  });

  test('a queue that does not start is tried again', async () => {
    const { registry, time } = await liveSetup();
    let tries = 0;
    const { engine, enqueued } = engineOf({
      async start() {
        tries += 1;
        if (tries < 3) throw new Error('no queue');
      },
    });
    const scheduler = startScheduler(registry, { everyMs: MINUTE, engine });
    await time.advance(5 * MINUTE);
    expect(tries).toBe(3);
    expect(enqueued.length).toBeGreaterThan(0);
    await time.until(scheduler.stop());
  });
});
