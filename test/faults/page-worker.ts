// One of many processes that commit the same pages at the same time. Told the page by message, answers what it changed.
// Arguments: store, name.
import { openFaultStore } from '../support/fault-store.ts';
import { referencePage } from './reference-pages.ts';

const [where = '', name = ''] = process.argv.slice(2);
const { storage } = await openFaultStore(where);
await storage.migrate();
const { id } = await storage.ensureConnection({
  id: name,
  userId: 'ada',
  provider: 'spotify',
  kind: 'file',
  account: '',
});
const lease = await storage.acquireLease({ resource: `sync:${name}:history`, owner: name, ttlMs: 3_600_000 });
if (!lease) throw new Error('Every process has a lease of its own.');

process.on('message', async (page: number) => {
  const result = await storage.commitPage({ lease, connectionId: id, items: referencePage(page), policy: 'longest' });
  process.send?.(result);
});
process.send?.('ready');
