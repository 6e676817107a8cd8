// A worker of the bench: says that it is up, waits, and syncs what is due until nothing is. Arguments: address, schema.
import { once } from 'node:events';
import { createRegistry, keyRing, syncDue } from '@mca/core';
import { postgres } from '@mca/core/adapters/postgres';
import { fakeProvider } from '@mca/core/testing';
import pg from 'pg';
import { KEY, serviceOfOnePage } from './workers-setup.ts';

const [url = '', schema = ''] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString: url, max: 10 });
const registry = createRegistry({
  providers: [fakeProvider({ baseUrl: 'https://service.test/v1', window: true, intervalMs: 3_600_000 })],
  ...postgres({ pool, schema }),
  keys: keyRing({ primary: 'k1', keys: { k1: KEY } }),
  env: { fetch: serviceOfOnePage() },
});
await registry.ready();
process.send?.({});
await once(process, 'message');
const { synced, byStatus } = await syncDue(registry, { concurrency: 16 });
if (byStatus.complete !== synced && synced > 0) throw new Error(JSON.stringify(byStatus));
process.send?.({ synced });
await registry.close();
await pool.end();
process.disconnect?.();
