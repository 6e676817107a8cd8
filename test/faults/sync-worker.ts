// A host in a process of its own: `once` syncs one user and answers the report; `schedule` works until SIGTERM.
import { DatabaseSync } from 'node:sqlite';
import { createRegistry, startScheduler, syncHistory } from '@mca/core';
import { sqlite } from '@mca/core/adapters/sqlite';
import { fakeProvider } from '@mca/core/testing';

const [mode = '', file = '', origin = '', userId = '', offset = '0'] = process.argv.slice(2);
const clock = { now: () => Date.now() + Number(offset), monotonic: () => performance.now() };
const database = new DatabaseSync(file);
const registry = createRegistry({
  providers: [fakeProvider({ baseUrl: `${origin}/v1` })],
  ...sqlite({ database, clock }),
  insecurePlaintextForTests: true,
  env: { clock },
});

if (mode === 'once') {
  const { status, counts, error } = await syncHistory(registry, { userId, provider: 'fake' });
  process.stdout.write(`${JSON.stringify({ status, counts, error, reason: error?.reason })}\n`);
} else {
  const scheduler = startScheduler(registry, { everyMs: 5, maxPagesPerSync: 50 });
  process.once('SIGTERM', async () => {
    await scheduler.stop();
    await registry.close();
    database.close();
  });
  process.stdout.write('ready\n');
}
