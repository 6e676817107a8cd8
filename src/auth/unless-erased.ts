import { McaError } from '../contracts/errors.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { randomToken, sha256Hex } from '../runtime/encoding.ts';
import type { ConnectedStep } from './connect-steps.ts';
import { disconnect } from './disconnect.ts';
import { deleteCredentials } from './vault.ts';

/** Longer than any service keeps a request waiting. */
const WATCH_MS = 3_600_000;

/** Whose account is connected, and where. */
interface Watched {
  readonly registry: AnyRegistry;
  readonly userId: string;
  readonly provider: string;
}

/**
 * Runs what connects an account. When its user is erased meanwhile, on whatever machine, what it made is taken back: a
 * token must not outlive the last page that said there was none. A row of the user's, which erasing takes along, tells.
 *
 * @throws McaError `not_found` `connection_unknown` when the user was erased meanwhile
 */
export async function unlessErased<Step extends { readonly step: string }>(
  watched: Watched,
  work: () => Promise<Step | ConnectedStep>,
): Promise<Step | ConnectedStep> {
  const watch = await putWatch(watched);
  let step: Step | ConnectedStep;
  try {
    step = await work();
  } catch (error) {
    await takeWatch(watched, watch);
    throw error;
  }
  if ((await takeWatch(watched, watch)) || !isConnected(step)) return step;
  // Where the clock of the store is far ahead of ours no row lives long enough to tell anything.
  if (!(await takeWatch(watched, await putWatch(watched)))) return step;
  await takeBack(watched, step.connection.id);
  throw new McaError({
    code: 'not_found',
    reason: 'connection_unknown',
    provider: watched.provider,
    message: 'Everything of the user was erased while the account was connected; nothing of it is kept.',
  });
}

async function putWatch({ registry, userId }: Watched): Promise<string> {
  const { storage, env } = registry;
  const hash = await sha256Hex(randomToken(env.random));
  await storage.putConnectState({ hash, userId, sealed: '', expiresAt: env.clock.now() + WATCH_MS });
  return hash;
}

/** Whether it was still there. */
async function takeWatch({ registry }: Watched, hash: string): Promise<boolean> {
  return (await registry.storage.takeConnectState(hash)) !== undefined;
}

function isConnected(step: { readonly step: string }): step is ConnectedStep {
  return step.step === 'connected';
}

/** Tells the service, where the connection is still there to tell of. */
async function takeBack({ registry, userId }: Watched, connectionId: string): Promise<void> {
  const [connection] = await registry.storage.listConnections({ userId, id: connectionId });
  if (connection) await disconnect(registry, { userId, connectionId });
  await deleteCredentials(registry, connectionId);
  await registry.storage.erase({ userId, connectionId });
}
