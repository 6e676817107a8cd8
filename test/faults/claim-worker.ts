// One of many processes that claim what is due and take a connect flow at the same time. Told the flow by message, answers
// what it got. Arguments: store, owner.
import { openFaultStore } from '../support/fault-store.ts';

const [where = '', owner = ''] = process.argv.slice(2);
const { storage } = await openFaultStore(where);
await storage.migrate();

process.on('message', async (hash: string) => {
  const due = await storage.claimDueConnections({ providers: ['spotify'], limit: 1, owner, ttlMs: 3_600_000 });
  const state = await storage.takeConnectState(hash);
  process.send?.({ claimed: due.map(({ connection }) => connection.id), taken: state?.hash });
});
process.send?.('ready');
