// What limiters of many connections take. Arguments: connections, 'rate' or 'rate-and-concurrency'. Prints bytes each.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { fakeClock, fakeProvider } from '@mca/core/testing';
import { makeEnv } from '../../src/runtime/env.ts';
import { HttpState } from '../../src/runtime/http/state.ts';

/** Heap per limiter, in bytes. */
export interface LimiterMemory {
  readonly busyBytes: number;
  readonly idleBytes: number;
  /** After a minute of rest and one request of another connection. */
  readonly droppedBytes: number;
  /** Limiters that were left then. */
  readonly left: number;
}

const [connections = '0', kind = 'rate'] = process.argv.slice(2);
const count = Number(connections);
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const time = fakeClock();
const state = new HttpState({ env: makeEnv({ clock: time.clock, timers: time.timers }) });
const limit = { scope: 'connection', requests: 10, perMs: 1_000 } as const;
const provider = fakeProvider({
  baseUrl: 'https://service.test/v1',
  limits: [kind === 'rate' ? limit : { ...limit, concurrency: 2 }],
});
const { signal } = new AbortController();

// Whatever is loaded or compiled at first use is no limiter's.
for (let index = 0; index < 20; index += 1)
  await state.limiters.pathFor(provider, `warm-${index}`)?.run(async () => {}, signal);
state.limiters.clear();
const before = await heapBytes();

const { promise: answer, resolve: finish } = Promise.withResolvers<void>();
let started = 0;
const work = async (): Promise<void> => {
  started += 1;
  await answer;
};
const jobs = Array.from({ length: count }, (_, index) =>
  state.limiters.pathFor(provider, `connection-${index}`)?.run(work, signal),
);
while (started < count) await new Promise((wake) => setTimeout(wake, 5));
const busy = await heapBytes();
finish();
await Promise.all(jobs.splice(0));
const idle = await heapBytes();
if (state.limiters.size !== count) throw new Error(`There are ${state.limiters.size} limiters, not ${count}.`);
await time.advance(120_000);
await state.limiters.pathFor(provider, 'another')?.run(async () => {}, signal);
const dropped = await heapBytes();
console.log(
  JSON.stringify({
    busyBytes: (busy - before) / count,
    idleBytes: (idle - before) / count,
    droppedBytes: (dropped - before) / count,
    left: state.limiters.size,
  } satisfies LimiterMemory),
);

async function heapBytes(): Promise<number> {
  for (let round = 0; round < 4; round += 1) {
    await new Promise((wake) => setTimeout(wake, 20));
    collect();
  }
  return process.memoryUsage().heapUsed;
}
