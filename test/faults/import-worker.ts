// Imports a file into a SQLite database and says how far it is. Arguments: database, file.
import { DatabaseSync } from 'node:sqlite';
import { createRegistry, importFile } from '@mca/core';
import { sqlite } from '@mca/core/adapters/sqlite';
import { spotify } from '@mca/core/providers/spotify';

const [path = '', file = ''] = process.argv.slice(2);
const registry = createRegistry({ providers: [spotify()], ...sqlite({ database: new DatabaseSync(path) }) });
await registry.ready();
process.stdout.write('begin\n');
const report = await importFile(registry, { userId: 'ana', provider: 'spotify', file });
process.stdout.write(`${JSON.stringify({ ...report.counts, durationMs: report.durationMs })}\n`);
