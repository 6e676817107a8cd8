import type { Connection } from '../contracts/connection.ts';
import { McaError } from '../contracts/errors.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';

/**
 * The connection that is meant, or `undefined` when the user has none. One that was disconnected is answered only when
 * there is no other.
 *
 * @throws McaError `invalid_data` `ambiguous_connection` when there are several and none is named
 */
export async function connectionOf(
  registry: AnyRegistry,
  request: { readonly userId: string; readonly provider: string; readonly connectionId?: string | undefined },
): Promise<Connection | undefined> {
  const { userId, provider, connectionId } = request;
  const all = await registry.storage.listConnections({ id: connectionId, userId, provider });
  const connected = all.filter(({ kind }) => kind === 'api');
  const usable = connected.filter(({ status }) => status !== 'disconnected');
  if (usable.length > 1) {
    throw new McaError({
      code: 'invalid_data',
      reason: 'ambiguous_connection',
      provider,
      message: `The user has ${usable.length} accounts of ${provider}.`,
      hint: 'Say which with connectionId; see listConnections.',
    });
  }
  return usable[0] ?? connected[0];
}
