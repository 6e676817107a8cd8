// A host in a process of its own: `once` syncs one user and answers the report; `schedule` works until SIGTERM.
// Arguments: mode, store, address of the service, user, milliseconds its clock is ahead, and
// `own-clock` for a store that asks this process for the time or `no-fence` for one that lets stale workers write.
import { createRegistry, startScheduler, syncHistory } from '@mca/core';
import { fakeProvider } from '@mca/core/testing';
import { isPostgres, openFaultStore } from '../support/fault-store.ts';
import { asksProcess } from './clock-mutant.ts';
import { changeOf } from './commit-mutants.ts';

const [mode = '', where = '', origin = '', userId = '', offset = '0', variant = ''] = process.argv.slice(2);
const clock = { now: () => Date.now() + Number(offset), monotonic: () => performance.now() };
const fenceless = changeOf('no-fence', isPostgres(where) ? 'Postgres' : 'SQLite');
const change = { 'own-clock': asksProcess, 'no-fence': fenceless }[variant];
const store = await openFaultStore(where, { clock, change });
const registry = createRegistry({
  providers: [fakeProvider({ baseUrl: `${origin}/v1` })],
  storage: store.storage,
  credentials: store.credentials,
  insecurePlaintextForTests: true,
  env: { clock },
});

if (mode === 'once') {
  const { status, counts, error, reason } = await syncHistory(registry, { userId, provider: 'fake' });
  const said = { status, counts, error, reason: error?.reason ?? reason, now: Date.now() };
  process.stdout.write(`${JSON.stringify(said)}\n`);
  await store.close();
} else {
  const scheduler = startScheduler(registry, { everyMs: 5, maxPagesPerSync: 50 });
  process.once('SIGTERM', async () => {
    await scheduler.stop();
    await registry.close();
    await store.close();
  });
  process.stdout.write('ready\n');
}
