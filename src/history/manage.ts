import { deleteCredentials } from '../auth/vault.ts';
import type { Connection, ConnectionStatus } from '../contracts/connection.ts';
import { McaError } from '../contracts/errors.ts';
import type { ImportRecord } from '../contracts/import-record.ts';
import type { ItemKey } from '../contracts/media-item.ts';
import type { Change } from '../contracts/storage/index.ts';
import { checkUserId } from '../registry/check-user-id.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';
import { checkLimit } from './read-filter.ts';

/**
 * A user's imports, newest first. One that says `running` long after its start was interrupted: import the file again.
 */
export async function listImports(
  registry: AnyRegistry,
  request: { readonly userId: string },
): Promise<readonly ImportRecord[]> {
  checkUserId(request.userId);
  await registry.ready();
  return (await registry.storage.listImports({ userId: request.userId })).toReversed();
}

/** Which connections of a user. Fields combine with AND. */
export interface ConnectionFilter {
  readonly userId: string;
  /** @default all providers */
  readonly provider?: string | undefined;
  /** @default every status */
  readonly status?: ConnectionStatus | readonly ConnectionStatus[] | undefined;
}

/** A user's links to services and files, oldest first. */
export async function listConnections(
  registry: AnyRegistry,
  { userId, provider, status }: ConnectionFilter,
): Promise<readonly Connection[]> {
  checkUserId(userId);
  await registry.ready();
  const connections = await registry.storage.listConnections({ userId, provider });
  return connections.filter((connection) => status === undefined || [status].flat().includes(connection.status));
}

/** What undoing an import did. */
export interface UndoReport {
  /** Items taken out: those this import was the first to bring. */
  readonly removed: number;
  /**
   * Imports of the same platform whose time overlaps. Items that both held went with this one;
   * importing those files again brings them back.
   */
  readonly overlapping: readonly ImportRecord[];
}

/**
 * Takes an import back: the items it was first to bring go. An import that is still running stops with `lease_lost`.
 *
 * @throws McaError `not_found` when the user has no such import
 */
export async function undoImport(
  registry: AnyRegistry,
  request: { readonly userId: string; readonly importId: string },
): Promise<UndoReport> {
  const imports = await listImports(registry, request);
  const undone = imports.find(({ id }) => id === request.importId);
  if (!undone) {
    throw new McaError({
      code: 'not_found',
      reason: 'unknown_import',
      message: `User has no import ${request.importId}.`,
      hint: 'See `listImports`, or `importId` of the import report.',
    });
  }
  const { removed } = await registry.storage.undoImport(request);
  const overlapping = imports.filter(
    (other) => other.id !== undone.id && other.status !== 'undone' && overlaps(undone, other),
  );
  return { removed, overlapping };
}

/** Whatever connection or source they came by: equal events have equal keys. */
function overlaps(one: ImportRecord, other: ImportRecord): boolean {
  return one.coverage.some((a) =>
    other.coverage.some((b) => a.platform === b.platform && a.from <= b.to && b.from <= a.to),
  );
}

/**
 * Deletes one item for good. Importing or syncing again does not bring it back.
 *
 * @returns whether there was such an item
 */
export async function deleteItem(registry: AnyRegistry, key: ItemKey): Promise<boolean> {
  checkUserId(key.userId);
  await registry.ready();
  return registry.storage.deleteItem(key);
}

/**
 * Erases everything of a user, or of one connection: items, imports, cursors, credentials, feed entries.
 *
 * @example
 * ```ts
 * const { items } = await eraseUser(registry, { userId: 'ana' });
 * ```
 */
export async function eraseUser(
  registry: AnyRegistry,
  request: { readonly userId: string; readonly connectionId?: string | undefined },
): Promise<{ readonly items: number }> {
  checkUserId(request.userId);
  await registry.ready();
  const { userId, connectionId: id } = request;
  // Secrets first: if the process dies in between, what remains is data without access, not access without an owner.
  const seen = new Set<string>();
  for (;;) {
    const fresh = (await registry.storage.listConnections({ userId, id })).filter((each) => !seen.has(each.id));
    // Until there are no more: an account may be connected at this moment.
    if (fresh.length === 0) return registry.storage.erase(request);
    for (const connection of fresh) {
      await deleteCredentials(registry, connection.id);
      seen.add(connection.id);
    }
  }
}

/** Where to go on reading changes, and how many at a time. */
export interface ChangesOptions {
  /** `nextSequence` of the call before. @default 0, from the beginning */
  readonly after?: number | undefined;
  /** 1 to 10,000. @default 1,000 */
  readonly limit?: number | undefined;
  /** @default all users */
  readonly userId?: string | undefined;
}

/**
 * What was stored or removed since, oldest first. Store `nextSequence` after you handled the changes and nothing is
 * ever missed; some may come twice after a crash, so apply them by key.
 *
 * @example
 * ```ts
 * let after = await loadPosition();
 * for (;;) {
 *   const { changes, nextSequence } = await readChanges(registry, { after });
 *   if (changes.length === 0) break;
 *   await index(changes);
 *   await savePosition((after = nextSequence));
 * }
 * ```
 */
export async function readChanges(
  registry: AnyRegistry,
  options: ChangesOptions = {},
): Promise<{ readonly changes: readonly Change[]; readonly nextSequence: number }> {
  const { after = 0, limit = 1_000, userId } = options;
  checkLimit(limit, 10_000);
  if (!Number.isSafeInteger(after) || after < 0) {
    throw new McaError({
      code: 'invalid_data',
      reason: 'invalid_sequence',
      message: '"after" must be 0 or the nextSequence of the call before.',
      hint: 'Start at 0 to read everything.',
    });
  }
  await registry.ready();
  const changes = await registry.storage.changes({ after, limit, userId });
  return { changes, nextSequence: changes.at(-1)?.sequence ?? after };
}
