// One of many processes that claim what is due and take a connect flow at the same time. Told the flow by message, answers
// what it got.
import { DatabaseSync } from 'node:sqlite';
import { sqlite } from '@mca/core/adapters/sqlite';

const [file = '', owner = ''] = process.argv.slice(2);
const { storage } = sqlite({ database: new DatabaseSync(file) });
await storage.migrate();

process.on('message', async (hash: string) => {
  const due = await storage.claimDueConnections({ providers: ['spotify'], limit: 1, owner, ttlMs: 3_600_000 });
  const state = await storage.takeConnectState(hash);
  process.send?.({ claimed: due.map(({ connection }) => connection.id), taken: state?.hash });
});
process.send?.('ready');
