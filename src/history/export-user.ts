import { checkUserId } from '../registry/check-user-id.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { iterateItems } from './query-items.ts';

/**
 * Everything that is kept of a user, as JSON Lines: connections (without secrets), imports, sync logs, parked records
 * and items, each line with its `kind`. For people who ask what is known of them.
 *
 * @returns lines, each ended by a line feed
 * @example
 * ```ts
 * for await (const line of exportUser(registry, { userId: 'ana' })) file.write(line);
 * ```
 */
export async function* exportUser(
  registry: AnyRegistry,
  { userId }: { readonly userId: string },
): AsyncGenerator<string, void, undefined> {
  checkUserId(userId);
  await registry.ready();
  const { storage } = registry;
  const line = (kind: string, value: object): string => `${JSON.stringify({ kind, ...value })}\n`;
  for (const connection of await storage.listConnections({ userId })) {
    const { kind: how, ...rest } = connection;
    yield line('connection', { ...rest, how });
    for (const entry of await storage.listSyncLog({ connectionId: connection.id, limit: 1_000 }))
      yield line('sync', entry);
    for (const parked of await storage.listParked(connection.id)) yield line('parked', parked);
  }
  for (const record of await storage.listImports({ userId })) yield line('import', record);
  for await (const item of iterateItems(registry, { userId, resolve: 'all' })) yield line('item', item);
}
