// One of many threads that open the same new files at the same instant. Answers with every error it met.
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { sqlite } from '@mca/core/adapters/sqlite';

const { folder, rounds, threads, gate } = workerData as {
  readonly folder: string;
  readonly rounds: number;
  readonly threads: number;
  readonly gate: Int32Array<SharedArrayBuffer>;
};

const errors: string[] = [];
for (let round = 0; round < rounds; round += 1) {
  Atomics.add(gate, round, 1);
  // Spinning, not sleeping: whoever wakes later would miss the race.
  while (Atomics.load(gate, round) < threads);
  const database = new DatabaseSync(`${folder}/${round}.db`);
  try {
    await sqlite({ database }).storage.migrate();
  } catch (error) {
    errors.push(`round ${round}: ${String((error as Error).cause ?? error)}`);
  }
  database.close();
}
parentPort?.postMessage(errors);
