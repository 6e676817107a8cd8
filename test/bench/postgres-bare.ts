// The limit: one transaction, `COPY` into a temporary table, and one `INSERT … ON CONFLICT DO NOTHING` into the same table.
// Arguments: address, items, first or again.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { postgres } from '@mca/core/adapters/postgres';
import pg from 'pg';
import { from } from 'pg-copy-streams';
import { measure } from './harness.ts';
import { checksumOfPostgres, makeItems } from './postgres-items.ts';

const [url = '', count = '0', round = ''] = process.argv.slice(2);
const schema = `bare_${process.pid}`;
const pool = new pg.Pool({ connectionString: url });
await postgres({ pool, schema }).storage.migrate();
const items = makeItems(Number(count));
const COLUMNS = `user_no, connection_no, import_no, consumed_at, time_spent_ms, platform, external_id, type, action, title, creator, url,
  content_id, ids, source, precision, raw_metadata`;

function* lines(): Generator<string> {
  let batch = '';
  for (const item of items) {
    const at = item.consumedAt.getTime();
    // Nothing in these items needs escaping but the backslashes and tabs they do not have.
    batch += `1\t1\t1\t${at}\t${item.timeSpentMs}\t${item.platform}\t${item.externalId}\t${item.type}\t${item.action}\t${item.title}\t${item.creator}\t${item.url}\t${item.contentId}\t${JSON.stringify(item.ids)}\t${item.source}\t${item.precision}\t${JSON.stringify(item.rawMetadata)}\n`;
    if (batch.length > 65_536) {
      yield batch;
      batch = '';
    }
  }
  yield batch;
}

async function write(): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query(`CREATE TEMPORARY TABLE incoming (LIKE ${schema}.items) ON COMMIT DROP`);
    await client.query('ALTER TABLE incoming ALTER sequence DROP NOT NULL, ALTER deleted SET DEFAULT false');
    await pipeline(Readable.from(lines()), client.query(from(`COPY incoming (${COLUMNS}) FROM STDIN`)));
    await client.query(
      `INSERT INTO ${schema}.items (sequence, ${COLUMNS})
       SELECT nextval('${schema}.feed_sequence'), ${COLUMNS} FROM incoming ON CONFLICT DO NOTHING`,
    );
    await client.query('COMMIT');
  } finally {
    client.release();
  }
}

if (round === 'again') await write();
await measure(write, () => checksumOfPostgres(pool, schema));
await pool.query(`DROP SCHEMA ${schema} CASCADE`);
process.exit(0);
