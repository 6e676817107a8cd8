// Contender: a provider reads and normalises a file, nothing is stored. Arguments: provider, file
import { createRegistry, importFile } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { netflix } from '@mca/core/providers/netflix';
import { youtube } from '@mca/core/providers/youtube';
import { measure } from './harness.ts';

const [provider, file = ''] = process.argv.slice(2);
const { storage } = memory();
const registry = createRegistry({
  providers: [netflix(), youtube()],
  storage: {
    ...storage,
    commitPage: async ({ items }) => ({ inserted: items.length, updated: 0, unchanged: 0, sequence: 0 }),
  },
});
await registry.ready();
let rows = 0;
await measure(
  async () => {
    const report = await importFile(registry, { userId: 'bench', provider: provider as 'netflix' | 'youtube', file });
    if (report.status !== 'complete') throw report.error;
    rows = report.counts.read;
  },
  () => String(rows),
);
