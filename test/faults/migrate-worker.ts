// One of many processes that start on the same new store at the same instant. Told the store by message, answers with what
// went wrong, if anything did. Argument: `real`, or `unlocked` for one that does not wait for its turn.
import { openFaultStore } from '../support/fault-store.ts';

const change = (sql: string) => sql.replace(/^SELECT pg_advisory_xact_lock\((\S+)\)/, 'SELECT $1');
const isUnlocked = process.argv[2] === 'unlocked';

process.on('message', async (where: string) => {
  const { storage, close } = await openFaultStore(where, isUnlocked ? { change } : {});
  let failure = '';
  try {
    await storage.migrate();
  } catch (error) {
    failure = String((error as Error).cause ?? error);
  }
  await close();
  process.send?.(failure);
});
process.send?.('ready');
