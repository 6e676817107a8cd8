import assert from 'node:assert/strict';
import type { Job, JobEngine, JobOutcome, RunJob } from '../contracts/jobs.ts';
import type { ConformanceCase } from './conformance-case.ts';

/** One engine of a queue. */
export interface EngineUnderTest {
  readonly engine: JobEngine;
  /** Makes it a worker that died: it neither finishes nor says anything any more. */
  crash(): Promise<void>;
}

/** A fresh, empty queue that a conformance case may do anything with. */
export interface QueueUnderTest {
  /** Another engine on the same queue. */
  open(): Promise<EngineUnderTest>;
  /** The dead letters, oldest first. */
  deadLetters(): Promise<readonly { readonly job: Job; readonly error: string }[]>;
  /** Milliseconds of the queue's clock. */
  now(): number;
  /** Lets time pass for the queue, and what is then to do be done. */
  advance(ms: number): Promise<void>;
  /** Takes the queue away: engines fail from now on. */
  breakDown(): Promise<void>;
  /** Removes the queue. */
  close(): Promise<void>;
}

/** What the suite has to know beforehand. */
export interface JobConformanceOptions {
  /** Tries of a job that always rejects. @default 12 */
  readonly attempts?: number | undefined;
}

const DONE: JobOutcome = { type: 'done' };
const SECOND = 1_000;
const DAY = 86_400_000;

/**
 * Proves that a queue keeps the promises `JOB-1` to `JOB-8`, each case on a fresh queue.
 *
 * @example
 * ```ts
 * for (const { id, title, run } of jobEngineConformance(openMyQueue)) test(`${id} ${title}`, run);
 * ```
 */
export function jobEngineConformance(
  open: () => Promise<QueueUnderTest>,
  { attempts = 12 }: JobConformanceOptions = {},
): readonly ConformanceCase[] {
  const onQueue = (id: string, title: string, run: (queue: QueueUnderTest) => Promise<void>): ConformanceCase => ({
    id,
    title,
    async run() {
      const queue = await open();
      try {
        await run(queue);
      } finally {
        await queue.close();
      }
    },
  });
  return [
    onQueue('JOB-1', 'what was enqueued is run once, by one of the engines', async (queue) => {
      const runs: string[] = [];
      const [first, second] = [await queue.open(), await queue.open()];
      for (const { engine } of [first, second]) await engine.start(noting(runs));
      const jobs = Array.from({ length: 20 }, (_, index) => jobOf(index));
      await first.engine.enqueue(jobs.slice(0, 10));
      await second.engine.enqueue(jobs.slice(10));
      await reach(queue, () => runs.length >= jobs.length);
      await queue.advance(60 * SECOND);
      assert.deepEqual(runs.toSorted(), jobs.map(({ key }) => key).toSorted());
      for (const { engine } of [first, second]) await engine.stop();
    }),
    onQueue('JOB-1', 'a job arrives as it was handed over', async (queue) => {
      const { engine } = await queue.open();
      const arrived: Job[] = [];
      await engine.start(async (job) => {
        arrived.push(job);
        return DONE;
      });
      const notice: Job = { name: 'reauth-notice', key: 'reauth-notice:ö:1', connectionId: 'ö:1' };
      await engine.enqueue([jobOf(1), notice]);
      await reach(queue, () => arrived.length >= 2);
      assert.deepEqual(
        arrived.toSorted((a, b) => (a.key < b.key ? 1 : -1)).map((job) => JSON.parse(JSON.stringify(job))),
        [jobOf(1), notice],
      );
      await engine.stop();
    }),
    onQueue('JOB-2', 'of equal keys one waits at most', async (queue) => {
      const { engine } = await queue.open();
      const runs: string[] = [];
      for (let round = 0; round < 5; round += 1) await engine.enqueue([jobOf(1), jobOf(1)]);
      await engine.start(noting(runs));
      await reach(queue, () => runs.length > 0);
      await queue.advance(60 * SECOND);
      assert.deepEqual(runs, [jobOf(1).key]);
      await engine.stop();
    }),
    onQueue(
      'JOB-2',
      'of equal keys one runs at most, and runs again when it is handed over afterwards',
      async (queue) => {
        const engines = [await queue.open(), await queue.open()];
        let [running, most, runs] = [0, 0, 0];
        let finish: () => void = () => {};
        const run: RunJob = async () => {
          running += 1;
          runs += 1;
          most = Math.max(most, running);
          if (runs === 1) await new Promise<void>((resolve) => (finish = resolve));
          running -= 1;
          return DONE;
        };
        for (const { engine } of engines) await engine.start(run);
        await engines[0]?.engine.enqueue([jobOf(1)]);
        await reach(queue, () => running === 1);
        for (const { engine } of engines) await engine.enqueue([jobOf(1)]);
        await queue.advance(10 * SECOND);
        assert.equal(runs, 1);
        finish();
        await queue.advance(10 * SECOND);
        assert.equal(runs, 1, 'what was handed over meanwhile is left out');
        await engines[1]?.engine.enqueue([jobOf(1)]);
        await reach(queue, () => runs === 2);
        await queue.advance(60 * SECOND);
        assert.deepEqual([runs, most], [2, 1]);
        for (const { engine } of engines) await engine.stop();
      },
    ),
    onQueue('JOB-3', 'a snooze is kept, and is no failure', async (queue) => {
      const { engine } = await queue.open();
      const times: number[] = [];
      const waitMs = 10 * SECOND;
      await engine.start(async () => {
        times.push(queue.now());
        return { type: 'snooze', notBefore: queue.now() + waitMs };
      });
      for (let round = 0; round < 2 * attempts; round += 1) {
        const before = times.length;
        // A queue may have kept it or dropped it: nobody minds one that is handed over again.
        await engine.enqueue([jobOf(1)]);
        await reach(queue, () => times.length > before);
        await queue.advance(waitMs + SECOND);
      }
      await engine.stop();
      assert.deepEqual(await queue.deadLetters(), []);
    }),
    onQueue('JOB-3', 'nobody runs a snoozed job early', async (queue) => {
      const { engine } = await queue.open();
      const times: number[] = [];
      const waitMs = 10 * SECOND;
      await engine.start(async () => {
        times.push(queue.now());
        return times.length === 1 ? { type: 'snooze', notBefore: queue.now() + waitMs } : DONE;
      });
      await engine.enqueue([jobOf(1)]);
      await reach(queue, () => times.length > 0);
      await queue.advance(60 * SECOND);
      const [first = 0, second = Number.POSITIVE_INFINITY] = times;
      assert.ok(second - first >= waitMs, `run again after ${second - first} ms`);
      await engine.stop();
    }),
    onQueue(
      'JOB-4',
      `work that rejects is tried ${attempts} times after growing waits, then a dead letter`,
      async (queue) => {
        const { engine } = await queue.open();
        const times: number[] = [];
        await engine.start(async () => {
          times.push(queue.now());
          throw new Error('canary of a secret');
        });
        await engine.enqueue([jobOf(1)]);
        await reach(queue, () => times.length > 0);
        while (times.length < attempts) {
          const tries = times.length;
          for (let stepMs = 5 * SECOND; times.length === tries && stepMs < DAY; stepMs *= 1.5)
            await queue.advance(stepMs);
          assert.ok(times.length > tries, `was tried ${tries} times`);
        }
        assert.equal(times.length, attempts);
        const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
        assert.ok((waits.at(-1) ?? 0) > 10 * (waits[0] ?? 0), `waits of ${waits.join(', ')} ms`);
        await queue.advance(DAY);
        const letters = await queue.deadLetters();
        assert.deepEqual(
          letters.map(({ job }) => job.key),
          [jobOf(1).key],
        );
        assert.doesNotMatch(letters[0]?.error ?? '', /canary/, 'an error that is none of the SDK may hold a secret');
        assert.equal(times.length, attempts);
        await engine.stop();
      },
    ),
    onQueue('JOB-5', 'a dead letter keeps its job and its last error, and is not run again', async (queue) => {
      const { engine } = await queue.open();
      const runs: string[] = [];
      await engine.start(async (job) => {
        runs.push(job.key);
        return job.key === jobOf(1).key ? { type: 'dead', message: 'The service is gone.' } : DONE;
      });
      await engine.enqueue([jobOf(1), jobOf(2)]);
      await reach(queue, () => runs.length >= 2);
      await queue.advance(2 * DAY);
      const [letter, ...others] = await queue.deadLetters();
      assert.deepEqual(others, []);
      assert.deepEqual(letter?.job, jobOf(1));
      assert.match(letter.error, /The service is gone\./);
      assert.equal(runs.length, 2);
      await engine.stop();
    }),
    onQueue('JOB-6', 'what a worker was doing when it died is done by another', async (queue) => {
      const [doomed, heir] = [await queue.open(), await queue.open()];
      let hasBegun = false;
      await doomed.engine.start(() => {
        hasBegun = true;
        return new Promise(() => {});
      });
      await doomed.engine.enqueue([jobOf(1)]);
      await reach(queue, () => hasBegun);
      await doomed.crash();
      const runs: string[] = [];
      await heir.engine.start(noting(runs));
      await reach(queue, () => runs.length > 0, 5 * 60 * SECOND);
      assert.deepEqual(runs, [jobOf(1).key]);
      await heir.engine.stop();
    }),
    onQueue('JOB-7', 'stopping aborts and waits for what runs, and leaves what waits', async (queue) => {
      const [leaving, staying] = [await queue.open(), await queue.open()];
      const told: string[] = [];
      await leaving.engine.start(async (job, signal) => {
        told.push(`began ${job.key}`);
        if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
        told.push(`ended ${job.key}`);
        return DONE;
      });
      await leaving.engine.enqueue([jobOf(1)]);
      await reach(queue, () => told.length === 1);
      const stopped = leaving.engine.stop().then(() => told.push('stopped'));
      await reach(queue, () => told.length === 3);
      await stopped;
      assert.deepEqual(told, [`began ${jobOf(1).key}`, `ended ${jobOf(1).key}`, 'stopped']);
      await leaving.engine.stop();
      await staying.engine.enqueue([jobOf(2)]);
      await queue.advance(60 * SECOND);
      assert.equal(told.length, 3, 'a stopped engine runs nothing');
      const runs: string[] = [];
      await staying.engine.start(noting(runs));
      await reach(queue, () => runs.length > 0);
      assert.deepEqual(runs, [jobOf(2).key]);
      await staying.engine.stop();
    }),
    onQueue('JOB-8', 'a queue that is gone fails as storage', async (queue) => {
      const { engine } = await queue.open();
      await engine.start(async () => DONE);
      await queue.breakDown();
      await assert.rejects(engine.enqueue([jobOf(1)]), { name: 'McaError', code: 'storage' });
    }),
  ];
}

function jobOf(number: number): Job {
  const connectionId = `connection ${number}`;
  return { name: 'sync', key: `sync:${connectionId}:history`, connectionId, capability: 'history' };
}

function noting(runs: string[]): RunJob {
  return async ({ key }) => {
    runs.push(key);
    return DONE;
  };
}

/** Lets time pass, second by second, until something has come true. */
async function reach(queue: QueueUnderTest, isTrue: () => boolean, withinMs = 120 * SECOND): Promise<void> {
  for (let passedMs = 0; passedMs < withinMs; passedMs += SECOND) {
    if (isTrue()) return;
    await queue.advance(SECOND);
  }
  assert.ok(isTrue(), `did not happen within ${withinMs / SECOND} s of the queue's clock`);
}
