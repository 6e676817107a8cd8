import type { PageResult } from '../contracts/storage/index.ts';
import type { AnyRegistry } from '../registry/create-registry.ts';

/** Hands what a page just stored to the host's hook. */
export async function tellItems(registry: AnyRegistry, userId: string, page: PageResult): Promise<void> {
  const written = page.inserted + page.updated;
  if (!registry.hooks.onItems || written === 0) return;
  try {
    const changes = await registry.storage.changes({ after: page.sequence - written, limit: written, userId });
    await registry.hooks.onItems(changes);
  } catch (error) {
    // The items are stored and in the feed; a hook that fails must not make the import or sync look failed.
    registry.emit({
      type: 'hook_failed',
      hook: 'onItems',
      message: error instanceof Error ? error.message : String(error),
    });
  }
}
