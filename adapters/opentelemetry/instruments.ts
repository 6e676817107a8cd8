import type { Counter, Histogram, Meter } from './meter.ts';

/** Of requests, in seconds: the boundaries that OpenTelemetry recommends for HTTP. */
const REQUEST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60];
/** Of syncs and imports, in seconds. */
const WORK_SECONDS = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600];

/** Everything that is counted as it happens. */
export interface Instruments {
  readonly requests: Histogram;
  readonly waits: Histogram;
  readonly syncs: Histogram;
  readonly imports: Histogram;
  readonly syncItems: Counter;
  readonly stuckSyncs: Counter;
  readonly importItems: Counter;
  readonly refreshes: Counter;
  readonly openCircuits: Counter;
  readonly gaps: Counter;
  readonly removedUpstream: Counter;
  readonly reauths: Counter;
  readonly reauthsDue: Counter;
  readonly missingScopes: Counter;
  readonly connections: Counter;
  readonly clockSkews: Counter;
  readonly hookFailures: Counter;
}

/** Makes all of them, so that they are there before the first event. */
export function makeInstruments(meter: Meter): Instruments {
  const seconds = (name: string, description: string, explicitBucketBoundaries: number[]): Histogram =>
    meter.createHistogram(name, { description, unit: 's', advice: { explicitBucketBoundaries } });
  const count = (name: string, unit: string, description: string): Counter =>
    meter.createCounter(name, { description, unit });
  return {
    requests: seconds('mca.request.duration', 'Requests to services, each attempt', REQUEST_SECONDS),
    waits: seconds('mca.request.wait.duration', 'Waits before a request is sent', REQUEST_SECONDS),
    syncs: seconds('mca.sync.duration', 'Syncs of a capability', WORK_SECONDS),
    imports: seconds('mca.import.duration', 'Imports of files', WORK_SECONDS),
    syncItems: count('mca.sync.items', '{item}', 'Records that syncs met, by where they went'),
    stuckSyncs: count('mca.sync.stuck', '{sync}', 'Syncs that failed so often that somebody should look'),
    importItems: count('mca.import.items', '{item}', 'Records that imports met, by where they went'),
    refreshes: count('mca.token.refreshes', '{refresh}', 'Refreshes of tokens'),
    openCircuits: meter.createUpDownCounter('mca.circuit.open', {
      description: 'Hosts that are left alone because they failed',
      unit: '{host}',
    }),
    removedUpstream: count('mca.items.removed_upstream', '{item}', 'Stored items that a service no longer has'),
    gaps: count('mca.coverage.gaps', '{gap}', 'Stretches that a service no longer tells of'),
    reauths: count('mca.reauth.required', '{connection}', 'Connections that only their user can bring back'),
    reauthsDue: count('mca.reauth.due', '{notice}', 'Notices that the consent of a user will end'),
    missingScopes: count('mca.scopes.missing', '{sync}', 'Syncs refused for what the user did not grant'),
    connections: count('mca.connection.changes', '{connection}', 'Accounts connected, connected again and let go'),
    clockSkews: count('mca.clock.skews', '{observation}', 'Clocks of services that differ by more than a minute'),
    hookFailures: count('mca.hook.failures', '{failure}', 'Hooks of the host that threw'),
  };
}
