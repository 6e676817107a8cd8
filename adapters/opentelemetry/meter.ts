/** Attributes of a measurement. Never a user, a connection or a host. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** What is measured, for {@link Meter}. */
export interface InstrumentOptions {
  readonly description: string;
  readonly unit: string;
  readonly advice?: { explicitBucketBoundaries: number[] };
}

/** Of `@opentelemetry/api`. */
export interface Histogram {
  record(value: number, attributes: Attributes): void;
}

/** Of `@opentelemetry/api`. */
export interface Counter {
  add(value: number, attributes: Attributes): void;
}

/** What is used of a meter of `@opentelemetry/api` 1.3 or newer: `metrics.getMeter('@mca/core')`. */
export interface Meter {
  createHistogram(name: string, options: InstrumentOptions): Histogram;
  createCounter(name: string, options: InstrumentOptions): Counter;
  createUpDownCounter(name: string, options: InstrumentOptions): Counter;
  createObservableGauge(name: string, options: InstrumentOptions): unknown;
  addBatchObservableCallback(callback: ObserveAll, observables: never[]): void;
  removeBatchObservableCallback(callback: ObserveAll, observables: never[]): void;
}

/** Asked at each collection. */
export type ObserveAll = (result: Observed) => Promise<void>;

/** Of `@opentelemetry/api`. */
export interface Observed {
  observe(gauge: never, value: number, attributes?: Attributes): void;
}
