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
  /** Notes one value. */
  record(value: number, attributes: Attributes): void;
}

/** Of `@opentelemetry/api`. */
export interface Counter {
  /** Adds to the sum. */
  add(value: number, attributes: Attributes): void;
}

/** What is used of a meter of `@opentelemetry/api` 1.3 or newer: `metrics.getMeter('@mca/core')`. */
export interface Meter {
  /** Of values that are spread. */
  createHistogram(name: string, options: InstrumentOptions): Histogram;
  /** Of what only grows. */
  createCounter(name: string, options: InstrumentOptions): Counter;
  /** Of what grows and shrinks. */
  createUpDownCounter(name: string, options: InstrumentOptions): Counter;
  /** Of what is looked up. */
  createObservableGauge(name: string, options: InstrumentOptions): unknown;
  /** Asks `callback` at each collection. */
  addBatchObservableCallback(callback: ObserveAll, observables: never[]): void;
  /** Asks it no more. */
  removeBatchObservableCallback(callback: ObserveAll, observables: never[]): void;
}

/** Asked at each collection. */
export type ObserveAll = (result: Observed) => Promise<void>;

/** Of `@opentelemetry/api`. */
export interface Observed {
  /** Tells the value of a gauge. */
  observe(gauge: never, value: number, attributes?: Attributes): void;
}
