// Contender: the same items through `commitPage`, a transaction a page, as a file import commits them.
// Arguments: address, items, first or again, items a page.
import { postgres } from '@mca/core/adapters/postgres';
import pg from 'pg';
import { measure } from './harness.ts';
import { checksumOfPostgres, makeItems } from './postgres-items.ts';

const [url = '', count = '0', round = '', batch = '0'] = process.argv.slice(2);
const schema = `ours_${process.pid}`;
const pool = new pg.Pool({ connectionString: url });
const { storage } = postgres({ pool, schema });
await storage.migrate();
const items = makeItems(Number(count));
const connection = { id: 'c', userId: 'ada', provider: 'spotify', kind: 'file', account: '' } as const;
const { id: connectionId } = await storage.ensureConnection(connection);
const lease = await storage.acquireLease({ resource: 'import:i', owner: 'bench', ttlMs: 3_600_000 });
if (!lease) throw new Error('No lease.');

async function write(): Promise<void> {
  const progress = { id: 'i', startedAt: new Date(0), files: ['a.json'], skipped: {}, rejected: {}, coverage: [] };
  for (let at = 0; at < items.length; at += Number(batch)) {
    const page = items.slice(at, at + Number(batch));
    await storage.commitPage({
      lease: lease as NonNullable<typeof lease>,
      connectionId,
      items: page,
      policy: 'longest',
      import: { ...progress, status: 'running', read: at + page.length },
    });
  }
}

if (round === 'again') await write();
await measure(write, () => checksumOfPostgres(pool, schema));
await pool.query(`DROP SCHEMA ${schema} CASCADE`);
process.exit(0);
