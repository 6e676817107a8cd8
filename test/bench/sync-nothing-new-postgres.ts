// Contender: syncs with nothing new over a history of some length on Postgres. Arguments: address, schema, plays it holds, syncs.
// What is measured is ours and the server's.
import { postgres } from '@mca/core/adapters/postgres';
import pg from 'pg';
import { measureNothingNew } from './sync-nothing-new-measure.ts';

const [url = '', schema = '', plays = '0', syncs = '0'] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString: url });
const { rows } = await pool.query<{ count: string }>(`SELECT count(*) FROM ${schema}.items`);
if (rows[0]?.count !== plays) throw new Error(`The database holds ${rows[0]?.count} plays, not ${plays}.`);
await measureNothingNew(() => postgres({ pool, schema }), { warmUp: 100, syncs: Number(syncs) });
process.exit(0);
