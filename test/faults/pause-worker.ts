// A process that stops in the middle of a transaction: before its COMMIT it says so, and goes on when it is told to.
// Told the resource of a lease by message, answers how its two attempts to commit a page ended. Arguments: store, variant.
import { once } from 'node:events';
import { postgres } from '@mca/core/adapters/postgres';
import pg from 'pg';
import { wrappedPool } from '../support/wrapped-pool.ts';
import { type CommitVariant, changeOf } from './commit-mutants.ts';
import { referencePage } from './reference-pages.ts';

const where = new URL(process.argv[2] ?? '');
const schema = where.hash.slice(1);
where.hash = '';
const change = changeOf((process.argv[3] ?? 'real') as CommitVariant, 'Postgres') ?? ((text: string) => text);
let isPausing = false;
const pool = new pg.Pool({ connectionString: where.href });
pool.on('error', () => {});
const { storage } = postgres({
  schema,
  pool: wrappedPool(pool, async (run, text, values) => {
    if (text === 'COMMIT' && isPausing) {
      isPausing = false;
      // As hosts should set it for all; here for this one only, so that a busy machine ends no other.
      await run('SET LOCAL idle_in_transaction_session_timeout = 50');
      process.send?.('before COMMIT');
      await once(process, 'message');
    }
    return run(change(text), values);
  }),
});
const reasonOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'stored',
    (error: { reason?: string }) => error.reason ?? String(error),
  );

process.send?.('ready');
for (;;) {
  const [resource] = (await once(process, 'message')) as [string];
  const { id } = await storage.ensureConnection({ id: 'c', userId: 'ada', provider: 'x', kind: 'file', account: '' });
  const lease = await storage.acquireLease({ resource, owner: 'paused', ttlMs: 1 });
  if (!lease) throw new Error('Nobody else should have it.');
  const items = referencePage(0).map((item) => ({ ...item, externalId: `stale ${item.externalId}` }));
  const page = { lease, connectionId: id, items, policy: 'longest' as const };
  isPausing = true;
  const first = await reasonOf(storage.commitPage(page));
  process.send?.([first, await reasonOf(storage.commitPage(page))]);
}
