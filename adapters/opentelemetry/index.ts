/** @module @mca/core/adapters/opentelemetry */

import type { HealthReport, McaEvent } from '@mca/core/adapter-kit';
import { makeInstruments } from './instruments.ts';
import type { Meter, ObserveAll } from './meter.ts';
import { record } from './record.ts';

export type { Attributes, Counter, Histogram, InstrumentOptions, Meter, ObserveAll, Observed } from './meter.ts';

/** Options of {@link openTelemetry}. */
export interface OpenTelemetryOptions {
  /** `metrics.getMeter('@mca/core')` of `@opentelemetry/api` 1.3 or newer. */
  readonly meter: Meter;
  /**
   * `() => checkHealth(registry)`: asked at each collection, for the gauges of what waits and of what is down. On one
   * machine is enough where several share a store. @default no such gauges
   */
  readonly health?: (() => Promise<HealthReport>) | undefined;
}

/** What {@link openTelemetry} gives. */
export interface OpenTelemetry {
  /** For `createRegistry({ onEvent })`. */
  readonly onEvent: (event: McaEvent) => void;
  /** Asks for health no more; call it before the registry's storage is closed. */
  stop(): void;
}

/**
 * Counts and times what a registry tells of, as metrics of OpenTelemetry. Attributes are provider, capability, status
 * and the like: never a user, a connection, a host or a title.
 *
 * @example
 * ```ts
 * import { checkHealth, createRegistry, type HealthReport } from '@mca/core';
 * import { memory } from '@mca/core/adapters/memory';
 * import { openTelemetry } from '@mca/core/adapters/opentelemetry';
 * import { metrics } from '@opentelemetry/api';
 *
 * const health = (): Promise<HealthReport> => checkHealth(registry);
 * const { onEvent } = openTelemetry({ meter: metrics.getMeter('@mca/core'), health });
 * const registry = createRegistry({ providers: [], ...memory(), onEvent });
 * ```
 */
export function openTelemetry({ meter, health }: OpenTelemetryOptions): OpenTelemetry {
  const instruments = makeInstruments(meter);
  const stop = health ? observe(meter, health) : () => {};
  return { onEvent: (event) => record(instruments, event), stop };
}

function observe(meter: Meter, health: () => Promise<HealthReport>): () => void {
  const gauge = (name: string, unit: string, description: string): never =>
    // To us a gauge is a token that goes back to where it came from.
    meter.createObservableGauge(name, { unit, description }) as never;
  const due = gauge('mca.backlog.due', '{sync}', 'Syncs that are due, of all machines');
  const oldest = gauge('mca.backlog.oldest', 's', 'How long the longest overdue sync has been due');
  const running = gauge('mca.backlog.running', '{sync}', 'Syncs under way, on all machines');
  const up = gauge('mca.up', '1', '1 while the storage, or the credential store with its key, works; else 0');

  const observeAll: ObserveAll = async (result) => {
    const { storage, credentials, backlog } = await health();
    result.observe(up, storage.ok ? 1 : 0, { 'mca.part': 'storage' });
    if (credentials) result.observe(up, credentials.ok ? 1 : 0, { 'mca.part': 'credentials' });
    // Not known is not nothing: a gauge that says 0 while the store is down would calm everybody.
    if (!backlog) return;
    result.observe(due, backlog.due);
    result.observe(oldest, backlog.oldestOverdueMs / 1_000);
    result.observe(running, backlog.running);
  };
  const gauges = [due, oldest, running, up];
  meter.addBatchObservableCallback(observeAll, gauges);
  return () => meter.removeBatchObservableCallback(observeAll, gauges);
}
