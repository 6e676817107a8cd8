import type { McaEvent, SyncReport } from '@mca/core';
import { addConnection, createRegistry, syncHistory } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import {
  type FakeClock,
  type FakePlay,
  type FakeProviderOptions,
  FakeService,
  type FakeServiceOptions,
  fakeClock,
  fakeProvider,
  seededRandom,
} from '@mca/core/testing';

export const START = Date.UTC(2026, 0, 5);
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** Bytes that are the same for the same seed. */
export function seededBytes(seed: number): { bytes(length: number): Uint8Array<ArrayBuffer> } {
  const random = seededRandom(seed);
  return { bytes: (length) => Uint8Array.from({ length }, () => Math.floor(random() * 256)) };
}

/** A registry with one connection to a fake service, all of it on a fake clock. */
export async function liveSetup(
  options: {
    readonly provider?: Omit<FakeProviderOptions, 'baseUrl' | 'id'>;
    readonly service?: Omit<FakeServiceOptions, 'now'>;
    readonly seed?: number;
    readonly time?: FakeClock;
    readonly adapter?: ReturnType<typeof memory>;
  } = {},
) {
  const time = options.time ?? fakeClock(START);
  const service = new FakeService({ now: () => time.clock.now(), ...options.service });
  const events: McaEvent[] = [];
  const registry = createRegistry({
    providers: [fakeProvider({ baseUrl: 'https://service.test/v1', ...options.provider })],
    ...(options.adapter ?? memory({ clock: time.clock })),
    insecurePlaintextForTests: true,
    env: { clock: time.clock, timers: time.timers, fetch: service.fetch, random: seededBytes(options.seed ?? 1) },
    onEvent: (event) => events.push(event),
  });
  const connection = await time.until(
    addConnection(registry, { userId: 'ada', provider: 'fake', credentials: { fields: { token: 'canary-token' } } }),
  );
  // What connecting asked of the service is not what tests count.
  service.ledger.length = 0;
  const sync = (more: Omit<Parameters<typeof syncHistory>[1], 'userId' | 'provider'> = {}): Promise<SyncReport> =>
    time.until(syncHistory(registry, { userId: 'ada', provider: 'fake', ...more }));
  return { time, service, registry, connection, events, sync };
}

/** Plays an hour apart, the newest an hour before `before`. */
export function playsBefore(before: number, count: number, name = 'song'): FakePlay[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${name}-${index}`,
    playedAt: before - (count - index) * HOUR,
    title: `${name} ${index}`,
    artist: 'Somebody',
  }));
}

/** Titles of everything stored for `ada`, oldest first. */
export async function storedTitles(registry: Awaited<ReturnType<typeof liveSetup>>['registry']): Promise<string[]> {
  const items = await registry.storage.queryItems({ userId: 'ada', order: 'oldest', limit: 100_000 });
  return items.map(({ title }) => title);
}
