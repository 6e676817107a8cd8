// Contender: syncDue over many connections. Those that the database does not hold yet are made first, unmeasured.
// Arguments: database, origin, connections, requests in flight.
import { DatabaseSync } from 'node:sqlite';
import { addConnection, createRegistry, keyRing, syncDue } from '@mca/core';
import { sqlite } from '@mca/core/adapters/sqlite';
import { fakeProvider } from '@mca/core/testing';
import { measure } from './harness.ts';
import { checksumOf } from './import-checksum.ts';
import { inFlight, WARM_UP } from './in-flight.ts';
import { countedLimiters } from './no-limiters.ts';

const [path = '', origin = '', connections = '0', flying = '1'] = process.argv.slice(2);
const count = Number(connections);
const database = new DatabaseSync(path);
const { limiter, assertNone } = countedLimiters();
const registry = createRegistry({
  // A window is one page, and there is no old history to go and fetch.
  providers: [fakeProvider({ baseUrl: `${origin}/v1`, window: true, intervalMs: 1 })],
  ...sqlite({ database }),
  keys: keyRing({ primary: 'k1', keys: { k1: Buffer.alloc(32, 7).toString('base64') } }),
  limiter,
});
await registry.ready();
const { known } = database.prepare('SELECT count(*) AS known FROM mca_connections').get() as { readonly known: number };
if (known === 0) {
  for (let index = 0; index < count; index += 1) {
    const credentials = { fields: { token: `user-${index}` } };
    await addConnection(registry, { userId: `user-${index}`, provider: 'fake', credentials });
  }
} else {
  await inFlight(WARM_UP, Number(flying), async () => {
    await (await fetch(`${origin}/v1/me`)).text();
  });
}
let pages = 0;
let inserted = 0;
await measure(
  async () => {
    await syncDue(registry, {
      concurrency: Number(flying),
      limit: count,
      onReport: ({ status, pages: read, counts, error }) => {
        if (status !== 'complete') throw error ?? new Error(status);
        pages += read;
        inserted += counts.inserted;
      },
    });
  },
  () => checksumOf(database),
);
if (pages !== count) throw new Error(`${pages} pages were read, not one for each of ${count} connections.`);
if (known > 0 && inserted > 0) throw new Error(`${inserted} items were new; nothing should have been.`);
assertNone();
process.exit(0);
