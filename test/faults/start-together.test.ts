import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { recordFigure } from '../support/reliability.ts';

const THREADS = 8;
const ROUNDS = process.env.MCA_TEST_FULL === '1' ? 1_000 : 100;

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mca-start-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test(`R-090 ${THREADS} threads open ${ROUNDS} new files at the same instant: nobody is refused`, async () => {
  const gate = new Int32Array(new SharedArrayBuffer(4 * ROUNDS));
  const workers = Array.from({ length: THREADS }, () => {
    const workerData = { folder, rounds: ROUNDS, threads: THREADS, gate };
    return new Worker(new URL('start-worker.ts', import.meta.url), {
      workerData,
      execArgv: ['--conditions=@mca/source', '--no-warnings'],
    });
  });
  const answers = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0] as string[]));
  expect(answers.flat()).toEqual([]);
  recordFigure('R-090', `${THREADS} threads, ${ROUNDS} new files opened at the same instant: 0 refused`);
});
