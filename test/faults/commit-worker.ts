// The process that gets killed: goes on with the reference sequence from where the stored cursor says.
// Arguments: store, variant, lease of the killed process before it (JSON) or nothing.
import { writeSync } from 'node:fs';
import type { Lease } from '@mca/core/adapter-kit';
import { type CommitVariant, openVariant } from './commit-mutants.ts';
import { PAGES, referencePage, referenceProgress } from './reference-pages.ts';

const [where = '', variant = 'real', previous = ''] = process.argv.slice(2);
const { storage, close } = await openVariant(where, variant as CommitVariant);
await storage.migrate();
const { id } = await storage.ensureConnection({
  id: 'c',
  userId: 'ada',
  provider: 'spotify',
  kind: 'file',
  account: '',
});
// So short that the lease of a killed process has run out when the next one has started. Expiry lets others in; only their
// coming keeps the last owner from writing.
const lease = await storage.acquireLease({ resource: 'import:reference', owner: `process ${process.pid}`, ttlMs: 1 });
if (!lease) throw new Error('The lease of the killed process should have expired.');

// What a process would do that was not killed but only slept past its lease.
if (previous) {
  const ghosts = referencePage(0).map((item) => ({ ...item, externalId: `ghost ${item.externalId}` }));
  const stale = { lease: JSON.parse(previous) as Lease, connectionId: id, items: ghosts, policy: 'longest' as const };
  await storage.commitPage(stale).catch((error: { reason?: string }) => {
    if (error.reason !== 'lease_lost') throw error;
  });
}

const start = Number((await storage.readCursors(id, 'history'))[0] ?? 0);
for (let page = start; page < PAGES; page += 1) {
  await storage.commitPage({
    lease,
    connectionId: id,
    items: referencePage(page),
    policy: 'longest',
    cursor: { capability: 'history', value: `${page + 1}` as never },
    import: referenceProgress(page + 1),
  });
  // The parent's clock starts here: every process gets at least one page further, on a slow disk too.
  if (page === start) writeSync(1, `${JSON.stringify(lease)}\n`);
}
await storage.releaseLease(lease);
await close();
