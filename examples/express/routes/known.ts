import {
  type AuthStrategy,
  describeProvider,
  listConnections,
  type ProviderDescription,
  type Registry,
} from '@mca/core';
import { Refusal } from '../web/security.ts';

/** A way to connect, by its name in an address; `undefined` when the provider has none of this name. */
export function wayOf(registry: Registry, id: string, way: unknown): AuthStrategy['type'] | undefined {
  return registry
    .list()
    .find((provider) => provider.id === id)
    ?.auth.find(({ type }) => type === way)?.type;
}

/**
 * The provider of an address, which has this way to connect.
 *
 * @throws Refusal 404
 */
export function connectable(registry: Registry, id: string, way: AuthStrategy['type']): ProviderDescription {
  const provider = registry.list().find((each) => each.id === id);
  if (!provider) throw new Refusal(404, 'There is nothing here', 'No service has this name.');
  if (!wayOf(registry, id, way)) {
    throw new Refusal(404, 'There is nothing here', 'The service cannot be connected this way.');
  }
  return describeProvider(provider);
}

/**
 * The user's own connection that is to be connected again, where an address or form names one. The core looks, too: this
 * is so that nobody fills in a form for nothing.
 *
 * @throws Refusal 404
 */
export async function ownConnection(
  registry: Registry,
  {
    userId,
    provider,
    connectionId,
  }: { readonly userId: string; readonly provider: string; readonly connectionId?: string | undefined },
) {
  if (!connectionId) return undefined;
  const own = (await listConnections(registry, { userId })).filter((each) => each.kind === 'api');
  const found = own.find((each) => each.id === connectionId && each.provider === provider);
  if (!found) throw new Refusal(404, 'There is nothing here', 'You have no such connection.');
  return found;
}
