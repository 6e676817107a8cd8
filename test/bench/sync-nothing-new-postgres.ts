// Contender: syncs with nothing new over a history of some length on Postgres. Arguments: address, schema, plays it holds, syncs.
// The service is in this process and answers at once: what is measured is ours and the server's.
import { createRegistry, syncHistory } from '@mca/core';
import { postgres } from '@mca/core/adapters/postgres';
import pg from 'pg';
import { measure } from './harness.ts';
import { NOW, nothingNewSetup } from './nothing-new-setup.ts';

const WARM_UP = 100;
const [url = '', schema = '', plays = '0', syncs = '0'] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString: url });
let now = NOW;
const registry = createRegistry(
  nothingNewSetup(
    () => postgres({ pool, schema }),
    () => now,
  ),
);
const { rows } = await pool.query<{ count: string }>(`SELECT count(*) FROM ${schema}.items`);
if (rows[0]?.count !== plays) throw new Error(`The database holds ${rows[0]?.count} plays, not ${plays}.`);

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
