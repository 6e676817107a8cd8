import { createRegistry, type Job, type JobOutcome, McaError, runJob, type SyncReport } from '@mca/core';
import { describe, expect, test } from 'vitest';
import { DAY, HOUR, liveSetup, playsBefore, START, storedTitles } from '../../test/support/live-setup.ts';
import { recordFigure } from '../../test/support/reliability.ts';
import { dueJobs } from './jobs.ts';

const HISTORY = { name: 'sync', capability: 'history' } as const;
const outage = () => new Response('', { status: 503 });

async function setup() {
  const rig = await liveSetup({ service: { maxLimit: 50 } });
  rig.service.add('ada', ...playsBefore(START, 120));
  const connectionId = rig.connection.id;
  const job: Job = { ...HISTORY, key: `sync:${connectionId}:history`, connectionId };
  const run = (options?: Parameters<typeof runJob>[2]) => rig.time.until(runJob(rig.registry, job, options));
  return { ...rig, job, run, list: () => dueJobs(rig.registry) };
}

describe('dueJobs', () => {
  test('lists syncs whose turn has come, and takes nothing', async () => {
    const { list, job, run, time } = await setup();
    expect(await list()).toEqual([job]);
    expect(await list()).toEqual([job]);
    expect(await run()).toEqual({ type: 'done' });
    expect(await list()).toEqual([]);
    await time.advance(HOUR);
    expect(await list()).toEqual([job]);
    expect(JSON.parse(JSON.stringify(job))).toEqual(job);
  });

  test('is cut at its limit', async () => {
    const { registry } = await setup();
    expect(await dueJobs(registry, { limit: 0 })).toEqual([]);
  });

  test('lists whom to warn that a consent will end: 14 and 3 days before, each until it was told', async () => {
    const { registry, connection, list, events, time } = await setup();
    const notice: Job = {
      name: 'reauth-notice',
      key: `reauth-notice:${connection.id}`,
      connectionId: connection.id,
    };
    const notices = async () => (await list()).filter(({ name }) => name === 'reauth-notice');
    await registry.storage.updateConnection(connection.id, { authorizationExpiresAt: new Date(START + 20 * DAY) });
    expect(await notices()).toEqual([]);
    await time.advance(6 * DAY);
    for (const daysLeft of [14, 3]) {
      expect(await notices()).toEqual([notice]);
      expect(await runJob(registry, notice)).toEqual({ type: 'done' });
      expect(events.at(-1)).toMatchObject({ type: 'reauth_due', connectionId: connection.id, daysLeft });
      expect(await notices()).toEqual([]);
      await time.advance(11 * DAY);
    }
  });
});

describe('runJob', () => {
  test('syncs, and tells the report', async () => {
    const { run, registry } = await setup();
    const reports: SyncReport[] = [];
    await run({ onReport: (report) => reports.push(report) });
    expect(reports).toMatchObject([{ status: 'complete', counts: { inserted: 120 } }]);
    expect(await storedTitles(registry)).toHaveLength(120);
  });

  test('what is not due waits until it is', async () => {
    const { run, service, time } = await setup();
    await run();
    const asked = service.ledger.length;
    await time.advance(HOUR / 2);
    expect(await run()).toEqual({ type: 'snooze', notBefore: expect.any(Number) });
    expect(service.ledger).toHaveLength(asked);
  });

  test('a long history is snoozed to the end of the line between its pages', async () => {
    const { run, time } = await setup();
    expect(await run({ maxPagesPerSync: 1 })).toEqual({ type: 'snooze', notBefore: time.clock.now() });
  });

  test('a rate limit is a snooze until the service may be asked again, and no failure', async () => {
    const { run, service, registry, connection, time } = await setup();
    service.failNext(new Response('', { status: 429, headers: { 'retry-after': '7200' } }));
    const outcome = await run();
    expect(outcome).toEqual({ type: 'snooze', notBefore: time.clock.now() + 2 * HOUR });
    expect(await registry.storage.readSchedules(connection.id)).toMatchObject([{ blocked: true, failures: 0 }]);
    const asked = service.ledger.length;
    await time.advance(HOUR);
    expect(await run()).toEqual(outcome);
    expect(service.ledger).toHaveLength(asked);
    await time.advance(HOUR);
    expect(await run()).toEqual({ type: 'done' });
  });

  test('R-084 twelve failures in a row are a dead letter with the last error, told once; it is tried once a day then', async () => {
    const { run, service, time, events, registry, connection } = await setup();
    service.intercept = outage;
    const startedAt = time.clock.now();
    const outcomes: JobOutcome[] = [];
    let triesAfter = 0;
    while (time.clock.now() < startedAt + 7 * DAY) {
      const outcome = await run();
      outcomes.push(outcome);
      if (outcomes.some(({ type }) => type === 'dead')) triesAfter += 1;
      const [schedule] = await registry.storage.readSchedules(connection.id);
      await time.advance((schedule?.dueAt ?? 0) - time.clock.now());
    }
    const dead = outcomes.findIndex(({ type }) => type === 'dead');
    expect(dead).toBe(11);
    expect(outcomes[dead]).toEqual({ type: 'dead', message: expect.stringMatching(/\w/) });
    expect(outcomes.filter(({ type }) => type === 'dead')).toHaveLength(1);
    expect(events.filter(({ type }) => type === 'sync_stuck')).toEqual([
      {
        type: 'sync_stuck',
        provider: 'fake',
        connectionId: connection.id,
        userId: 'ada',
        capability: 'history',
        error: { code: 'upstream', reason: expect.anything() },
      },
    ]);
    expect(triesAfter).toBeLessThanOrEqual(15);
    const log = await registry.storage.listSyncLog({ connectionId: connection.id, limit: 100 });
    const twelfth = log.at(-12)?.finishedAt.getTime() ?? 0;
    const hours = Math.round((twelfth - startedAt) / HOUR);
    service.intercept = undefined;
    expect(await run()).toEqual({ type: 'done' });
    recordFigure(
      'R-084',
      `12 tries in ${hours} h, then a dead letter and one try a day; the first that succeeds ends it`,
    );
  });

  test('a job of a connection that is gone is done', async () => {
    const { registry, job } = await setup();
    expect(await runJob(registry, { ...job, connectionId: 'nobody' })).toEqual({ type: 'done' });
  });

  test('of a capability that nobody has the turn is moved by a day, so that it takes no place of others', async () => {
    const { registry, job, list, time } = await setup();
    const gone = { connectionId: job.connectionId, capability: 'ratings', blocked: false, failures: 3 };
    await registry.storage.putSchedule({ ...gone, dueAt: 0 });
    expect((await dueJobs(registry, { limit: 1 }))[0]?.capability).toBe('ratings');
    expect(await runJob(registry, { ...job, capability: 'ratings' })).toEqual({ type: 'done' });
    expect(await list()).toEqual([job]);
    await time.advance(DAY + 1);
    expect((await list()).map(({ capability }) => capability).sort()).toEqual(['history', 'ratings']);
  });

  test('a job of a provider that this process does not have is refused, so that another one gets it', async () => {
    const { registry, job, connection } = await setup();
    const other = createRegistry({
      providers: [],
      storage: registry.storage,
      env: registry.env,
    });
    await expect(runJob(other, job)).rejects.toMatchObject({ code: 'configuration', reason: 'foreign_job' });
    expect(await registry.storage.readSchedules(connection.id)).toMatchObject([{ failures: 0 }]);
  });

  test('what cannot be synced now is done, whatever failed before: nobody runs it in a circle', async () => {
    const { registry, job, run, service, connection } = await setup();
    service.failNext(outage(), outage(), outage());
    expect(await run()).toEqual({ type: 'done' });
    await registry.storage.putSchedule({
      connectionId: job.connectionId,
      capability: 'history',
      dueAt: 0,
      blocked: false,
      failures: 4,
    });
    for (const status of ['needs_reauth', 'disabled', 'disconnected'] as const) {
      await registry.storage.updateConnection(connection.id, { status });
      expect(await run()).toEqual({ type: 'done' });
    }
    await registry.storage.updateConnection(connection.id, { status: 'active' });
    const resource = job.key;
    await registry.storage.acquireLease({ resource, owner: 'somebody', ttlMs: HOUR });
    expect(await run()).toEqual({ type: 'done' });
  });

  test('a job of another release is refused', async () => {
    const { registry, job } = await setup();
    const error = await runJob(registry, { ...job, name: 'enrich' as never }).catch((thrown: unknown) => thrown);
    expect(McaError.isInstance(error)).toBe(true);
    expect(error).toMatchObject({ code: 'invalid_data', reason: 'unknown_job' });
  });

  test('two runs of one job at once: one syncs, the other has nothing to do', async () => {
    const { registry, job, time } = await setup();
    const statuses: string[] = [];
    const onReport = ({ status, reason }: SyncReport) => void statuses.push(reason ?? status);
    const run = () => runJob(registry, job, { onReport });
    expect(await time.until(Promise.all([run(), run()]))).toEqual([{ type: 'done' }, { type: 'done' }]);
    expect(statuses.sort()).toEqual(['already_running', 'complete']);
    expect(await storedTitles(registry)).toHaveLength(120);
  });

  test('its signal ends a sync between two pages', async () => {
    const { run, registry, time } = await setup();
    const stopping = AbortSignal.abort();
    const reports: SyncReport[] = [];
    expect(await run({ signal: stopping, onReport: (report) => reports.push(report) })).toEqual({
      type: 'snooze',
      notBefore: time.clock.now(),
    });
    expect(reports).toMatchObject([{ status: 'cancelled' }]);
    expect(await storedTitles(registry)).toEqual([]);
  });
});
