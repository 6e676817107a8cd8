// Contender: syncs with nothing new over a history of some length. Arguments: database, plays it holds, syncs.
// The service is in this process and answers at once: what is measured is ours alone.
import { DatabaseSync } from 'node:sqlite';
import { createRegistry, syncHistory } from '@mca/core';
import { sqlite } from '@mca/core/adapters/sqlite';
import { measure } from './harness.ts';
import { NOW, nothingNewSetup } from './nothing-new-setup.ts';

const WARM_UP = 200;
const [path = '', plays = '0', syncs = '0'] = process.argv.slice(2);
const database = new DatabaseSync(path);
let now = NOW;
const registry = createRegistry(
  nothingNewSetup(
    (clock) => sqlite({ database, clock }),
    () => now,
  ),
);
const { rows } = database.prepare('SELECT count(*) AS rows FROM mca_items').get() as { readonly rows: number };
if (rows !== Number(plays)) throw new Error(`The database holds ${rows} plays, not ${plays}.`);

let unchanged = 0;
async function sync(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    now += 1_000;
    const { status, counts, pages, error } = await syncHistory(registry, { userId: 'ada', provider: 'fake' });
    if (status !== 'complete' || counts.inserted + counts.updated > 0 || pages !== 1) {
      throw error ?? new Error(`${status}, ${pages} pages, ${JSON.stringify(counts)}`);
    }
    unchanged += counts.unchanged;
  }
}
await sync(WARM_UP);
unchanged = 0;
await measure(
  () => sync(Number(syncs)),
  () => `${unchanged} unchanged`,
);
process.exit(0);
