// One of several processes whose clocks differ. Told by message what to ask of the store, answers what it got.
// Arguments: store, owner, `database-clock` or `own-clock`.
import type { Lease } from '@mca/core/adapter-kit';
import { openFaultStore } from '../support/fault-store.ts';
import { asksProcess } from './clock-mutant.ts';

/** What a process can be asked. */
export type ClockQuestion =
  | { readonly ask: 'now' }
  | { readonly ask: 'acquire'; readonly resource: string; readonly ttlMs: number }
  | { readonly ask: 'renew' | 'release' }
  | { readonly ask: 'claim' }
  | { readonly ask: 'take'; readonly hash: string };

const [where = '', owner = '', time = ''] = process.argv.slice(2);
const { storage } = await openFaultStore(where, time === 'own-clock' ? { change: asksProcess } : {});
await storage.migrate();
let lease: Lease | undefined;

async function answer(question: ClockQuestion): Promise<unknown> {
  switch (question.ask) {
    case 'now':
      return Date.now();
    case 'acquire':
      lease = await storage.acquireLease({ ...question, owner });
      return lease?.fence;
    case 'renew':
      return lease && (await storage.renewLease(lease, 60_000)) !== undefined;
    case 'release':
      return lease && storage.releaseLease(lease);
    case 'claim': {
      const due = await storage.claimDueConnections({ providers: ['spotify'], limit: 9, owner, ttlMs: 60_000 });
      return due.map(({ connection }) => connection.id);
    }
    case 'take':
      return (await storage.takeConnectState(question.hash))?.hash;
  }
}

process.on('message', async (question: ClockQuestion) => {
  process.send?.({ got: await answer(question) });
});
process.send?.('ready');
