// Contender: importFile into SQLite. Arguments: database, files…
import { DatabaseSync } from 'node:sqlite';
import { createRegistry, importFile } from '@mca/core';
import { sqlite } from '@mca/core/adapters/sqlite';
import { spotify } from '@mca/core/providers/spotify';
import { measure } from './harness.ts';
import { checksumOf } from './import-checksum.ts';

const [path = '', ...file] = process.argv.slice(2);
const database = new DatabaseSync(path);
const registry = createRegistry({ providers: [spotify()], ...sqlite({ database }) });
await registry.ready();
await measure(
  async () => {
    const report = await importFile(registry, { userId: 'bench', provider: 'spotify', file });
    if (report.status !== 'complete') throw report.error;
  },
  () => checksumOf(database),
);
