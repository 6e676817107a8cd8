import {
  addConnection,
  checkHealth,
  createRegistry,
  type HealthReport,
  importFile,
  type McaEvent,
  syncHistory,
} from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { openTelemetry } from '@mca/core/adapters/opentelemetry';
import { netflix } from '@mca/core/providers/netflix';
import { FakeService, fakeClock, fakeProvider } from '@mca/core/testing';
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { afterEach, describe, expect, test } from 'vitest';
import { HOUR, playsBefore, START, seededBytes } from '../../test/support/live-setup.ts';

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const undo of cleanUp.splice(0)) await undo();
});

/** The real SDK, of which everything can be read that it would send. */
function telemetrySdk(temporality = AggregationTemporality.CUMULATIVE) {
  const exporter = new InMemoryMetricExporter(temporality);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  cleanUp.push(() => provider.shutdown());
  return {
    meter: provider.getMeter('@mca/core'),
    /** All points by name of their metric: attributes and value, or number and sum of what a histogram took. */
    async read() {
      exporter.reset();
      await reader.forceFlush();
      const metrics = exporter
        .getMetrics()
        .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
      const points = metrics.map((metric) => [
        metric.descriptor.name,
        metric.dataPointType === DataPointType.HISTOGRAM
          ? metric.dataPoints.map(({ attributes, value }) => ({ ...attributes, count: value.count, sum: value.sum }))
          : metric.dataPoints.map(({ attributes, value }) => ({ ...attributes, value })),
      ]);
      return Object.fromEntries(points) as Record<string, Record<string, unknown>[]>;
    },
  };
}

/** A registry that is measured, with one connection to a fake service. */
async function measured(temporality?: AggregationTemporality) {
  const sdk = telemetrySdk(temporality);
  const time = fakeClock(START);
  const service = new FakeService({ now: () => time.clock.now(), maxLimit: 10 });
  const events: McaEvent[] = [];
  const health = (): Promise<HealthReport> => checkHealth(registry);
  const telemetry = openTelemetry({ meter: sdk.meter, health });
  const registry = createRegistry({
    providers: [fakeProvider({ baseUrl: 'https://service.test/v1' }), netflix()],
    ...memory({ clock: time.clock }),
    insecurePlaintextForTests: true,
    env: { clock: time.clock, timers: time.timers, fetch: service.fetch, random: seededBytes(1) },
    onEvent(event) {
      events.push(event);
      telemetry.onEvent(event);
    },
  });
  const connection = await time.until(
    addConnection(registry, { userId: 'ada', provider: 'fake', credentials: { fields: { token: 'canary-token' } } }),
  );
  return { ...sdk, time, service, events, telemetry, registry, connection };
}

describe('openTelemetry', () => {
  test('measures what a sync reports', async () => {
    const { read, time, service, events, registry } = await measured();
    service.add('ada', ...playsBefore(START, 25));
    const first = await time.until(syncHistory(registry, { userId: 'ada', provider: 'fake' }));
    await time.advance(HOUR);
    service.failNext(new Response('{}', { status: 503 }));
    service.add('ada', ...playsBefore(START + HOUR, 1, 'new'));
    const second = await time.until(syncHistory(registry, { userId: 'ada', provider: 'fake' }));
    expect([first.status, second.status]).toEqual(['complete', 'complete']);
    const points = await read();

    const at = { 'mca.provider': 'fake', 'mca.capability': 'history' };
    const results = (['inserted', 'unchanged', 'skipped'] as const).map((result) => ({
      ...at,
      'mca.result': result,
      value: first.counts[result] + second.counts[result],
    }));
    expect(first.counts.inserted + second.counts.inserted).toBe(26);
    expect(points['mca.sync.items']).toEqual(results.filter(({ value }) => value > 0));
    expect(points['mca.sync.duration']).toEqual([
      { ...at, 'mca.status': 'complete', count: 2, sum: expect.any(Number) },
    ]);

    const requests = events.filter((event) => event.type === 'request');
    const failed = requests.filter(({ error }) => error);
    expect(failed).toHaveLength(1);
    expect(points['mca.request.duration']).toEqual([
      {
        'mca.provider': 'fake',
        'http.response.status_code': 200,
        count: requests.length - 1,
        sum: expect.any(Number),
      },
      {
        'mca.provider': 'fake',
        'http.response.status_code': 503,
        'error.type': 'upstream',
        count: 1,
        sum: expect.any(Number),
      },
    ]);
    expect(points['mca.request.wait.duration']).toEqual([
      { 'mca.provider': 'fake', 'mca.wait.cause': 'retry', count: 1, sum: expect.any(Number) },
    ]);
    const waited = events.flatMap((event) => (event.type === 'request_waiting' ? event.waitMs : []));
    expect(points['mca.request.wait.duration']?.[0]?.sum).toBeCloseTo((waited[0] ?? 0) / 1_000);
    expect(points['mca.connection.changes']).toEqual([{ 'mca.provider': 'fake', 'mca.change': 'connected', value: 1 }]);
  });

  test('measures imports; of a dry run nothing went anywhere', async () => {
    const { read, registry } = await measured();
    const file = { name: 'NetflixViewingHistory.csv', text: 'Title,Date\n"A film","1/31/24"\n"Another","1/30/24"\n' };
    const given = { userId: 'ada', provider: 'netflix', file: new File([file.text], file.name) } as const;
    const options = { dateOrder: 'MDY' } as const;
    const dry = await importFile(registry, { ...given, options, dryRun: true });
    const report = await importFile(registry, { ...given, options });
    expect([dry.counts.inserted, report.counts.inserted]).toEqual([2, 2]);
    const points = await read();
    expect(points['mca.import.items']).toEqual([{ 'mca.provider': 'netflix', 'mca.result': 'inserted', value: 2 }]);
    expect(points['mca.import.duration']).toEqual(
      [true, false].map((isDry) => ({
        'mca.provider': 'netflix',
        'mca.status': 'complete',
        'mca.import.dry_run': isDry,
        count: 1,
        sum: expect.any(Number),
      })),
    );
  });

  test('asks at each collection what waits, and what is down', async () => {
    // With the other temporality the SDK tells old values again where there is no new one.
    const { read, time, registry, telemetry } = await measured(AggregationTemporality.DELTA);
    await time.advance(2 * HOUR);
    const points = await time.until(read());
    expect(points['mca.backlog.due']).toEqual([{ value: 1 }]);
    expect(points['mca.backlog.oldest']).toEqual([{ value: 7_200 }]);
    expect(points['mca.backlog.running']).toEqual([{ value: 0 }]);
    expect(points['mca.up']).toEqual([
      { 'mca.part': 'storage', value: 1 },
      { 'mca.part': 'credentials', value: 1 },
    ]);
    const { readBacklog, readSchedules } = registry.storage;
    const away = () => Promise.reject(new Error('away'));
    Object.assign(registry.storage, { readBacklog: away, readSchedules: away });
    const later = await time.until(read());
    expect(later['mca.up']).toContainEqual({ 'mca.part': 'storage', value: 0 });
    expect(later['mca.backlog.due'] ?? []).toEqual([]);
    Object.assign(registry.storage, { readBacklog, readSchedules });
    telemetry.stop();
    expect((await time.until(read()))['mca.up'] ?? []).toEqual([]);
  });

  test('knows of every event but progress, and tells of nobody', async () => {
    const { meter, read } = telemetrySdk();
    const { onEvent, stop } = openTelemetry({ meter });
    const who = { provider: 'fake', connectionId: 'canary-connection', userId: 'canary-user' };
    const counts = { read: 15, inserted: 1, updated: 2, unchanged: 3, skipped: 4, rejected: 5 };
    const error = { code: 'partial_sync', reason: 'canary' } as const;
    const importing = { ...who, importId: 'canary-import', counts, bytesRead: 1, recordsPerSecond: 1 };
    const host = { provider: 'fake', host: 'canary.host' };
    const at = { ...who, capability: 'library' };
    const all: Record<McaEvent['type'], McaEvent> = {
      request: {
        type: 'request',
        ...who,
        ...host,
        operation: 'canary',
        method: 'GET',
        attempt: 1,
        durationMs: 1_500,
        bytes: 9,
        error: { code: 'upstream', reason: 'canary' },
      },
      request_waiting: { type: 'request_waiting', ...who, cause: 'limit', waitMs: 250 },
      circuit_opened: { type: 'circuit_opened', ...host },
      circuit_closed: { type: 'circuit_closed', ...host },
      clock_skew: { type: 'clock_skew', ...host, skewMs: 61_000 },
      connected: { type: 'connected', ...who, missingScopes: ['canary'] },
      reconnected: { type: 'reconnected', ...who, missingScopes: [] },
      disconnected: { type: 'disconnected', ...who, missingScopes: [] },
      token_refreshed: { type: 'token_refreshed', ...who },
      refresh_failed: { type: 'refresh_failed', ...who, code: 'upstream', retryAt: 1 },
      reauth_required: { type: 'reauth_required', ...who, reason: 'revoked' },
      reauth_due: { type: 'reauth_due', ...who, authorizationExpiresAt: new Date(0), daysLeft: 14 },
      scopes_missing: { type: 'scopes_missing', ...at, missing: ['canary'] },
      sync_progress: { type: 'sync_progress', ...at, counts, pages: 1, walk: 'recent' },
      sync_finished: { type: 'sync_finished', ...at, status: 'partial', counts, durationMs: 2_000, error },
      sync_stuck: { type: 'sync_stuck', ...at, error },
      coverage_gap: { type: 'coverage_gap', ...at, from: new Date(0), to: new Date(1) },
      items_removed_upstream: { type: 'items_removed_upstream', ...at, count: 7, kept: { not_asked: 7 } },
      import_progress: { type: 'import_progress', ...importing },
      import_finished: { type: 'import_finished', ...importing, dryRun: false, status: 'complete', durationMs: 3_000 },
      hook_failed: { type: 'hook_failed', hook: 'onItems', message: 'canary' },
    };
    for (const event of Object.values(all)) onEvent(event);
    onEvent(all.circuit_opened);
    const points = await read();
    expect(JSON.stringify(points)).not.toContain('canary');
    const by = { 'mca.provider': 'fake' };
    const inLibrary = { ...by, 'mca.capability': 'library' };
    const items = (of: object) =>
      (['inserted', 'updated', 'unchanged', 'skipped', 'rejected'] as const).map((result) => ({
        ...of,
        'mca.result': result,
        value: counts[result],
      }));
    expect(points).toEqual({
      'mca.request.duration': [{ ...by, 'error.type': 'upstream', count: 1, sum: 1.5 }],
      'mca.request.wait.duration': [{ ...by, 'mca.wait.cause': 'limit', count: 1, sum: 0.25 }],
      'mca.sync.duration': [{ ...inLibrary, 'mca.status': 'partial', 'error.type': 'partial_sync', count: 1, sum: 2 }],
      'mca.sync.items': items(inLibrary),
      'mca.sync.stuck': [{ ...inLibrary, 'error.type': 'partial_sync', value: 1 }],
      'mca.import.duration': [{ ...by, 'mca.status': 'complete', 'mca.import.dry_run': false, count: 1, sum: 3 }],
      'mca.import.items': items(by),
      'mca.token.refreshes': [
        { ...by, value: 1 },
        { ...by, 'error.type': 'upstream', value: 1 },
      ],
      // Opened, closed and opened again.
      'mca.circuit.open': [{ ...by, value: 1 }],
      'mca.coverage.gaps': [{ ...inLibrary, value: 1 }],
      'mca.items.removed_upstream': [{ ...inLibrary, value: 7 }],
      'mca.reauth.required': [{ ...by, 'mca.reason': 'revoked', value: 1 }],
      'mca.reauth.due': [{ ...by, 'mca.days_left': 14, value: 1 }],
      'mca.scopes.missing': [{ ...inLibrary, value: 1 }],
      'mca.connection.changes': (['connected', 'reconnected', 'disconnected'] as const).map((change) => ({
        ...by,
        'mca.change': change,
        value: 1,
      })),
      'mca.clock.skews': [{ ...by, value: 1 }],
      'mca.hook.failures': [{ 'mca.hook': 'onItems', value: 1 }],
    });
    stop();
  });
});
