// Contender: syncs with nothing new over a history of some length. Arguments: database, plays it holds, syncs.
// What is measured is ours alone.
import { DatabaseSync } from 'node:sqlite';
import { sqlite } from '@mca/core/adapters/sqlite';
import { measureNothingNew } from './sync-nothing-new-measure.ts';

const [path = '', plays = '0', syncs = '0'] = process.argv.slice(2);
const database = new DatabaseSync(path);
const { rows } = database.prepare('SELECT count(*) AS rows FROM mca_items').get() as { readonly rows: number };
if (rows !== Number(plays)) throw new Error(`The database holds ${rows} plays, not ${plays}.`);
await measureNothingNew((clock) => sqlite({ database, clock }), { warmUp: 200, syncs: Number(syncs) });
process.exit(0);
