// One of many processes that want a good token of the same connection at the same time.
// Told { connectionId, calls, pauseAt } by message; answers what each call got. Argument: options as JSON.
import { TokenKeeper } from '../../src/auth/refresh-tokens.ts';
import { providerOf, strategyOf } from '../../src/auth/strategies.ts';
import { openProcess, type ProcessOptions } from './refresh-setup.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as ProcessOptions;
const registry = await openProcess(options);
await registry.ready();
const never = new AbortController().signal;
let isPausing = false;
let hasLease = false;

// Where a holder is stopped for longer than its lease: it has the lease, and has read the tokens it is about to use.
const { credentials, storage } = registry;
const paused = {
  ...registry,
  storage: {
    ...storage,
    async acquireLease(request: Parameters<typeof storage.acquireLease>[0]) {
      const { resource, owner, ttlMs } = request;
      const granted = { resource, owner, fence: 1, expiresAt: registry.env.clock.now() + ttlMs };
      const lease = options.unlocked ? granted : await storage.acquireLease(request);
      hasLease = lease !== undefined;
      return lease;
    },
  },
  credentials: credentials && {
    ...credentials,
    async get(id: string) {
      const stored = await credentials.get(id);
      if (isPausing && hasLease) {
        isPausing = false;
        process.send?.('pause me');
        await beenStopped();
      }
      return stored;
    },
  },
};

/** The signal takes as long as the machine pleases: only a hole in time shows that it came, and that it is over. */
async function beenStopped(): Promise<void> {
  const startedAt = performance.now();
  for (let last = startedAt; last - startedAt < 10_000; ) {
    await new Promise((wake) => setTimeout(wake, 5));
    const now = performance.now();
    if (now - last > 500) return;
    last = now;
  }
}

process.on('message', async (message: { connectionId: string; calls: number; pausing: boolean }) => {
  const [connection] = await registry.storage.listConnections({ id: message.connectionId });
  if (!connection) throw new Error('The connection should be there.');
  const provider = providerOf(registry, 'fake');
  hasLease = false;
  isPausing = message.pausing;
  const work = Array.from({ length: message.calls }, () =>
    new TokenKeeper(paused, connection, provider, strategyOf(provider, 'oauth2')).fresh(never).then(
      ({ credentials: tokens }) => tokens.accessToken.reveal(),
      (error: { code?: string; reason?: string; message: string }) =>
        error.code ? `${error.code} ${error.reason}` : error.message,
    ),
  );
  process.send?.({ answers: await Promise.all(work) });
});
process.send?.('ready');
